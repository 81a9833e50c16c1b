/* The softmax over a vocabulary and the optimiser's passes, on every instruction set, beside double
 * precision. */
#include "tests/support/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/reference.h"

static const size_t sizes[] = {1, 3, 4, 7, 16, 17, 41, 250, 1003};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
/* Logits as they begin, as they become, and so far apart that exp gives zero. */
static const double scales[] = {0.1, 4, 100};
enum { SCALES = sizeof scales / sizeof scales[0] };
static const double vanishing = 1e-30; /* a rounding of it is about where exp gives zero */

/* What a sum of n positive numbers may be off, one added after another at worst. */
static double sum_roundings(size_t n)
{
    return 8 + sqrt((double)n);
}

static double largest(size_t n, const real *x)
{
    double maximum = x[0];
    for (size_t i = 1; i < n; i++) {
        maximum = x[i] > maximum ? x[i] : maximum;
    }
    return maximum;
}

static double log_sum(size_t n, const real *x)
{
    const double maximum = largest(n, x);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += exp(x[i] - maximum);
    }
    return maximum + log(sum);
}

static void log_sum_exp(const struct tolk_row_kernels *kernels)
{
    for (size_t s = 0; s < SIZES * SCALES; s++) {
        const size_t n = sizes[s / SCALES];
        real *x = tolk_test_numbers(n, scales[s % SCALES], s);
        const double expected = log_sum(n, x);
        tolk_test_near("log Σ exp", n, (real)kernels->log_sum_exp(n, x), expected,
                       1 + fabs(expected), sum_roundings(n));
        x[n / 2] = NAN;
        ck_assert(isnan(kernels->log_sum_exp(n, x)));
        free(x);
    }
}

START_TEST(log_of_a_sum_of_exponentials)
{
    tolk_test_on_each_isa(log_sum_exp);
}
END_TEST

static void maxima(const struct tolk_row_kernels *kernels)
{
    static const size_t widths[] = {1, 5, 8, 16, 32, 64};
    for (size_t s = 0; s < SIZES * 6; s++) {
        const size_t n = sizes[s / 6], width = widths[s % 6], count = (n + width - 1) / width;
        real *x = tolk_test_numbers(n, 1, s), *found = tolk_test_numbers(count, 1, s);
        ck_assert(kernels->maximum(n, x) == (real)largest(n, x));
        kernels->maxima(n, width, x, found);
        for (size_t g = 0; g < count; g++) {
            const size_t left = n - g * width;
            ck_assert(found[g] == (real)largest(left < width ? left : width, x + g * width));
        }
        free(x);
        free(found);
    }
}

START_TEST(the_greatest_of_all_and_of_each_group)
{
    tolk_test_on_each_isa(maxima);
}
END_TEST

static void check_loss(const struct tolk_row_kernels *kernels, size_t n, double scale,
                       double smoothing)
{
    real *logits = tolk_test_numbers(n, scale, n), *gradient = tolk_test_numbers(n, scale, n);
    const size_t label = n / 3;
    const double sum = log_sum(n, logits), nll = sum - logits[label];
    double uniform = 0, magnitude = 1 + fabs(sum);
    for (size_t i = 0; i < n; i++) {
        uniform += (sum - logits[i]) / (double)n;
        magnitude += fabs((double)logits[i]) / (double)n;
    }
    const struct tolk_cross_entropy_row value =
        kernels->cross_entropy(n, gradient, label, smoothing, false);
    ck_assert(memcmp(gradient, logits, n * sizeof *logits) == 0);
    const struct tolk_cross_entropy_row again =
        kernels->cross_entropy(n, gradient, label, smoothing, true);
    tolk_test_near("loss", n, (real)value.negative_log_likelihood, nll, magnitude,
                   sum_roundings(n));
    tolk_test_near("smoothed", n, (real)value.smoothed, (1 - smoothing) * nll + smoothing * uniform,
                   magnitude, sum_roundings(n));
    tolk_test_near("smoothed, with the gradient", n, (real)again.smoothed, value.smoothed,
                   magnitude, 1);
    for (size_t i = 0; i < n; i++) {
        /* A logit is rounded as it is subtracted from the largest: a softmax is that much off. */
        const double p = exp(logits[i] - sum), share = smoothing / (double)n;
        tolk_test_near("gradient", i, gradient[i], p - share - (i == label ? 1 - smoothing : 0),
                       p * (1 + fabs(logits[i] - sum)) + share + (i == label) + vanishing,
                       sum_roundings(n));
    }
    free(logits), free(gradient);
}

