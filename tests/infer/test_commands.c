#include "tests/support/suite.h"

#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "infer/commands.h"
#include "tests/support/folder.h"
#include "tests/support/tiny.h"

/* What a command wrote. */
struct ran {
    int status;
    char *out;
    char *log;
};

typedef int command(int argc, char **argv, FILE *out, FILE *log);

enum { MOST_ARGUMENTS = 16 };

/* Runs a command with the arguments given, NULL at their end. */
static struct ran run(command *run_command, const char *const *arguments)
{
    struct ran ran = {0};
    size_t out_size = 0;
    size_t log_size = 0;
    FILE *const out = open_memstream(&ran.out, &out_size);
    FILE *const log = open_memstream(&ran.log, &log_size);
    char *argv[MOST_ARGUMENTS + 1] = {strdup("tolk")};
    int argc = 1;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        argv[argc++] = strdup(arguments[i]);
    }
    char *copies[MOST_ARGUMENTS + 1]; /* the command may reorder argv */
    memcpy(copies, argv, sizeof copies);
    ran.status = run_command(argc, argv, out, log);
    fclose(out);
    fclose(log);
    for (int i = 0; i < argc; i++) {
        free(copies[i]);
    }
    return ran;
}

static void ran_free(struct ran *ran)
{
    free(ran->out);
    free(ran->log);
}

#define RUN(command, ...) run(command, (const char *const[]){__VA_ARGS__, NULL})

static char *write_text(const char *folder, const char *name, const char *text, size_t size)
{
    char *const path = tolk_path_join(folder, name);
    tolk_test_write(path, text, size);
    return path;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    return lines;
}

