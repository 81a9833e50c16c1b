/* The commands that read pairs: score, align, evaluate. */
#include "tests/support/suite.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/commands.h"
#include "tests/support/folder.h"
#include "tests/support/run.h"
#include "tests/support/tiny.h"

static const char PAIRS[] = "De kat zit op de mat.\tThe cat is sitting on the mat.\t0-0 1-1\n"
                            "Ik lees een boek.\tI am reading a book.\t0-0 1-2\n";

START_TEST(scores_add_up_over_the_words)
{
    char *const folder = tolk_test_tiny_folder(5);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_score, folder, pairs, "--word-scores");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    ck_assert_ptr_nonnull(strstr(ran.log, "2 pairs, log-probability -"));
    char *at = ran.out;
    const double score = strtod(at, &at);
    ck_assert(strncmp(at, " ||| WordScores=", 16) == 0);
    at += 16;
    double sum = 0;
    size_t words = 0;
    for (; *at == ' '; words++) {
        sum += strtod(at, &at);
    }
    ck_assert_uint_eq(words, 7 + 1);
    ck_assert_double_lt(score, -1);
    ck_assert_double_eq_tol(score, sum, 1e-4);

    struct tolk_test_ran normalised =
        TOLK_TEST_RUN(tolk_command_score, folder, pairs, "--normalise");
    const double pieces = score / strtod(normalised.out, NULL);
    ck_assert_double_ge(pieces, 8 - 1e-3);
    ck_assert_double_eq_tol(pieces, (double)(int)(pieces + 0.5), 1e-3);
    tolk_test_ran_free(&normalised);
    tolk_test_ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_pair_too_long_to_score_comes_behind_those_before_it)
{
    char *const folder = tolk_test_tiny_folder(5);
    char text[1024];
    strcpy(text, PAIRS);
    strcat(text, "De kat.\t");
    while (strlen(text) < 800) {
        strcat(text, "kat ");
    }
    strcat(text, "\nDe kat.\tThe cat.\n");
    char *const pairs = tolk_test_write_text(folder, "pairs", text, strlen(text));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_score, folder, pairs);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    ck_assert_ptr_nonnull(strstr(ran.log, pairs));
    ck_assert_ptr_nonnull(strstr(ran.log, "line 3: the target has "));
    tolk_test_ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(standard_input_is_read_from_where_it_stands)
{
    char *const folder = tolk_test_tiny_folder(5);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    const int descriptor = open(pairs, O_RDONLY);
    const off_t second = strchr(PAIRS, '\n') + 1 - PAIRS;
    ck_assert(lseek(descriptor, second, SEEK_SET) == second);
    ck_assert_int_eq(dup2(descriptor, STDIN_FILENO), STDIN_FILENO);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_align, folder);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 1);
    tolk_test_ran_free(&ran);
    close(descriptor);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(aligns_each_pair)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct tolk_test_ran ran =
        TOLK_TEST_RUN(tolk_command_align, folder, pairs, "--layer", "1", "--head", "0");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 2);
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_align, folder, pairs, "--alignment", "soft");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    /* 8 rows of 7 weights. */
    size_t spaces = 0;
    size_t commas = 0;
    for (const char *at = ran.out; *at != '\n'; at++) {
        spaces += *at == ' ';
        commas += *at == ',';
    }
    ck_assert_uint_eq(spaces, 7);
    ck_assert_uint_eq(commas, 8 * 6);
    tolk_test_ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

/* AER, precision and recall of a JSON object. */
static void assert_same_rates(const json_t *found, const json_t *expected)
{
    static const char *const names[] = {"aer", "precision", "recall"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *const number = json_object_get(found, names[i]);
        ck_assert(json_is_real(number));
        ck_assert_double_eq_tol(json_real_value(number),
                                json_real_value(json_object_get(expected, names[i])), 1e-9);
    }
}

static json_t *object_of(const struct tolk_test_ran *ran)
{
    json_error_t wrong;
    ck_assert_msg(ran->status == 0, "%s", ran->log);
    json_t *const object = json_loads(ran->out, 0, &wrong);
    ck_assert_msg(json_is_object(object), "%s", wrong.text);
    return object;
}

