/* Drafted and screened searches find what the plain one finds, to the bit, whatever the drafts are
 * worth. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "infer/search.h"
#include "tests/support/tiny.h"

enum { VOCABULARY = 37, SENTENCES = 12, LONGEST = 9 };

struct text {
    int32_t ids[SENTENCES][LONGEST];
    size_t lengths[SENTENCES];
};

static struct text text_of(uint32_t seed)
{
    struct text text = {.lengths = {0}};
    const struct tolk_random_key key = tolk_random_key(seed, 1, 2);
    for (uint32_t s = 0; s < SENTENCES; s++) {
        text.lengths[s] = 1 + s % LONGEST;
        for (uint32_t i = 0; i + 1 < text.lengths[s]; i++) {
            text.ids[s][i] = 1 + (int32_t)tolk_random_below(key, s * LONGEST + i, VOCABULARY - 2);
        }
    }
    return text;
}

static void find(struct tolk_searcher *searcher, const struct text *text, size_t s,
                 const struct tolk_search_options *options, struct tolk_hypotheses *found)
{
    struct tolk_error error;
    const size_t begin[] = {0, text->lengths[s]};
    const struct tolk_batch batch = {.sentences = 1, .source_begin = begin, .source = text->ids[s]};
    ck_assert_msg(tolk_search(searcher, &batch, options, found, &error) == 0, "%s", error.message);
}

static void assert_same(const struct tolk_hypotheses *a, const struct tolk_hypotheses *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (size_t h = 0; h < a->count; h++) {
        const struct tolk_hypothesis *const x = &a->items[h];
        const struct tolk_hypothesis *const y = &b->items[h];
        ck_assert_uint_eq(x->length, y->length);
        ck_assert_mem_eq(x->ids, y->ids, x->length * sizeof *x->ids);
        ck_assert_mem_eq(x->log_probabilities, y->log_probabilities,
                         x->length * sizeof *x->log_probabilities);
        ck_assert_mem_eq(&x->score, &y->score, sizeof x->score);
        ck_assert_mem_eq(&x->normalised_score, &y->normalised_score, sizeof x->normalised_score);
    }
}

static struct tolk_searcher *searcher_of(const struct tolk_inference_weights *weights,
                                         const struct tolk_inference_weights *quick)
{
    struct tolk_error error;
    struct tolk_searcher *const searcher = tolk_searcher_create(weights, &error);
    ck_assert_msg(searcher != NULL, "%s", error.message);
    ck_assert(quick == NULL || tolk_searcher_draft(searcher, quick, &error) == 0);
    return searcher;
}

/* Searches of `model`, drafted by `drafting` and screened, against plain ones; what the drafted
 * did. */
static struct tolk_draft_counts compare(const struct tolk_model *model,
                                        const struct tolk_model *drafting,
                                        const struct tolk_search_options *options, size_t count)
{
    struct tolk_error error;
    struct tolk_inference_weights *const weights =
        tolk_inference_weights_make(model, TOLK_PANELS_REAL, &error);
    struct tolk_inference_weights *const quick =
        tolk_inference_weights_make_draft(drafting, TOLK_PANELS_INT8, &error);
    struct tolk_inference_weights *const screened =
        tolk_inference_weights_make(model, TOLK_PANELS_REAL, &error);
    tolk_inference_weights_screen(screened);
    struct tolk_searcher *const plain = searcher_of(weights, NULL);
    struct tolk_searcher *const drafted = searcher_of(weights, quick);
    struct tolk_searcher *const others[] = {drafted, searcher_of(screened, NULL),
                                            searcher_of(screened, quick)};
    for (size_t i = 0; i < count; i++) {
        for (uint32_t s = 0; s < SENTENCES; s++) {
            const struct text text = text_of(s + 1);
            struct tolk_hypotheses expected;
            find(plain, &text, s, &options[i], &expected);
            for (size_t o = 0; o < sizeof others / sizeof others[0]; o++) {
                struct tolk_hypotheses found;
                find(others[o], &text, s, &options[i], &found);
                assert_same(&expected, &found);
                tolk_hypotheses_free(&found);
            }
            tolk_hypotheses_free(&expected);
        }
    }
    const struct tolk_draft_counts counts = tolk_searcher_counts(drafted);
    tolk_searcher_free(plain);
    for (size_t o = 0; o < sizeof others / sizeof others[0]; o++) {
        tolk_searcher_free(others[o]);
    }
    tolk_inference_weights_free(screened);
    tolk_inference_weights_free(weights);
    tolk_inference_weights_free(quick);
    return counts;
}

