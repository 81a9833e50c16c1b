/* The walk through one attention: each printed number follows from those printed before it. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/commands.h"
#include "infer/inspection.h"
#include "infer/sentence.h"
#include "infer/steps.h"
#include "tests/support/folder.h"
#include "tests/support/run.h"
#include "tests/support/tiny.h"

/* Columns before the numbers of a row; numbers shown of a vector; most numbers in a row. */
enum { NAME = 15, SHOWN = 4, MOST = 8 };
/* Numbers have four digits behind the point, some products of two such are added. */
static const double ROUNDED = 1e-3;

struct row {
    double x[MOST];
    size_t count;
};

/* The numbers of the line at `at`, which moves behind it. */
static struct row take_row(const char **at)
{
    struct row row = {{0}, 0};
    const char *const end = strchr(*at, '\n');
    ck_assert_ptr_nonnull(end);
    ck_assert_int_gt(end - *at, NAME);
    const char *next = *at + NAME;
    while (row.count < MOST) {
        char *behind = NULL;
        const double number = strtod(next, &behind);
        if (behind == next || behind > end) {
            break;
        }
        row.x[row.count++] = number;
        next = behind;
    }
    *at = end + 1;
    return row;
}

/* Moves to the line that begins so. */
static void seek(const char **at, const char *beginning)
{
    while (strncmp(*at, beginning, strlen(beginning)) != 0) {
        const char *const end = strchr(*at, '\n');
        ck_assert_msg(end != NULL, "no line begins with \"%s\"", beginning);
        *at = end + 1;
    }
}

static struct row take_named(const char **at, const char *name)
{
    seek(at, name);
    return take_row(at);
}

static void assert_near(const char *what, double found, double expected)
{
    ck_assert_msg(fabs(found - expected) <= ROUNDED * (1 + fabs(expected)),
                  "%s: printed %.4f, recomputed %.4f", what, found, expected);
}

/* The number behind a text. */
static double number_behind(const char *at, const char *text)
{
    const char *const found = strstr(at, text);
    ck_assert_msg(found != NULL, "no \"%s\"", text);
    return strtod(found + strlen(text), NULL);
}

static void check_embedding(const char **at, double scale)
{
    const struct row token = take_named(at, "  E ");
    const struct row position = take_named(at, "  PE(");
    const struct row x = take_named(at, "  x");
    ck_assert_uint_eq(x.count, SHOWN);
    for (size_t i = 0; i < SHOWN; i++) {
        assert_near("x", x.x[i], scale * token.x[i] + position.x[i]);
    }
}

/* q₁ from its products. */
static void check_query(const char **at)
{
    const struct row h = take_named(at, "  h ");
    const struct row weights = take_named(at, "  W_q, row 1");
    const struct row products = take_named(at, "  products");
    double sum = 0;
    for (size_t i = 0; i < SHOWN; i++) {
        assert_near("product", products.x[i], h.x[i] * weights.x[i]);
        sum += products.x[i];
    }
    seek(at, "  q1 =");
    assert_near("these", strtod(*at + NAME, NULL), sum);
    const double q = strtod(*at + NAME, NULL) + number_behind(*at, "(these)") +
                     number_behind(*at, "(the other 12)");
    assert_near("q1", number_behind(*at, "(b_q) ="), q);
    assert_near("q1", take_named(at, "  q ").x[0], q);
}

/* Rows of scores up to the softmax; how many. */
static size_t check_scores(const char **at, double *scores)
{
    const double root = number_behind(*at, "here sqrt 8 = ");
    assert_near("the root of d_k", root, sqrt(8));
    const struct row q = take_named(at, "  q ");
    take_row(at); /* the names of the columns */
    size_t keys = 0;
    while (strncmp(*at, "  ", 2) == 0 && strncmp(*at, "   ", 3) != 0) {
        const struct row row = take_row(at);
        ck_assert_uint_eq(row.count, SHOWN + 3);
        double sum = row.x[SHOWN];
        for (size_t i = 0; i < SHOWN; i++) {
            sum += q.x[i] * row.x[i];
        }
        assert_near("q.k", row.x[SHOWN + 1], sum);
        assert_near("s", row.x[SHOWN + 2], row.x[SHOWN + 1] / root);
        scores[keys++] = row.x[SHOWN + 2];
    }
    return keys;
}

static void check_softmax(const char **at, const double *scores, size_t keys, double *weights)
{
    double greatest = -INFINITY;
    double sum = 0;
    for (size_t j = 0; j < keys; j++) {
        greatest = fmax(greatest, scores[j]);
    }
    assert_near("the greatest", number_behind(*at, "(The greatest s, "), greatest);
    seek(at, "                 "); /* the names of the columns */
    take_row(at);
    struct row rows[64];
    for (size_t j = 0; j < keys; j++) {
        rows[j] = take_row(at);
        ck_assert_uint_ge(rows[j].count, 4);
        assert_near("s", rows[j].x[0], scores[j]);
        assert_near("s - max", rows[j].x[1], scores[j] - greatest);
        assert_near("e^", rows[j].x[2], exp(rows[j].x[1]));
        sum += rows[j].x[2];
    }
    assert_near("sum", take_named(at, "  sum").x[0], sum);
    for (size_t j = 0; j < keys; j++) {
        assert_near("weight", rows[j].x[3], rows[j].x[2] / sum);
        weights[j] = rows[j].x[3];
    }
}