START_TEST(one_line_out_for_each_line_in)
{
    static const char text[] = "De kat slaapt.\n\n  \nHet regent.\r\nEen boek";
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = write_text(folder, "lines", text, strlen(text));
    struct ran ran = RUN(tolk_command_translate, folder, path);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_str_eq(ran.log, "");
    ck_assert_uint_eq(count_lines(ran.out), 5);
    const char *const second = strchr(ran.out, '\n');
    ck_assert(strncmp(second, "\n\n\n", 3) == 0);
    ck_assert_ptr_null(strchr(ran.out, '\r'));
    ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(bad_bytes_end_the_work_behind_the_lines_before_them)
{
    static const char text[] = "De kat.\nHet\xff regent.\nEen boek.\n";
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = write_text(folder, "lines", text, strlen(text));
    struct ran ran = RUN(tolk_command_translate, folder, path);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_uint_eq(count_lines(ran.out), 1);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:2: byte 4 (0xff) is not UTF-8"));
    ran_free(&ran);

    ran = RUN(tolk_command_translate, folder, path, "--skip-bad");
    ck_assert_int_eq(ran.status, TOLK_DONE);
    ck_assert_uint_eq(count_lines(ran.out), 3);
    ck_assert_ptr_nonnull(strstr(strchr(ran.out, '\n'), "\n\n"));
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:2"));
    ran_free(&ran);

    tolk_test_write(path, "a\0b\n", 4);
    ran = RUN(tolk_command_translate, folder, path);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:1: a NUL byte"));
    ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_line_of_a_megabyte_is_cut_with_a_warning)
{
    enum { MEGABYTE = 1 << 20 };
    char *const folder = tolk_test_tiny_folder(1);
    char *const text = malloc(MEGABYTE + 16);
    for (size_t i = 0; i < MEGABYTE; i++) {
        text[i] = "kat zit "[i % 8];
    }
    memcpy(text + MEGABYTE, "\nDe kat.\n", 9);
    char *const path = write_text(folder, "lines", text, MEGABYTE + 9);
    struct ran ran = RUN(tolk_command_translate, folder, path);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 2);
    ck_assert_ptr_nonnull(strstr(ran.log, "lines:1: "));
    ck_assert_ptr_nonnull(strstr(ran.log, "more than the 31 that the model can read"));
    ran_free(&ran);

    /* One word without a space. */
    memset(text, 'k', MEGABYTE);
    tolk_test_write(path, text, MEGABYTE + 9);
    ran = RUN(tolk_command_translate, folder, path, "--alignment", "hard");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 2);
    ran_free(&ran);
    free(text);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(wrong_usage_names_the_option)
{
    static const struct {
        const char *arguments[5];
        const char *message;
    } cases[] = {
        {{"model", "--beem"}, "unknown or ambiguous option --beem"},
        {{"model", "-q"}, "unknown option -q"},
        {{"model", "--beam", "0"}, "--beam: expected a number from 1"},
        {{"model", "--beam", "4x"}, "--beam: expected a whole number, found \"4x\""},
        {{"model", "--beam", "-1"}, "--beam: expected a whole number, found \"-1\""},
        {{"model", "--beam", "99999999999999999999999"}, "--beam: expected a number from 1"},
        {{"model", "--beam", ""}, "--beam: expected a whole number, found \"\""},
        {{"model", "--beam"}, "option --beam needs a value"},
        {{"model", "--json=1"}, "option --json=1 takes no value"},
        {{"model", "--length-penalty", "nan"}, "--length-penalty: expected a number from 0"},
        {{"model", "--alignment", "firm"}, "--alignment: expected hard, soft or a threshold"},
        {{"model", "file", "other"}, "unexpected operand \"other\""},
        {{NULL}, "expected MODEL [FILE]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ran ran = run(tolk_command_translate, cases[i].arguments);
        ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
        ck_assert_str_eq(ran.out, "");
        ck_assert_msg(strstr(ran.log, cases[i].message) != NULL, "expected \"%s\", found: %s",
                      cases[i].message, ran.log);
        ran_free(&ran);
    }
}
END_TEST

START_TEST(options_that_the_model_cannot_follow_are_wrong_usage)
{
    char *const folder = tolk_test_tiny_folder(1);
    struct ran ran = RUN(tolk_command_translate, folder, "/dev/null", "--layer", "2", "-a", "hard");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--layer: the model has decoder layers 0 to 1, not 2"));
    ran_free(&ran);
    ran = RUN(tolk_command_translate, folder, "/dev/null", "--head", "0,2");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--head: the model has attention heads 0 to 1, not 2"));
    ran_free(&ran);
    ran = RUN(tolk_command_translate, folder, "/dev/null", "--head", "0,");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--head: "));
    ran_free(&ran);
    ran = RUN(tolk_command_translate, folder, "/dev/null", "--beam", "2", "--n-best", "3");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--n-best"));
    ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    struct ran ran = RUN(tolk_command_translate, "/nowhere/model");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "/nowhere/model"));
    ran_free(&ran);
    char *const folder = tolk_test_tiny_folder(1);
    ran = RUN(tolk_command_translate, folder, "/nowhere/lines");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "/nowhere/lines"));
    ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_config_of_another_vocabulary_is_refused)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const path = tolk_path_join(folder, "config.json");
    json_t *const config = json_load_file(path, 0, NULL);
    json_object_set_new(config, "eos_token_id", json_integer(3));
    ck_assert_int_eq(json_dump_file(config, path, 0), 0);
    json_decref(config);
    struct ran ran = RUN(tolk_command_translate, folder, "/dev/null");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, folder));
    ck_assert_ptr_nonnull(strstr(ran.log, ": eos_token_id: the config says 3, the vocabulary 0"));
    ran_free(&ran);
    free(path);
    tolk_test_folder_remove(folder);
}
END_TEST

static const char PAIRS[] = "De kat zit op de mat.\tThe cat is sitting on the mat.\t0-0 1-1\n"
                            "Ik lees een boek.\tI am reading a book.\t0-0 1-2\n";

