/* That learning goes uphill: model 1 under variational Bayes, and its M-step beside the formula. */
#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

#include "align/expectation.h"

/* Some pairs in which every word has one translation, each with an id of its own. */
static struct tolk_pair items[] = {
    {.source = "het huis", .target = "the house"},
    {.source = "het boek", .target = "the book"},
    {.source = "een boek", .target = "a book"},
    {.source = "een huis en een boek", .target = "a house and a book"},
    {.source = "een oud huis", .target = "an old house"},
    {.source = "het oude boek", .target = "the old book"},
    {.source = "het huis is oud", .target = "the house is old"},
    {.source = "is het een boek ?", .target = "is it a book ?"},
};
static const struct tolk_pairs PAIRS = {.items = items, .count = sizeof items / sizeof items[0]};

static void begin(struct tolk_bitext *bitext, struct tolk_lexicon *lexicon)
{
    struct tolk_error error;
    ck_assert_msg(tolk_bitext_make(bitext, &PAIRS, &error) == 0, "%s", error.message);
    ck_assert_msg(tolk_lexicon_make(lexicon, bitext, &error) == 0, "%s", error.message);
}

static void end(struct tolk_bitext *bitext, struct tolk_lexicon *lexicon)
{
    tolk_lexicon_free(lexicon);
    tolk_bitext_free(bitext);
}

/* ψ as the derivative of ln Γ. */
static double psi(double x)
{
    const double step = 1e-4 * x;
    return (8 * (lgamma(x + step) - lgamma(x - step)) -
            (lgamma(x + 2 * step) - lgamma(x - 2 * step))) /
           (12 * step);
}

/* One distribution of the lexicon, for example all t(f | e) of one e. */
struct distribution {
    double sum;        /* of the counts */
    double cells;      /* how many */
    double divergence; /* the part of it that is a sum over the cells */
};

static void add(struct distribution *distribution, uint64_t count, float t, double alpha)
{
    const double c = (double)count * 0x1p-32;
    distribution->sum += c;
    distribution->cells++;
    distribution->divergence += lgamma(alpha) - lgamma(c + alpha);
    if (c > 0) {
        distribution->divergence += c * log(t);
    }
}

/* KL(Dirichlet(counts + α) ‖ Dirichlet(α)), where ln t is the expectation of ln θ. */
static double divergence(const struct distribution *distribution, double alpha)
{
    const double all = distribution->cells * alpha;
    return distribution->divergence + lgamma(distribution->sum + all) - lgamma(all);
}

/* Of all distributions of one direction: those of NULL and of each unit that is given. */
static double all_divergences(const struct tolk_lexicon *lexicon, enum tolk_side side, double alpha)
{
    enum { MOST_UNITS = 64 };
    const struct tolk_lexicon_direction *const direction = &lexicon->directions[side];
    const bool by_row = side == TOLK_SOURCE_SIDE;
    const size_t given = by_row ? lexicon->rows : lexicon->columns;
    const size_t generated = by_row ? lexicon->columns : lexicon->rows;
    struct distribution of_null = {0}, of[MOST_UNITS] = {{0}};
    ck_assert_uint_le(given, MOST_UNITS);
    for (size_t i = 0; i < generated; i++) {
        add(&of_null, direction->null_count[i], direction->null[i], alpha);
    }
    for (size_t row = 0; row < lexicon->rows; row++) {
        for (size_t cell = lexicon->begin[row]; cell < lexicon->begin[row + 1]; cell++) {
            add(&of[by_row ? row : lexicon->column[cell]], direction->given_count[cell],
                direction->given[cell], alpha);
        }
    }
    double sum = divergence(&of_null, alpha);
    for (size_t unit = 0; unit < given; unit++) {
        sum += divergence(&of[unit], alpha);
    }
    return sum;
}

/* The lower bound of the evidence that variational Bayes raises (Beal 2003, section 2.3): the
 * likelihood under exp E[ln θ], which is what the lexicon holds, less how far the posteriors of the
 * distributions are from their prior. */
static void assert_uphill(double alpha)
{
    enum { ITERATIONS = 30 };
    struct tolk_bitext bitext = {0};
    struct tolk_lexicon lexicon = {0};
    begin(&bitext, &lexicon);
    const struct tolk_hmm hmm = tolk_hmm_make(0.1);
    struct tolk_models models = {&bitext, &lexicon, false, alpha, {hmm, hmm}};
    double first[TOLK_SIDES], before[TOLK_SIDES], likelihood[TOLK_SIDES];
    ck_assert_int_eq(tolk_expectation(&models, true, NULL, NULL, likelihood, NULL), 0);
    for (size_t i = 0; i < ITERATIONS; i++) {
        double apart[TOLK_SIDES];
        for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
            apart[side] = all_divergences(&lexicon, side, alpha);
        }
        ck_assert_int_eq(tolk_expectation(&models, true, NULL, NULL, likelihood, NULL), 0);
        for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
            const double bound = likelihood[side] - apart[side];
            /* The lexicon holds floats. */
            ck_assert_msg(i == 0 || bound >= before[side] - 1e-5,
                          "alpha %g, side %d, step %zu: %.9f, then %.9f", alpha, (int)side, i,
                          before[side], bound);
            before[side] = bound;
            first[side] = i == 0 ? bound : first[side];
        }
    }
    ck_assert_double_gt(before[TOLK_SOURCE_SIDE], first[TOLK_SOURCE_SIDE] + 0.1);
    ck_assert_double_gt(before[TOLK_TARGET_SIDE], first[TOLK_TARGET_SIDE] + 0.1);
    end(&bitext, &lexicon);
}

