#include "tests/support/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "model/positions.h"

/* The formula of the header, at positions that are multiples of nothing and at the last ones. */
static void check(size_t count, size_t d_model)
{
    const size_t half = d_model / 2;
    real *const positions = tolk_positions_make(count, d_model);
    ck_assert_ptr_nonnull(positions);
    for (size_t p = 0; p < count; p++) {
        for (size_t k = 0; k < half; k++) {
            const double angle = (double)p / pow(10000, 2 * (double)k / (double)d_model);
            ck_assert_double_eq_tol((double)positions[p * d_model + k], sin(angle), FLT_EPSILON);
            ck_assert_double_eq_tol((double)positions[p * d_model + half + k], cos(angle),
                                    FLT_EPSILON);
        }
    }
    free(positions);
}

START_TEST(positions_are_those_of_the_formula)
{
    check(1, 2);
    check(31, 6);
    check(64, 16);
    check(5000, 10);
}
END_TEST

TOLK_SUITE("positions", positions_are_those_of_the_formula)