START_TEST(scores_add_up_over_the_words)
{
    char *const folder = tolk_test_tiny_folder(5);
    char *const pairs = write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct ran ran = RUN(tolk_command_score, folder, pairs, "--word-scores");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 2);
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

    struct ran normalised = RUN(tolk_command_score, folder, pairs, "--normalise");
    const double pieces = score / strtod(normalised.out, NULL);
    ck_assert_double_ge(pieces, 8 - 1e-3);
    ck_assert_double_eq_tol(pieces, (double)(int)(pieces + 0.5), 1e-3);
    ran_free(&normalised);
    ran_free(&ran);
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
    char *const pairs = write_text(folder, "pairs", text, strlen(text));
    struct ran ran = RUN(tolk_command_score, folder, pairs);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_uint_eq(count_lines(ran.out), 2);
    ck_assert_ptr_nonnull(strstr(ran.log, pairs));
    ck_assert_ptr_nonnull(strstr(ran.log, "line 3: the target has "));
    ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(aligns_each_pair)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct ran ran = RUN(tolk_command_align, folder, pairs, "--layer", "1", "--head", "0");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 2);
    ran_free(&ran);
    ran = RUN(tolk_command_align, folder, pairs, "--alignment", "soft");
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
    ran_free(&ran);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(evaluates_the_model_and_given_hypotheses)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const pairs = write_text(folder, "pairs", PAIRS, strlen(PAIRS));
    struct ran ran = RUN(tolk_command_evaluate, folder, pairs);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "BLEU "));
    ck_assert_ptr_nonnull(strstr(ran.out, "AER "));
    ck_assert_ptr_nonnull(strstr(ran.out, "2 pairs with gold"));
    ran_free(&ran);

    char *const gold = write_text(folder, "gold", "2\t0-0 1-2\n", 10);
    ran = RUN(tolk_command_evaluate, folder, pairs, "--gold", gold);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 pairs with gold"));
    ran_free(&ran);

    static const char good[] = "The cat is sitting on the mat.\nI am reading a boot.\n";
    char *const hypotheses = write_text(folder, "hypotheses", good, strlen(good));
    ran = RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs);
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 of 2 sentences"));
    ran_free(&ran);
    tolk_test_write(hypotheses, good, strlen(good) - 22);
    ran = RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs);
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_ptr_nonnull(strstr(ran.log, "expected a line for each of the 2 of "));
    ran_free(&ran);
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
    char *const pairs = write_text(folder, "pairs", text, strlen(text));
    char *const hypotheses = write_text(folder, "hypotheses", given, strlen(given));
    struct ran ran =
        RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs, "--skip-bad");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "1 of 2 sentences"));
    ran_free(&ran);

    /* What --output keeps scores as the model did. */
    ran = RUN(tolk_command_evaluate, folder, pairs, "--skip-bad", "-o", hypotheses, "--json");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    size_t size = 0;
    char *const kept = tolk_test_read(hypotheses, &size);
    ck_assert_uint_eq(count_lines(kept), 5);
    ck_assert_int_eq(kept[0], '\n');
    ck_assert_ptr_nonnull(strstr(kept + 1, "\n\n"));
    free(kept);
    struct ran again =
        RUN(tolk_command_evaluate, "--hypotheses", hypotheses, pairs, "--skip-bad", "--json");
    ck_assert_msg(again.status == 0, "%s", again.log);
    ck_assert_str_eq(again.out, ran.out);
    ran_free(&again);
    ran_free(&ran);
    free(hypotheses);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(options_for_a_model_do_not_go_with_hypotheses)
{
    static const char *const options[][2] = {
        {"--gold", "g"},      {"--output", "o"},       {"--beam", "2"}, {"--length-penalty", "1"},
        {"--max-length", "9"}, {"--batch-tokens", "9"}, {"--layer", "0"}, {"--head", "0"},
        {"--shift", NULL},    {"--no-shift", NULL},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char message[64];
        snprintf(message, sizeof message, ": %s needs a model", options[i][0]);
        struct ran ran = RUN(tolk_command_evaluate, "--hypotheses", "/nowhere/h", "/nowhere/p",
                             options[i][0], options[i][1]);
        ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
        ck_assert_msg(strstr(ran.log, message) != NULL, "%s", ran.log);
        ran_free(&ran);
    }
}
END_TEST

