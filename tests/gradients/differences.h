/* Random inputs, and gradients by central differences, for the checks of backward passes. */
#ifndef TOLK_TESTS_DIFFERENCES_H
#define TOLK_TESTS_DIFFERENCES_H

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "model/real.h"
#include "tests/support/suite.h"

/* Of one operation's gradient, relative to the largest of its tensor. */
#define OPERATION_TOLERANCE 1e-7

static inline real *random_numbers(size_t count, double scale, uint64_t site)
{
    real *x = malloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        x[i] = scale * tolk_random_normal(tolk_random_key(1, 2, site), (uint32_t)i);
    }
    return x;
}

static inline double dot(const real *a, const real *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* ⟨cotangent, f(inputs)⟩ of whatever `context` holds. */
typedef double (*value_function)(void *context);

/* Compares `gradient` with differences of sixth order over every number of `input`. */
static inline void compare(const char *what, value_function value, void *context, real *input,
                    const real *gradient, size_t count, double h)
{
    static const double weights[] = {45.0 / 60, -9.0 / 60, 1.0 / 60};
    double largest = 1e-12;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(gradient[i]));
    }
    for (size_t i = 0; i < count; i++) {
        const real kept = input[i];
        double slope = 0;
        for (int s = 0; s < 3; s++) {
            input[i] = kept + (s + 1) * h;
            const double above = value(context);
            input[i] = kept - (s + 1) * h;
            slope += weights[s] * (above - value(context)) / h;
        }
        input[i] = kept;
        ck_assert_msg(fabs(slope - gradient[i]) <= OPERATION_TOLERANCE * largest,
                      "%s[%zu]: gradient %.12g, by differences %.12g, largest %.3g", what, i,
                      gradient[i], slope, largest);
    }
}

#endif
