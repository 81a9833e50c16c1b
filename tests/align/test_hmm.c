/* Forward–backward beside the sum over all alignments, one by one, and the estimation of jumps. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>

#include "align/hmm.h"
#include "align/model1.h"
#include "base/random.h"

enum { MOST_POSITIONS = 20, MOST_WORDS = 6, MOST_CELLS = MOST_POSITIONS * MOST_WORDS };

/* A pair of sentences with tables of its own. */
struct example {
    double given[MOST_CELLS], null[MOST_WORDS], posterior[MOST_CELLS];
    double room[(MOST_POSITIONS + 1) * (MOST_POSITIONS + MOST_WORDS + 3) + MOST_WORDS + 1];
    struct tolk_trellis trellis;
};

/* Some t are 0, as many of a learnt lexicon nearly are. */
static void draw(struct example *example, size_t positions, size_t words, uint64_t seed)
{
    const struct tolk_random_key key = tolk_random_key(seed, positions, words);
    for (size_t at = 0; at < positions * words; at++) {
        example->given[at] = fmax(tolk_random_uniform(key, (uint32_t)at) - 0.2, 0);
    }
    for (size_t j = 0; j < words; j++) {
        example->null[j] = tolk_random_uniform(key, (uint32_t)(MOST_CELLS + j)) + 0.01;
    }
    example->trellis = (struct tolk_trellis){
        .positions = positions,
        .words = words,
        .given = example->given,
        .null = example->null,
        .posterior = example->posterior,
    };
    ck_assert_uint_le(tolk_hmm_room(positions, words), sizeof example->room / sizeof(double));
}

static struct tolk_hmm draw_hmm(uint64_t seed)
{
    const struct tolk_random_key key = tolk_random_key(seed, 0, 0);
    struct tolk_hmm hmm = {.null = 0.2};
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        hmm.weight[d] = 0.1 + tolk_random_uniform(key, (uint32_t)d);
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        hmm.first[i] = 0.1 + tolk_random_uniform(key, (uint32_t)(TOLK_HMM_JUMPS + i));
    }
    return hmm;
}

/* Position `before` is the place before the sentence: −1. */
static size_t bucket(ptrdiff_t before, ptrdiff_t to)
{
    const ptrdiff_t distance = to - before;
    if (before < 0) {
        return (size_t)(to < TOLK_HMM_WIDEST ? to : TOLK_HMM_WIDEST);
    }
    return (size_t)(TOLK_HMM_WIDEST + (distance < -TOLK_HMM_WIDEST  ? -TOLK_HMM_WIDEST
                                       : distance > TOLK_HMM_WIDEST ? TOLK_HMM_WIDEST
                                                                    : distance));
}

static double jump(const struct tolk_hmm *hmm, ptrdiff_t before, ptrdiff_t to, size_t positions)
{
    const double *const weight = before < 0 ? hmm->first : hmm->weight;
    double sum = 0;
    for (ptrdiff_t k = 0; k < (ptrdiff_t)positions; k++) {
        sum += weight[bucket(before, k)];
    }
    return weight[bucket(before, to)] / sum;
}

/* What the sum over all alignments gives. */
struct expectations {
    double likelihood;
    double posterior[MOST_CELLS];
    double jump[TOLK_HMM_JUMPS], first[TOLK_HMM_WIDEST + 1];
    double left[MOST_POSITIONS], started;
};

/* p(f, a | e) by the equation; a[j] = −1 is NULL. */
static double joint(const struct tolk_hmm *hmm, const struct tolk_trellis *trellis,
                    const ptrdiff_t *a)
{
    double product = 1;
    ptrdiff_t before = -1;
    for (size_t j = 0; j < trellis->words; j++) {
        if (a[j] < 0) {
            product *= hmm->null * trellis->null[j];
        } else {
            product *= (1 - hmm->null) * jump(hmm, before, a[j], trellis->positions) *
                       trellis->given[j * trellis->positions + (size_t)a[j]];
            before = a[j];
        }
    }
    return product;
}

static void count(struct expectations *sums, const struct tolk_trellis *trellis, const ptrdiff_t *a,
                  double probability)
{
    ptrdiff_t before = -1;
    sums->likelihood += probability;
    for (size_t j = 0; j < trellis->words; j++) {
        if (a[j] < 0) {
            continue;
        }
        sums->posterior[j * trellis->positions + (size_t)a[j]] += probability;
        if (before < 0) {
            sums->first[bucket(before, a[j])] += probability;
            sums->started += probability;
        } else {
            sums->jump[bucket(before, a[j])] += probability;
            sums->left[before] += probability;
        }
        before = a[j];
    }
}