START_TEST(the_table_of_heads_is_that_of_single_runs)
{
    char *const folder = tolk_test_tiny_folder(2);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct tolk_test_ran ran =
        TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--all-heads", "--json");
    json_t *const all = object_of(&ran);
    tolk_test_ran_free(&ran);
    const json_t *const rows = json_object_get(all, "heads");
    ck_assert_uint_eq(json_array_size(rows), 2 * 2 * (2 + 1));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *const row = json_array_get(rows, i);
        const json_t *const heads = json_object_get(row, "heads");
        const size_t layer = (size_t)json_integer_value(json_object_get(row, "layer"));
        const bool shift = json_is_true(json_object_get(row, "shift"));
        ck_assert_uint_eq(layer, i / 3 % 2);
        ck_assert_int_eq(shift, i >= 6);
        ck_assert_uint_eq(json_array_size(heads), i % 3 < 2 ? 1 : 2);
        ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--json",
                            shift ? "--shift" : "--no-shift", "--layer", layer == 0 ? "0" : "1",
                            "--head",
                            i % 3 == 0   ? "0"
                            : i % 3 == 1 ? "1"
                                         : "0,1");
        json_t *const one = object_of(&ran);
        assert_same_rates(row, one);
        json_decref(one);
        tolk_test_ran_free(&ran);
    }
    json_decref(all);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(prints_the_table_of_heads)
{
    char *const folder = tolk_test_tiny_folder(2);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--all-heads");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), 4 + 2 * (2 + 2) + 2);
    ck_assert_ptr_nonnull(strstr(ran.out, "          head 0   head 1   mean\nlayer 0   "));
    const char *const star = strchr(ran.out, '*');
    ck_assert_ptr_nonnull(star);
    ck_assert_ptr_null(strchr(star + 1, '*'));
    tolk_test_ran_free(&ran);

    char *const plain = tolk_test_write_text(folder, "plain", "De kat.\tThe cat.\n", 17);
    ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, plain, "--all-heads");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--all-heads needs gold"));
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", plain, plain, "--all-heads");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--all-heads needs a model"));
    tolk_test_ran_free(&ran);
    free(plain);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Where gold does not fit, the message names file, line and column. */
