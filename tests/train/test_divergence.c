#include "tests/support/suite.h"

#include "train/divergence.h"

/* Adds the loss so often; how many of them were the one too far. */
static size_t add(struct tolk_divergence *divergence, double loss, size_t times)
{
    size_t warnings = 0;
    for (size_t i = 0; i < times; i++) {
        warnings += tolk_divergence_add(divergence, loss);
    }
    return warnings;
}

START_TEST(warns_once_for_each_time_the_loss_leaves)
{
    struct tolk_divergence divergence = {0};
    ck_assert_uint_eq(add(&divergence, 5, 50), 0);
    ck_assert_uint_eq(add(&divergence, 2, 200), 0);
    ck_assert_uint_eq(add(&divergence, 6, 1), 0);
    ck_assert_uint_eq(add(&divergence, 2, 20), 0);
    ck_assert_uint_eq(add(&divergence, 6, 50), 1);
    ck_assert_uint_eq(add(&divergence, 2, 100), 0);
    ck_assert_uint_eq(add(&divergence, 6, 50), 1);
}
END_TEST

START_TEST(is_patient_at_the_start)
{
    struct tolk_divergence divergence = {0};
    ck_assert_uint_eq(add(&divergence, 2, 1), 0);
    ck_assert_uint_eq(add(&divergence, 9, 98), 0);
    ck_assert_uint_eq(add(&divergence, 9, 1), 1);
}
END_TEST

TOLK_SUITE("divergence", warns_once_for_each_time_the_loss_leaves, is_patient_at_the_start)