static void enumerate(const struct tolk_hmm *hmm, const struct tolk_trellis *trellis,
                      struct expectations *sums)
{
    ptrdiff_t a[MOST_WORDS];
    *sums = (struct expectations){0};
    for (size_t j = 0; j < trellis->words; j++) {
        a[j] = -1;
    }
    for (size_t j = 0; j < trellis->words;) {
        count(sums, trellis, a, joint(hmm, trellis, a));
        for (j = 0; j < trellis->words && ++a[j] == (ptrdiff_t)trellis->positions; j++) {
            a[j] = -1;
        }
    }
}

/* Expected counts are cut to whole numbers of 2^−32, each jump of each word. */
static void assert_count(uint64_t found, double sum, double likelihood)
{
    ck_assert_double_eq_tol((double)found * 0x1p-32, sum / likelihood, MOST_CELLS * 0x1p-32);
}

static void compare(const struct tolk_hmm *hmm, struct example *example,
                    struct tolk_hmm_counts *counts)
{
    struct tolk_trellis *const trellis = &example->trellis;
    struct expectations sums;
    *counts = (struct tolk_hmm_counts){0};
    tolk_hmm_posteriors(hmm, trellis, example->room, counts);
    enumerate(hmm, trellis, &sums);
    ck_assert_double_eq_tol(trellis->log_likelihood, log(sums.likelihood), 1e-12);
    for (size_t at = 0; at < trellis->positions * trellis->words; at++) {
        ck_assert_double_eq_tol(trellis->posterior[at], sums.posterior[at] / sums.likelihood,
                                1e-12);
    }
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        assert_count(counts->jump[d], sums.jump[d], sums.likelihood);
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        assert_count(counts->first[i], sums.first[i], sums.likelihood);
    }
    for (size_t i = 0; i < trellis->positions; i++) {
        assert_count(counts->left[i][trellis->positions - 1 - i], sums.left[i], sums.likelihood);
    }
    assert_count(counts->started[trellis->positions], sums.started, sums.likelihood);
}

START_TEST(sums_over_all_alignments)
{
    /* The last has jumps wider than those with a weight of their own. */
    static const size_t sizes[][2] = {{1, 1}, {1, 4}, {4, 1}, {2, 2}, {3, 5}, {5, 4}, {18, 3}};
    struct tolk_hmm_counts *const counts = calloc(1, sizeof *counts);
    struct example example;
    ck_assert_ptr_nonnull(counts);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct tolk_hmm uniform = tolk_hmm_make(0.1), uneven = draw_hmm(i);
        draw(&example, sizes[i][0], sizes[i][1], i);
        compare(&uniform, &example, counts);
        compare(&uneven, &example, counts);
    }
    free(counts);
}
END_TEST

/* If every jump is as likely as any other, where the last word came from is of no account. */
START_TEST(is_model_1_while_its_weights_are_uniform)
{
    static const double NULL_PROBABILITY = 0.1;
    const struct tolk_hmm hmm = tolk_hmm_make(NULL_PROBABILITY);
    struct example one, other;
    draw(&one, MOST_POSITIONS, MOST_WORDS, 1);
    draw(&other, MOST_POSITIONS, MOST_WORDS, 1);
    tolk_hmm_posteriors(&hmm, &one.trellis, one.room, NULL);
    tolk_model1_posteriors(NULL_PROBABILITY, &other.trellis);
    ck_assert_double_eq_tol(one.trellis.log_likelihood, other.trellis.log_likelihood, 1e-12);
    for (size_t at = 0; at < MOST_CELLS; at++) {
        ck_assert_double_eq_tol(one.posterior[at], other.posterior[at], 1e-12);
    }
}
END_TEST

