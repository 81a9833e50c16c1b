#include "tests/support/reference.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"

#ifdef TOLK_REAL_DOUBLE
static const double ROUNDING = DBL_EPSILON;
#else
static const double ROUNDING = FLT_EPSILON;
#endif

void tolk_test_on_each_isa(void (*test)(const struct tolk_row_kernels *kernels))
{
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tolk_isa_choose(list[i]->name, NULL), 0);
        test(tolk_isa()->rows);
    }
}

real *tolk_test_numbers(size_t count, double scale, uint64_t seed)
{
    const struct tolk_random_key key = tolk_random_key(seed, 0, 0);
    real *x = malloc((count > 0 ? count : 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++) {
        x[i] = (real)(scale * tolk_random_normal(key, (uint32_t)i));
    }
    return x;
}

void tolk_test_near(const char *what, size_t index, real found, double expected, double magnitude,
                    double roundings)
{
    const double error = fabs((double)found - expected);
    ck_assert_msg(error <= roundings * ROUNDING * magnitude,
                  "%s: %s at %zu: %.9g, expected %.9g, off by %.3g roundings of %g",
                  tolk_isa()->name, what, index, (double)found, expected,
                  error / (ROUNDING * magnitude), magnitude);
}