START_TEST(never_lowers_the_bound)
{
    assert_uphill(1);
    assert_uphill(0.1);
    assert_uphill(0.01);
}
END_TEST

/* A word has been written once, by the words of the other side and NULL together. */
START_TEST(counts_each_word_once)
{
    struct tolk_bitext bitext = {0};
    struct tolk_lexicon lexicon = {0};
    begin(&bitext, &lexicon);
    const struct tolk_hmm hmm = tolk_hmm_make(0.1);
    struct tolk_models models = {&bitext, &lexicon, false, 0.01, {hmm, hmm}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(tolk_expectation(&models, true, NULL, NULL, NULL, NULL), 0);
        for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
            const struct tolk_text_side *const generated = &bitext.sides[1 - side];
            double sum = 0;
            for (size_t cell = 0; cell < lexicon.begin[lexicon.rows]; cell++) {
                sum += (double)lexicon.directions[side].given_count[cell] * 0x1p-32;
            }
            for (size_t unit = 0; unit < generated->vocabulary; unit++) {
                sum += (double)lexicon.directions[side].null_count[unit] * 0x1p-32;
            }
            ck_assert_double_eq_tol(sum, (double)generated->unit_count, 1e-6);
        }
    }
    end(&bitext, &lexicon);
}
END_TEST

START_TEST(estimates_by_the_formula)
{
    static const double ALPHAS[] = {1, 0.1, 0.01};
    struct tolk_bitext bitext = {0};
    struct tolk_lexicon lexicon = {0};
    begin(&bitext, &lexicon);
    for (size_t a = 0; a < sizeof ALPHAS / sizeof ALPHAS[0]; a++) {
        const double alpha = ALPHAS[a];
        const size_t from = lexicon.begin[0], cells = lexicon.begin[1] - from;
        struct tolk_lexicon_direction *const down = &lexicon.directions[TOLK_SOURCE_SIDE];
        double sum = 0;
        tolk_lexicon_forget_counts(&lexicon);
        for (size_t i = 0; i < cells; i++) {
            for (size_t n = 0; n <= i * i; n++) {
                tolk_lexicon_count(&down->given_count[from + i], 0.75);
            }
            sum += 0.75 * (double)(i * i + 1);
        }
        tolk_lexicon_estimate(&lexicon, alpha);
        for (size_t i = 0; i < cells; i++) {
            const double expected =
                exp(psi(0.75 * (double)(i * i + 1) + alpha) - psi(sum + alpha * (double)cells));
            ck_assert_double_eq_tol(down->given[from + i], expected, 1e-6 * expected);
        }
    }
    end(&bitext, &lexicon);
}
END_TEST

/* Where words are told apart by the pairs they share, model 1 finds the pairs of words. */
START_TEST(finds_the_translations)
{
    enum { ITERATIONS = 10 };
    struct tolk_bitext bitext = {0};
    struct tolk_lexicon lexicon = {0};
    begin(&bitext, &lexicon);
    const struct tolk_hmm hmm = tolk_hmm_make(0.1);
    struct tolk_models models = {&bitext, &lexicon, false, 0.01, {hmm, hmm}};
    for (size_t i = 0; i < ITERATIONS; i++) {
        ck_assert_int_eq(tolk_expectation(&models, true, NULL, NULL, NULL, NULL), 0);
    }
    /* Units by first appearance: het huis boek een …, the house book a …. */
    for (uint32_t unit = 0; unit < 4; unit++) {
        const size_t cell = tolk_lexicon_cell(&lexicon, unit, unit);
        ck_assert_uint_eq(lexicon.column[cell], unit);
        ck_assert_double_gt(lexicon.directions[TOLK_SOURCE_SIDE].given[cell], 0.5);
        ck_assert_double_gt(lexicon.directions[TOLK_TARGET_SIDE].given[cell], 0.5);
    }
    end(&bitext, &lexicon);
}
END_TEST

TOLK_SUITE("learning", never_lowers_the_bound, counts_each_word_once, estimates_by_the_formula,
           finds_the_translations)