static void check_sum(const char **at, const double *weights, size_t keys)
{
    double z[SHOWN] = {0};
    seek(at, "4. ");
    seek(at, "  ");
    take_row(at); /* the names of the columns */
    for (size_t j = 0; j < keys; j++) {
        const struct row row = take_row(at);
        assert_near("weight", row.x[0], weights[j]);
        for (size_t i = 0; i < SHOWN; i++) {
            z[i] += row.x[0] * row.x[1 + i];
        }
    }
    const struct row row = take_named(at, "  z ");
    for (size_t i = 0; i < SHOWN; i++) {
        assert_near("z", row.x[i], z[i]);
    }
}

static void check_walk(const char *text)
{
    double scores[64], weights[64];
    const char *at = text;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        ck_assert_msg(strcspn(line, "\n") <= 80, "wider than 80 columns: %.100s", line);
    }
    const double scale = number_behind(text, "sqrt 16 = ");
    ck_assert_double_eq(scale, 4);
    check_embedding(&at, scale);
    check_query(&at);
    seek(&at, "2. ");
    const size_t keys = check_scores(&at, scores);
    ck_assert_uint_ge(keys, 1);
    seek(&at, "3. ");
    check_softmax(&at, scores, keys, weights);
    check_sum(&at, weights, keys);
}

START_TEST(each_number_follows_from_those_before)
{
    static const char *const kinds[] = {"cross", "encoder", "decoder"};
    static const char *const words[] = {"0", "2"};
    char *const folder = tolk_test_tiny_folder(3);
    for (size_t i = 0; i < 6; i++) {
        struct tolk_test_ran ran = TOLK_TEST_RUN(
            tolk_command_inspect, folder, "De kat slaapt in de tuin.", "--given",
            "The cat is sleeping in the garden.", "--steps", "--ascii", "--layer",
            i % 2 == 0 ? "0" : "1", "--head", "1", "--word", words[i % 2], "--kind", kinds[i / 2]);
        ck_assert_msg(ran.status == 0, "%s", ran.log);
        check_walk(ran.out);
        tolk_test_ran_free(&ran);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

/* The weights are those of the model, and the key shown is the one it looks at most. */
START_TEST(the_weights_are_the_models)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_codec *const codec = tolk_test_tiny_codec();
    tolk_test_tiny_model(&model, tolk_codec_size(codec), 3);
    struct tolk_sentence sides[2];
    static const char *const texts[] = {"De hond slaapt.", "The dog is sleeping."};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(tolk_sentence_encode(&sides[i], codec, i == 0 ? TOLK_SOURCE : TOLK_TARGET,
                                              texts[i], 32, &error),
                         0);
    }
    struct tolk_inspection *const inspection = tolk_inspection_make(
        &model, tolk_sentence_sequence(&sides[0]), tolk_sentence_sequence(&sides[1]), &error);
    ck_assert_ptr_nonnull(inspection);
    const struct tolk_steps steps = {inspection, &sides[0], &sides[1], TOLK_DECODER_SELF, 1, 1, 2};
    const struct tolk_terminal terminal = {.width = 80, .ascii = true};
    char *text = NULL;
    size_t size = 0;
    FILE *const out = open_memstream(&text, &size);
    ck_assert_int_eq(tolk_steps_print(&steps, &terminal, out, &error), 0);
    fclose(out);
    const struct tolk_attention_head head =
        tolk_inspection_head(inspection, TOLK_DECODER_SELF, 1, 1);
    const char *at = text;
    seek(&at, "4. ");
    seek(&at, "  ");
    take_row(&at);
    for (size_t j = 0; j <= steps.row; j++) {
        ck_assert_double_eq_tol(take_row(&at).x[0], (double)head.weights[2 * head.keys + j], 6e-5);
    }
    ck_assert_int_eq(strncmp(at, "  z ", 4), 0); /* later pieces are not seen */
    ck_assert_ptr_nonnull(strstr(text, "The pieces behind are not written yet"));
    free(text);
    tolk_inspection_free(inspection);
    tolk_sentence_free(&sides[0]);
    tolk_sentence_free(&sides[1]);
    tolk_codec_free(codec);
    tolk_model_free(&model);
}
END_TEST

START_TEST(tells_which_step_it_is)
{
    char *const folder = tolk_test_tiny_folder(3);
    setenv("LC_ALL", "C.UTF-8", 1);
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat", "--given",
                                             "The cat", "--steps", "--word", "2", "--layer", "1");
    ck_assert_msg(ran.status == 0, "%s", ran.log);
    ck_assert_ptr_nonnull(strstr(ran.out, "Cross-attention, decoder layer 1, head 0"));
    ck_assert_ptr_nonnull(strstr(ran.out, "is about to write \"(end)\""));
    ck_assert_ptr_nonnull(strstr(ran.out, "x = √d · E[token] + PE(pos), √16 = 4.0000"));
    tolk_test_ran_free(&ran);
    ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat", "--given", "The cat", "--steps",
                        "--word", "3");
    ck_assert_int_eq(ran.status, TOLK_WRONG_USAGE);
    ck_assert_ptr_nonnull(strstr(ran.log, "--word: the translation has words 0 to 2, the end"));
    ck_assert_str_eq(ran.out, "");
    tolk_test_ran_free(&ran);
    /* Where a word is read as the decoder's input, the decoder has just read it. */
    ran = TOLK_TEST_RUN(tolk_command_inspect, folder, "De kat", "--given", "The cat", "--steps",
                        "--pieces", "--shift", "--word", "0");
    const char *const read = strstr(ran.out, "The decoder has just read \"");
    ck_assert_ptr_nonnull(read);
    ck_assert_ptr_null(strstr(read, "read \"(start)\""));
    tolk_test_ran_free(&ran);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("steps", each_number_follows_from_those_before, the_weights_are_the_models,
           tells_which_step_it_is)