START_TEST(gold_that_does_not_fit_is_refused_with_its_place)
{
    static const struct {
        const char *gold;
        const char *message;
    } wrong[] = {
        {"1\t0-0\n3\t0-0\n", "gold:2: column 1: line 3 of the corpus is not among its pairs"},
        {"2\t0-0\n2\t0-0\n", "gold:2: column 1: line 2 of the corpus is named again"},
        {"1\t0-0 6p1\n", "gold:1: column 5 of the alignment: source word 6 is beyond its 6"},
        {"1\t0-0 1-7\n", "gold:1: column 5 of the alignment: target word 7 is beyond its 7"},
        {"1\t0-0 1_1\n", "gold:1: column 5 of the alignment: expected a link such as 3-4"},
        {"one\t0-0\n", "gold:1: column 1: expected a line number and a tab"},
        {"", "gold: expected alignments, found an empty file"},
    };
    char *const folder = tolk_test_tiny_folder(2);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *const gold =
            tolk_test_write_text(folder, "gold", wrong[i].gold, strlen(wrong[i].gold));
        struct tolk_test_ran ran =
            TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--gold", gold);
        ck_assert_int_eq(ran.status, TOLK_FAILED);
        ck_assert_msg(strstr(ran.log, wrong[i].message) != NULL, "%s", ran.log);
        ck_assert_str_eq(ran.out, "");
        tolk_test_ran_free(&ran);
        free(gold);
    }
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(says_why_links_of_some_pairs_give_no_aer)
{
    static const char text[] = "Ik lees .\tI read .\t0-0 1-1\nDe kat\tThe cat\n";
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = tolk_test_write_text(folder, "pairs", text, strlen(text));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_null(strstr(ran.out, "AER"));
    ck_assert_ptr_nonnull(strstr(ran.log, "no AER: 1 of 2 pairs have links"));
    tolk_test_ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(evaluates_the_model_and_given_hypotheses)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = tolk_test_write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "BLEU "));
    ck_assert_ptr_nonnull(strstr(ran.out, "AER "));
    ck_assert_ptr_nonnull(strstr(ran.out, "2 pairs with gold"));
    tolk_test_ran_free(&ran);

    char *const gold = tolk_test_write_text(folder, "gold", "2\t0-0 1-2\n", 10);
    ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--gold", gold);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 pairs with gold"));
    tolk_test_ran_free(&ran);

    static const char good[] = "The cat is sitting on the mat.\nI am reading a boot.\n";
    char *const hypotheses = tolk_test_write_text(folder, "hypotheses", good, strlen(good));
    ran = TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 of 2 sentences"));
    tolk_test_ran_free(&ran);
    tolk_test_write(hypotheses, good, strlen(good) - 22);
    ran = TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "expected a line for each of the 2 of "));
    tolk_test_ran_free(&ran);
    free(gold);
    free(hypotheses);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(hypotheses_stand_on_the_lines_of_their_pairs)
{
    static const char text[] = "no pair\nDe kat.\tThe cat.\nneither\nIk.\tI.\nnor this\n";
    static const char given[] = "x\nThe cat.\ny\nMe.\nz\n";
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = tolk_test_write_text(folder, "pairs", text, strlen(text));
    char *const hypotheses = tolk_test_write_text(folder, "hypotheses", given, strlen(given));
    struct tolk_test_ran ran =
        TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs, "--skip-bad");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 of 2 sentences"));
    tolk_test_ran_free(&ran);

    /* What --output keeps scores as the model did. */
    ran = TOLK_TEST_RUN(tolk_command_evaluate, folder, pairs, "--skip-bad", "-o", hypotheses,
                        "--json");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    size_t size = 0;
    char *const kept = tolk_test_read(hypotheses, &size);
    ck_assert_uint_eq(tolk_test_count_lines(kept), 5);
    ck_assert_int_eq(kept[0], '\n');
    ck_assert_ptr_nonnull(strstr(kept + 1, "\n\n"));
    free(kept);
    struct tolk_test_ran again = TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", hypotheses,
                                               pairs, "--skip-bad", "--json");
    ck_assert_msg(again.status == 0, "%s", again.log);
    ck_assert_str_eq(again.out, ran.out);
    tolk_test_ran_free(&again);
    tolk_test_ran_free(&ran);
    free(hypotheses);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(options_for_a_model_do_not_go_with_hypotheses)
{
    static const char *const options[][2] = {
        {"--gold", "g"},       {"--output", "o"},       {"--beam", "2"},  {"--length-penalty", "1"},
        {"--max-length", "9"}, {"--batch-tokens", "9"}, {"--layer", "0"}, {"--head", "0"},
        {"--shift", NULL},     {"--no-shift", NULL},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char message[64];
        snprintf(message, sizeof message, ": %s needs a model", options[i][0]);
        struct tolk_test_ran ran =
            TOLK_TEST_RUN(tolk_command_evaluate, "--hypotheses", "/nowhere/h", "/nowhere/p",
                          options[i][0], options[i][1]);
        ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
        ck_assert_msg(strstr(ran.log, message) != NULL, "%s", ran.log);
        tolk_test_ran_free(&ran);
    }
}
END_TEST

TOLK_SUITE("pair commands", scores_add_up_over_the_words,
           a_pair_too_long_to_score_comes_behind_those_before_it,
           standard_input_is_read_from_where_it_stands, aligns_each_pair,
           the_table_of_heads_is_that_of_single_runs, prints_the_table_of_heads,
           gold_that_does_not_fit_is_refused_with_its_place,
           says_why_links_of_some_pairs_give_no_aer, evaluates_the_model_and_given_hypotheses,
           hypotheses_stand_on_the_lines_of_their_pairs,
           options_for_a_model_do_not_go_with_hypotheses)