START_TEST(inspects_a_sentence_and_a_given_translation)
{
    char *const folder = tolk_test_tiny_folder(1);
    struct ran ran = RUN(tolk_command_inspect, folder, "De kat zit", "--given", "The cat is",
                         "--colour", "never");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 3 + 1 + 4);
    ck_assert_ptr_null(strchr(ran.out, '\033'));
    ran_free(&ran);
    ran = RUN(tolk_command_inspect, folder, "De kat zit", "--colour", "always");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strchr(ran.out, '\033'));
    ran_free(&ran);
    static const char *const wrong[] = {"", "  ", "a\nb", "a\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ran = RUN(tolk_command_inspect, folder, wrong[i]);
        ck_assert_int_eq(ran.status, TOLK_FAILED);
        ck_assert_ptr_nonnull(strstr(ran.log, "the sentence"));
        ran_free(&ran);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(json_is_one_object_a_line)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const lines = write_text(folder, "lines", "De \"kat\".\n\n", 11);
    struct ran ran = RUN(tolk_command_translate, folder, lines, "--json", "--n-best", "2", "--beam",
                         "2", "--alignment", "soft");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 2);
    const char *at = ran.out;
    for (size_t i = 0; i < 2; i++) {
        json_error_t wrong;
        json_t *const object = json_loads(at, JSON_DISABLE_EOF_CHECK, &wrong);
        ck_assert_msg(json_is_object(object), "%s", wrong.text);
        ck_assert_str_eq(json_string_value(json_object_get(object, "source")),
                         i == 0 ? "De \"kat\"." : "");
        const size_t words = json_array_size(json_object_get(object, "words"));
        ck_assert_uint_eq(json_array_size(json_object_get(object, "word_scores")), words + 1);
        ck_assert_uint_eq(json_array_size(json_object_get(object, "attention")),
                          i == 0 ? words + 1 : 0);
        ck_assert_uint_eq(json_array_size(json_object_get(object, "n_best")), i == 0 ? 2 : 1);
        json_decref(object);
        at = strchr(at, '\n') + 1;
    }
    ran_free(&ran);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(n_best_widens_the_beam_of_the_model)
{
    char *const folder = tolk_test_tiny_folder(1); /* num_beams 1 */
    char *const lines = write_text(folder, "lines", "De kat.\n", 8);
    struct ran ran = RUN(tolk_command_translate, folder, lines, "--n-best", "5");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_uint_eq(count_lines(ran.out), 5);
    ran_free(&ran);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_full_disk_is_noticed)
{
    char *const folder = tolk_test_tiny_folder(1);
    char *const lines = write_text(folder, "lines", "De kat.\n", 8);
    char *log = NULL;
    size_t size = 0;
    FILE *const out = fopen("/dev/full", "w");
    FILE *const err = open_memstream(&log, &size);
    if (out == NULL) {
        TOLK_SKIP("no /dev/full here");
    }
    char name[] = "tolk";
    char *argv[] = {name, folder, lines, NULL};
    ck_assert_int_eq(tolk_command_translate(3, argv, out, err), TOLK_FAILED);
    fclose(out);
    fclose(err);
    ck_assert_ptr_nonnull(strstr(log, "cannot write the output: No space left"));
    free(log);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Writes a line and waits for its answer, before the input ends. */
static void ask(int to, int from, const char *line)
{
    char answer[4096];
    struct pollfd waiting = {.fd = from, .events = POLLIN};
    ck_assert_int_eq((int)write(to, line, strlen(line)), (int)strlen(line));
    ck_assert_int_eq(poll(&waiting, 1, 20000), 1);
    const ssize_t got = read(from, answer, sizeof answer);
    ck_assert(got > 0 && answer[got - 1] == '\n');
    ck_assert_ptr_eq(memchr(answer, '\n', (size_t)got), answer + got - 1);
}

START_TEST(a_person_is_answered_line_by_line)
{
    char *const folder = tolk_test_tiny_folder(1);
    int in[2];
    int out[2];
    ck_assert(pipe(in) == 0 && pipe(out) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        close(in[1]);
        close(out[0]);
        FILE *const stream = fdopen(out[1], "w");
        char name[] = "tolk";
        char *argv[] = {name, folder, NULL};
        _exit(tolk_command_translate(2, argv, stream, stderr));
    }
    close(in[0]);
    close(out[1]);
    ask(in[1], out[0], "De kat slaapt.\n");
    ask(in[1], out[0], "\n");
    ask(in[1], out[0], "Een boek.\n");
    close(in[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(out[0]);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("commands", one_line_out_for_each_line_in,
           bad_bytes_end_the_work_behind_the_lines_before_them,
           a_line_of_a_megabyte_is_cut_with_a_warning, wrong_usage_names_the_option,
           options_that_the_model_cannot_follow_are_wrong_usage, what_is_missing_is_named,
           a_config_of_another_vocabulary_is_refused,
           scores_add_up_over_the_words,
           a_pair_too_long_to_score_comes_behind_those_before_it, aligns_each_pair, evaluates_the_model_and_given_hypotheses,
           hypotheses_stand_on_the_lines_of_their_pairs,
           options_for_a_model_do_not_go_with_hypotheses,
           inspects_a_sentence_and_a_given_translation, json_is_one_object_a_line,
           n_best_widens_the_beam_of_the_model, a_full_disk_is_noticed, a_person_is_answered_line_by_line)