static void losses(const struct tolk_row_kernels *kernels)
{
    for (size_t s = 0; s < SIZES * SCALES; s++) {
        check_loss(kernels, sizes[s / SCALES], scales[s % SCALES], 0);
        check_loss(kernels, sizes[s / SCALES], scales[s % SCALES], 0.1);
    }
}

START_TEST(cross_entropy_and_its_gradient)
{
    tolk_test_on_each_isa(losses);
}
END_TEST

static void squares(const struct tolk_row_kernels *kernels)
{
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        real *x = tolk_test_numbers(n, 3, s);
        double expected = 0;
        for (size_t i = 0; i < n; i++) {
            expected += (double)x[i] * x[i];
        }
        ck_assert_double_eq_tol(kernels->sum_of_squares(n, x), expected,
                                (double)(n + 1) * DBL_EPSILON * expected);
        free(x);
    }
}

START_TEST(sum_of_squares)
{
    tolk_test_on_each_isa(squares);
}
END_TEST

static void check_adam(const struct tolk_row_kernels *kernels, size_t n, real decays)
{
    static const struct tolk_adam_step step = {
        .clip = (real)0.7,
        .beta1 = (real)0.9,
        .beta2 = (real)0.98,
        .rate = (real)1e-2,
        .second_factor = (real)3.5,
        .epsilon = (real)1e-8,
        .decay = (real)1e-3,
        .renewal = (real)0.05,
    };
    real *x[5], *old[5]; /* values, gradients, first, second, average */
    for (uint64_t part = 0; part < 5; part++) {
        x[part] = tolk_test_numbers(n, 1, part), old[part] = tolk_test_numbers(n, 1, part);
    }
    for (size_t i = 0; i < n; i++) {
        x[3][i] = old[3][i] = (real)fabs((double)x[3][i]);
    }
    kernels->adam(&step, decays, n, x[0], x[1], x[2], x[3], x[4]);
    for (size_t i = 0; i < n; i++) {
        const double g = (double)step.clip * old[1][i];
        const double m = step.beta1 * (double)old[2][i] + (1 - (double)step.beta1) * g;
        const double v = step.beta2 * (double)old[3][i] + (1 - (double)step.beta2) * g * g;
        const double change = step.rate * m / (step.second_factor * sqrt(v) + step.epsilon);
        const double w = (1 - (double)step.decay * decays) * old[0][i] - change;
        const double size = fabs((double)old[0][i]) + fabs(change);
        tolk_test_near("first moment", i, x[2][i], m, fabs((double)old[2][i]) + fabs(g), 4);
        tolk_test_near("second moment", i, x[3][i], v, old[3][i] + g * g, 4);
        tolk_test_near("value", i, x[0][i], w, size, 8);
        tolk_test_near("average", i, x[4][i], old[4][i] + step.renewal * (w - old[4][i]),
                       size + fabs((double)old[4][i]), 8);
        ck_assert(x[1][i] == 0);
    }
    for (size_t part = 0; part < 5; part++) {
        free(x[part]), free(old[part]);
    }
}

static void adam(const struct tolk_row_kernels *kernels)
{
    for (size_t s = 0; s < SIZES; s++) {
        check_adam(kernels, sizes[s], 0);
        check_adam(kernels, sizes[s], 1);
    }
}

START_TEST(one_update_of_adam)
{
    tolk_test_on_each_isa(adam);
}
END_TEST

TOLK_SUITE("losses", log_of_a_sum_of_exponentials, the_greatest_of_all_and_of_each_group,
           cross_entropy_and_its_gradient, sum_of_squares, one_update_of_adam)