/* A sentence so unlikely that its probability is no number of the machine. */
START_TEST(does_not_underflow)
{
    static const double TINY = 1e-30;
    enum { WORDS = TOLK_ALIGNER_LONGEST };
    const struct tolk_hmm hmm = tolk_hmm_make(0.1);
    double given[WORDS], null[WORDS], posterior[WORDS];
    double *const room = calloc(tolk_hmm_room(1, WORDS), sizeof *room);
    for (size_t j = 0; j < WORDS; j++) {
        given[j] = null[j] = TINY;
    }
    struct tolk_trellis trellis = {
        .positions = 1, .words = WORDS, .given = given, .null = null, .posterior = posterior};
    tolk_hmm_posteriors(&hmm, &trellis, room, NULL);
    ck_assert_double_eq_tol(trellis.log_likelihood, WORDS * log(TINY), 1e-8);
    for (size_t j = 0; j < WORDS; j++) {
        ck_assert_double_eq_tol(posterior[j], 0.9, 1e-12);
    }
    free(room);
}
END_TEST

/* What tolk_hmm_estimate raises, over some sentences. */
static double objective(const struct tolk_hmm *hmm, struct example *examples, size_t count_of,
                        struct tolk_hmm_counts *counts)
{
    static const double EPSILON = 1e-3;
    double sum = 0;
    *counts = (struct tolk_hmm_counts){0};
    for (size_t e = 0; e < count_of; e++) {
        tolk_hmm_posteriors(hmm, &examples[e].trellis, examples[e].room, counts);
        sum += examples[e].trellis.log_likelihood;
    }
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        sum += EPSILON * (log(hmm->weight[d]) - hmm->weight[d]);
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        sum += EPSILON * (log(hmm->first[i]) - hmm->first[i]);
    }
    return sum;
}

START_TEST(estimation_never_lowers_the_likelihood)
{
    enum { EXAMPLES = 30, ITERATIONS = 40 };
    struct tolk_hmm_counts *const counts = calloc(1, sizeof *counts);
    struct example *const examples = calloc(EXAMPLES, sizeof *examples);
    struct tolk_hmm hmm = draw_hmm(1);
    ck_assert(counts != NULL && examples != NULL);
    for (size_t e = 0; e < EXAMPLES; e++) {
        draw(&examples[e], 1 + e % MOST_POSITIONS, 1 + e % MOST_WORDS, e);
    }
    const double begin = objective(&hmm, examples, EXAMPLES, counts);
    double before = begin;
    for (size_t i = 0; i < ITERATIONS; i++) {
        tolk_hmm_estimate(&hmm, counts);
        const double after = objective(&hmm, examples, EXAMPLES, counts);
        /* Less than the counts, cut to whole numbers, make it. */
        ck_assert_msg(after >= before - 1e-6, "step %zu: %.9f, then %.9f", i, before, after);
        before = after;
    }
    ck_assert_double_gt(before, begin + 1);
    free(examples);
    free(counts);
}
END_TEST

/* Every word is written by the position behind the one before: that is what it learns. */
START_TEST(learns_the_jumps_of_a_diagonal)
{
    enum { LENGTH = 6, ITERATIONS = 5 };
    struct tolk_hmm_counts *const counts = calloc(1, sizeof *counts);
    struct tolk_hmm hmm = tolk_hmm_make(0.1);
    struct example example;
    draw(&example, LENGTH, LENGTH, 1);
    for (size_t at = 0; at < LENGTH * LENGTH; at++) {
        example.given[at] = at / LENGTH == at % LENGTH ? 0.9 : 0.01;
    }
    for (size_t i = 0; i < ITERATIONS; i++) {
        *counts = (struct tolk_hmm_counts){0};
        tolk_hmm_posteriors(&hmm, &example.trellis, example.room, counts);
        tolk_hmm_estimate(&hmm, counts);
    }
    /* The widest jump back is from the last position, which no jump leaves: nothing is learnt of it
     * but that there is no need for it. */
    ck_assert_double_lt(hmm.weight[TOLK_HMM_WIDEST + 1 - LENGTH], hmm.weight[TOLK_HMM_WIDEST + 1]);
    for (size_t d = TOLK_HMM_WIDEST + 2 - LENGTH; d < TOLK_HMM_WIDEST + LENGTH; d++) {
        if (d != TOLK_HMM_WIDEST + 1) {
            ck_assert_double_lt(hmm.weight[d] * 10, hmm.weight[TOLK_HMM_WIDEST + 1]);
        }
    }
    free(counts);
}
END_TEST

TOLK_SUITE("hmm", sums_over_all_alignments, is_model_1_while_its_weights_are_uniform,
           does_not_underflow, estimation_never_lowers_the_likelihood,
           learns_the_jumps_of_a_diagonal)
