#include "tests/support/suite.h"

#include <math.h>

#include "train/schedule.h"

static const double TOLERANCE = 1e-12;

START_TEST(warms_up_linearly)
{
    for (int kind = TOLK_SCHEDULE_INVERSE_SQRT; kind <= TOLK_SCHEDULE_CONSTANT; kind++) {
        const struct tolk_schedule schedule = {(enum tolk_schedule_kind)kind, 0.002, 100, 0};
        ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 1, 0), 0.00002, TOLERANCE);
        ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 50, 0.05), 0.001, TOLERANCE);
        ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 100, 0.1), 0.002, TOLERANCE);
    }
}
END_TEST

START_TEST(falls_with_the_inverse_square_root)
{
    const struct tolk_schedule schedule = {TOLK_SCHEDULE_INVERSE_SQRT, 0.002, 100, 0};
    ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 400, 0.9), 0.001, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 10000, 0), 0.0002, TOLERANCE);
}
END_TEST

START_TEST(cools_down_to_zero)
{
    const struct tolk_schedule schedule = {TOLK_SCHEDULE_CONSTANT, 0.002, 0, 0.2};
    ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 10, 0.8), 0.002, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 11, 0.9), 0.001, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&schedule, 12, 1.0), 0, TOLERANCE);
    const struct tolk_schedule inverse = {TOLK_SCHEDULE_INVERSE_SQRT, 0.002, 100, 0.5};
    ck_assert_double_eq_tol(tolk_schedule_rate(&inverse, 400, 0.75), 0.0005, TOLERANCE);
}
END_TEST

START_TEST(cosine_and_linear_end_with_the_budget)
{
    const struct tolk_schedule cosine = {TOLK_SCHEDULE_COSINE, 0.002, 100, 0.2};
    const struct tolk_schedule linear = {TOLK_SCHEDULE_LINEAR, 0.002, 100, 0.2};
    /* 1,100 updates: the middle behind the warm-up is update 600, spent (600 − 0)/1100. */
    ck_assert_double_eq_tol(tolk_schedule_rate(&cosine, 600, 600.0 / 1100), 0.001, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&linear, 600, 600.0 / 1100), 0.001, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&cosine, 1100, 1), 0, TOLERANCE);
    ck_assert_double_eq_tol(tolk_schedule_rate(&linear, 1100, 1), 0, TOLERANCE);
    double before = INFINITY;
    for (uint64_t update = 101; update <= 1100; update++) {
        const double rate = tolk_schedule_rate(&cosine, update, (double)update / 1100);
        ck_assert(rate >= 0 && rate < before);
        before = rate;
    }
}
END_TEST

TOLK_SUITE("schedule", warms_up_linearly, falls_with_the_inverse_square_root, cools_down_to_zero,
           cosine_and_linear_end_with_the_budget)