/* Beam, n-best, length penalty, greatest length, scores. */
static const struct tolk_search_options OPTIONS[] = {
    {1, 1, 1, 2, 10, true},   {1, 1, 1, 2, 10, false}, {2, 2, 0, 2, 10, true},
    {3, 2, 0.6, 2, 4, true},  {4, 4, 1, 2, 10, true},  {5, 1, 1, 1, 0, true},
    {6, 6, 1.5, 2, 10, true}, {4, 2, 1, 0, 1, true},   {1, 1, 1, 0, 1, false},
    {6, 6, 1, 0, 2, true},    {30, 30, 1, 1, 3, true}, {70, 9, 1, 1, 3, true},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof OPTIONS[0], NARROW_COUNT = OPTION_COUNT - 2 };

START_TEST(a_drafted_search_is_the_plain_one)
{
    struct tolk_draft_counts all = {0};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct tolk_model model;
        tolk_test_tiny_model(&model, VOCABULARY, seed);
        model.weights.final_logits_bias[0] = (real)(seed % 3); /* sentences of several lengths */
        const struct tolk_draft_counts counts = compare(&model, &model, OPTIONS, NARROW_COUNT);
        compare(&model, &model, OPTIONS + NARROW_COUNT, OPTION_COUNT - NARROW_COUNT);
        all.steps += counts.steps;
        all.passes += counts.passes;
        tolk_model_free(&model);
    }
    /* Else there is nothing in drafts. */
    ck_assert_uint_lt(2 * all.passes, all.steps);
}
END_TEST

START_TEST(a_draft_of_another_model_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct tolk_model model;
        struct tolk_model other;
        tolk_test_tiny_model(&model, VOCABULARY, seed);
        tolk_test_tiny_model(&other, VOCABULARY, seed + 100);
        model.weights.final_logits_bias[0] = 1;
        const struct tolk_draft_counts counts = compare(&model, &other, OPTIONS, OPTION_COUNT);
        /* Wrong drafts soon become short ones, and then none. */
        ck_assert_uint_lt(2 * counts.drafts, 3 * counts.steps);
        tolk_model_free(&other);
        tolk_model_free(&model);
    }
}
END_TEST

START_TEST(a_draft_without_numbers_changes_nothing)
{
    struct tolk_model model;
    struct tolk_model broken;
    tolk_test_tiny_model(&model, VOCABULARY, 3);
    tolk_test_tiny_model(&broken, VOCABULARY, 3);
    broken.weights.decoder[1].feed_forward.fc1.weight[7] = (real)NAN;
    compare(&model, &broken, OPTIONS, OPTION_COUNT);
    /* One outlier takes all the 8 bits of its row. */
    broken.weights.decoder[1].feed_forward.fc1.weight[7] = 1e4F;
    compare(&model, &broken, OPTIONS, OPTION_COUNT);
    compare(&broken, &broken, OPTIONS, OPTION_COUNT);
    tolk_model_free(&broken);
    tolk_model_free(&model);
}
END_TEST

/* A piece that the draft leaves out of its vocabulary is written all the same. */
START_TEST(what_the_draft_cannot_write_is_found)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 5);
    for (size_t id = VOCABULARY / 2; id < VOCABULARY; id++) {
        model.weights.final_logits_bias[id] = -1;
    }
    struct tolk_inference_weights *const quick =
        tolk_inference_weights_make_draft(&model, TOLK_PANELS_INT8, &error);
    ck_assert_uint_eq(quick->outputs, VOCABULARY / 2);
    tolk_inference_weights_free(quick);
    const struct tolk_draft_counts counts = compare(&model, &model, OPTIONS, OPTION_COUNT);
    ck_assert_uint_gt(counts.passes, 0);
    tolk_model_free(&model);
}
END_TEST

struct seen {
    double sum;
    size_t steps, rows;
};

static int see(void *context, const struct tolk_search_step *step, struct tolk_error *error)
{
    (void)error;
    struct seen *const seen = context;
    for (size_t r = 0; r < step->rows; r++) {
        for (size_t id = 0; id < VOCABULARY; id++) {
            seen->sum += (double)step->logits[r][id] * (double)(id + r + 1);
        }
    }
    seen->steps++;
    seen->rows += step->rows;
    return 0;
}

