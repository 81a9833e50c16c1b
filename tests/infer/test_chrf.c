#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "infer/chrf.h"
#include "tests/support/metrics.h"

static void begin(void *state)
{
    *(struct tolk_chrf *)state = (struct tolk_chrf){0};
}

static void add(void *state, const char *hypothesis, const char *reference)
{
    ck_assert_int_eq(tolk_chrf_add(state, hypothesis, reference, NULL), 0);
}

static void end(void *state, const struct metrics_corpus *corpus)
{
    const double score = tolk_chrf_score(state);
    ck_assert_msg(score - corpus->chrf < TOLK_METRICS_TOLERANCE &&
                      corpus->chrf - score < TOLK_METRICS_TOLERANCE,
                  "%s: expected %.6f, found %.6f", corpus->name, corpus->chrf, score);
}

START_TEST(equals_sacrebleu)
{
    struct tolk_chrf chrf;
    const struct metrics_visitor visitor = {begin, add, end};
    ck_assert_uint_ge(metrics_visit(&visitor, &chrf), 18);
    ck_assert(metrics_has_signature(TOLK_CHRF_SIGNATURE));
}
END_TEST

START_TEST(counts_characters_not_bytes)
{
    struct tolk_chrf chrf = {0};
    ck_assert_int_eq(tolk_chrf_add(&chrf, "é\xc2\xa0é", "éë", NULL), 0);
    ck_assert_uint_eq(chrf.hypothesis_totals[0], 2);
    ck_assert_uint_eq(chrf.reference_totals[1], 1);
    ck_assert_uint_eq(chrf.matches[0], 1);
    ck_assert_uint_eq(chrf.matches[1], 0);
}
END_TEST

START_TEST(takes_bytes_that_are_not_utf8)
{
    struct tolk_chrf chrf = {0};
    ck_assert_int_eq(tolk_chrf_add(&chrf, "\xff\xc3", "\xff\xc4", NULL), 0);
    ck_assert_uint_eq(chrf.hypothesis_totals[0], 2);
    ck_assert_uint_eq(chrf.matches[0], 1);
}
END_TEST

START_TEST(of_nothing_is_zero)
{
    struct tolk_chrf chrf = {0};
    ck_assert(tolk_chrf_score(&chrf) == 0);
}
END_TEST

TOLK_SUITE("chrf", equals_sacrebleu, counts_characters_not_bytes, takes_bytes_that_are_not_utf8,
           of_nothing_is_zero)
