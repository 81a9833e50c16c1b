#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/alignment_format.h"
#include "infer/forced.h"
#include "infer/word_attention.h"
#include "tests/support/tiny.h"

/* Two target words and the end over three source words and the end. */
static float weights[] = {
    0.5F,  0.25F, 0.125F, 0.125F, /* looks at word 0 */
    0.25F, 0.25F, 0.0F,   0.5F,   /* looks at the end most */
    0.0F,  0.0F,  0.0F,   1.0F,   /* the end at the end */
};
static const struct tolk_word_attention ATTENTION = {3, 2, weights};

static void assert_text(const char *kind, const char *expected)
{
    struct tolk_error error;
    struct tolk_alignment_format format = {0};
    ck_assert_int_eq(tolk_alignment_format_parse(kind, &format, &error), 0);
    char *const text = tolk_alignment_text(&format, &ATTENTION, &error);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(writes_marians_grammar)
{
    assert_text("hard", "0-0 1-0"); /* word 1 has no link of its own and weight enough */
    assert_text("soft", "0.5,0.25,0.125,0.125 0.25,0.25,0,0.5 0,0,0,1");
    assert_text("0.125", "0-0 0-1 1-0 1-1"); /* strictly above */
    assert_text("0.25", "0-0");
    assert_text("1", "");
}
END_TEST

START_TEST(refuses_other_kinds)
{
    static const char *const wrong[] = {"", "Hard", "1.5", "-0.1", "0.5x", "nan"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tolk_error error = {{0}};
        struct tolk_alignment_format format;
        ck_assert_int_eq(tolk_alignment_format_parse(wrong[i], &format, &error), -1);
        ck_assert_ptr_nonnull(strstr(error.message, "--alignment"));
    }
}
END_TEST

START_TEST(a_word_that_looks_nowhere_has_no_link)
{
    float nowhere[] = {
        0.0F, 0.0F, 0.0F, /* no piece of it was read */
        NAN,  NAN,  NAN,  /* its weights are no numbers */
        0.0F, 1.0F, 0.0F, /* looks at word 1 */
        0.0F, 0.0F, 1.0F, /* the end */
    };
    const struct tolk_word_attention attention = {2, 3, nowhere};
    struct tolk_links links = {0};
    ck_assert_int_eq(tolk_word_attention_hard(&attention, &links), 0);
    char *const text = tolk_links_format(&links);
    ck_assert_str_eq(text, "1-2");
    free(text);
    tolk_links_free(&links);
}
END_TEST

START_TEST(a_word_that_looks_here_and_there_has_no_link)
{
    float words[] = {
        0.75F, 0.125F,  0.125F,  /* word 0 */
        0.5F,  0.375F,  0.125F,  /* no word has more than half */
        0.25F, 0.625F,  0.125F,  /* word 1 */
        0.0F,  0.0625F, 0.9375F, /* the end */
    };
    const struct tolk_word_attention attention = {2, 3, words};
    struct tolk_links links = {0};
    ck_assert_int_eq(tolk_word_attention_hard(&attention, &links), 0);
    char *const text = tolk_links_format(&links);
    ck_assert_str_eq(text, "0-0 1-2");
    free(text);
    tolk_links_free(&links);
}
END_TEST

enum { VOCABULARY = 12, SOURCE_ROWS = 4, TARGET_ROWS = 4 };
static const int32_t SOURCE[SOURCE_ROWS] = {5, 6, 7, 0};
static const int32_t TARGET[TARGET_ROWS] = {4, 8, 9, 0};
/* Source: pieces 0 and 1 are one word; target: pieces 1 and 2 are. */
static const size_t SOURCE_WORDS[] = {0, 0, 1};
static const size_t TARGET_WORDS[] = {0, 1, 1};

struct read {
    struct tolk_attention_choice choice;
    struct tolk_word_attention attention;
    double pieces[TARGET_ROWS][SOURCE_ROWS]; /* mean of the choice's heads */
};

static int read_both(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    struct read *const read = context;
    for (size_t i = 0; i < read->choice.head_count; i++) {
        const real *const head =
            tolk_workspace_attention(forced->workspace, TOLK_CROSS, read->choice.layer,
                                     forced->sentence, read->choice.heads[i]);
        for (size_t t = 0; t < TARGET_ROWS; t++) {
            for (size_t s = 0; s < SOURCE_ROWS; s++) {
                read->pieces[t][s] +=
                    (double)head[t * SOURCE_ROWS + s] / (double)read->choice.head_count;
            }
        }
    }
    const struct tolk_word_map source = {SOURCE_WORDS, 3, 2};
    const struct tolk_word_map target = {TARGET_WORDS, 3, 2};
    return tolk_word_attention_read(&read->attention, forced->workspace, forced->sentence,
                                    &read->choice, &source, &target, error);
}

/* The attention of words against that of pieces, joined by hand; row t of the pieces is read at
 * steps[t]. */
static void check_joining(bool shift, const size_t *steps)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 2);
    struct read read = {.choice = {.layer = 1, .head_count = 2, .heads = {0, 1}, .shift = shift}};
    const struct tolk_sequence source = {SOURCE, SOURCE_ROWS};
    const struct tolk_sequence target = {TARGET, TARGET_ROWS};
    struct tolk_forcer *const forcer = tolk_forcer_create(&model, NULL, &error);
    const struct tolk_forced_pairs pairs = {&source, &target, 1, 100, false, NULL, 0};
    ck_assert_int_eq(tolk_force_decode(forcer, &pairs, read_both, &read, &error), 0);
    const float *const words = read.attention.weights;
    for (size_t side = 0; side < 3; side++) {
        /* Word 0 of the source is pieces 0 and 1, word 1 piece 2, the end piece 3. */
        double joined[TARGET_ROWS];
        for (size_t t = 0; t < TARGET_ROWS; t++) {
            const double *const row = read.pieces[steps[t]];
            joined[t] = side == 0 ? row[0] + row[1] : row[side + 1];
        }
        ck_assert_double_eq_tol((double)words[0 * 3 + side], joined[0], 1e-6);
        ck_assert_double_eq_tol((double)words[1 * 3 + side], (joined[1] + joined[2]) / 2, 1e-6);
        ck_assert_double_eq_tol((double)words[2 * 3 + side], joined[3], 1e-6);
    }
    tolk_word_attention_free(&read.attention);
    tolk_forcer_free(forcer);
    tolk_model_free(&model);
}

START_TEST(joins_pieces_into_words)
{
    static const size_t output[] = {0, 1, 2, 3};
    check_joining(false, output);
}
END_TEST

START_TEST(reads_shifted_attention_at_the_next_step)
{
    static const size_t input[] = {1, 2, 3, 3};
    check_joining(true, input);
}
END_TEST

TOLK_SUITE("word attention", writes_marians_grammar, refuses_other_kinds,
           a_word_that_looks_nowhere_has_no_link, a_word_that_looks_here_and_there_has_no_link,
           joins_pieces_into_words, reads_shifted_attention_at_the_next_step)