START_TEST(an_observer_sees_the_same)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 8);
    struct tolk_inference_weights *const weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    struct tolk_inference_weights *const quick =
        tolk_inference_weights_make_draft(&model, TOLK_PANELS_INT8, &error);
    struct seen seen[2] = {{0}};
    for (size_t i = 0; i < 2; i++) {
        struct tolk_searcher *const searcher = searcher_of(weights, i == 0 ? NULL : quick);
        const struct tolk_search_observer observer = {&seen[i], see};
        tolk_searcher_observe(searcher, &observer);
        for (uint32_t s = 0; s < SENTENCES; s++) {
            const struct text text = text_of(s);
            struct tolk_hypotheses found;
            find(searcher, &text, s, &(struct tolk_search_options){4, 1, 1, 2, 10, true}, &found);
            tolk_hypotheses_free(&found);
        }
        tolk_searcher_free(searcher);
    }
    ck_assert_uint_gt(seen[0].rows, seen[0].steps);
    ck_assert_mem_eq(&seen[0], &seen[1], sizeof seen[0]);
    tolk_inference_weights_free(weights);
    tolk_inference_weights_free(quick);
    tolk_model_free(&model);
}
END_TEST

START_TEST(scores_that_are_no_numbers_are_refused)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_model broken;
    tolk_test_tiny_model(&model, VOCABULARY, 3);
    tolk_test_tiny_model(&broken, VOCABULARY, 3);
    broken.weights.decoder[1].feed_forward.fc1.weight[7] = (real)NAN;
    struct tolk_inference_weights *const weights =
        tolk_inference_weights_make(&broken, TOLK_PANELS_REAL, &error);
    struct tolk_inference_weights *const quick =
        tolk_inference_weights_make_draft(&model, TOLK_PANELS_INT8, &error);
    const struct text text = text_of(1);
    const size_t begin[] = {0, text.lengths[4]};
    const struct tolk_batch batch = {.sentences = 1, .source_begin = begin, .source = text.ids[4]};
    const size_t options[] = {4, 1}; /* the second one is screened */
    for (size_t i = 0; i < 4; i++) {
        struct tolk_searcher *const searcher = searcher_of(weights, i % 2 == 0 ? quick : NULL);
        struct tolk_hypotheses found;
        ck_assert_int_eq(tolk_search(searcher, &batch, &OPTIONS[options[i / 2]], &found, &error),
                         -1);
        ck_assert_ptr_nonnull(strstr(error.message, "step 1"));
        tolk_searcher_free(searcher);
        tolk_inference_weights_screen(weights);
    }
    tolk_inference_weights_free(weights);
    tolk_inference_weights_free(quick);
    tolk_model_free(&broken);
    tolk_model_free(&model);
}
END_TEST

/* All sentences together, over a vocabulary of many panels, by weights with a screening and
 * without. */
START_TEST(a_screened_batch_is_the_plain_one)
{
    enum { MANY = 1500 };
    struct tolk_error error;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct tolk_model model;
        tolk_test_tiny_model(&model, MANY, seed);
        model.weights.final_logits_bias[0] = (real)seed;
        const struct text text = text_of((uint32_t)seed);
        int32_t ids[SENTENCES * LONGEST];
        size_t begin[SENTENCES + 1] = {0};
        for (size_t s = 0; s < SENTENCES; s++) {
            memcpy(ids + begin[s], text.ids[s], text.lengths[s] * sizeof *ids);
            begin[s + 1] = begin[s] + text.lengths[s];
        }
        const struct tolk_batch batch = {
            .sentences = SENTENCES, .source_begin = begin, .source = ids};
        struct tolk_hypotheses found[2][SENTENCES];
        struct tolk_inference_weights *const weights =
            tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
        for (size_t i = 0; i < 2; i++) {
            struct tolk_searcher *const searcher = searcher_of(weights, NULL);
            const struct tolk_search_options greedy = {1, 1, 1, 2, 10, false};
            ck_assert_int_eq(tolk_search(searcher, &batch, &greedy, found[i], &error), 0);
            tolk_searcher_free(searcher);
            tolk_inference_weights_screen(weights);
        }
        for (size_t s = 0; s < SENTENCES; s++) {
            assert_same(&found[0][s], &found[1][s]);
            tolk_hypotheses_free(&found[0][s]);
            tolk_hypotheses_free(&found[1][s]);
        }
        tolk_inference_weights_free(weights);
        tolk_model_free(&model);
    }
}
END_TEST

TOLK_SUITE("draft", a_drafted_search_is_the_plain_one, a_draft_of_another_model_changes_nothing,
           a_draft_without_numbers_changes_nothing, what_the_draft_cannot_write_is_found,
           an_observer_sees_the_same, scores_that_are_no_numbers_are_refused,
           a_screened_batch_is_the_plain_one)
