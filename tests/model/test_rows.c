/* The kernels over rows, on every instruction set, beside the same sums in double precision. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/reference.h"

/* Widths around the vectors of all instruction sets, 4 to 16 numbers. */
enum { WIDEST = 259 };
static const size_t widths[] = {1, 3, 4, 5, 8, 15, 17, 31, 33, 67, 128, WIDEST};
enum { WIDTHS = sizeof widths / sizeof widths[0], ROWS = 3, FIRST = 5 };
enum { OUTSIDE = 7 }; /* what a kernel must leave alone */

static struct tolk_dropout_mask mask_of(int dropping)
{
    const struct tolk_dropout dropout = {11, 2};
    return tolk_dropout_mask(dropping ? &dropout : NULL, 3, 0.3);
}

/* ---- layer norm ---------------------------------------------------------------------------------
 */

static const double epsilon = 1e-5;

struct norm {
    size_t d;
    real *x, *weight, *bias, *dy;
    real y[ROWS * WIDEST], mean[ROWS], rstd[ROWS];
};

static struct norm norm_of(const struct tolk_row_kernels *kernels, size_t d)
{
    struct norm n = {
        .d = d,
        .x = tolk_test_numbers(ROWS * d, 2, 1),
        .weight = tolk_test_numbers(d, 1, 2),
        .bias = tolk_test_numbers(d, 1, 3),
        .dy = tolk_test_numbers(ROWS * d, 1, 4),
    };
    kernels->layer_norm_forward(ROWS, d, n.x, n.weight, n.bias, n.y, n.mean, n.rstd);
    return n;
}

static void free_norm(struct norm *n)
{
    free(n->x), free(n->weight), free(n->bias), free(n->dy);
}

static void norm_forward(const struct tolk_row_kernels *kernels)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        const size_t d = widths[w];
        struct norm n = norm_of(kernels, d);
        for (size_t row = 0; row < ROWS; row++) {
            const real *x = n.x + row * d;
            double mean = 0, variance = 0;
            for (size_t c = 0; c < d; c++) {
                mean += (double)x[c] / (double)d;
            }
            for (size_t c = 0; c < d; c++) {
                variance += (x[c] - mean) * (x[c] - mean) / (double)d;
            }
            const double rstd = 1 / sqrt(variance + epsilon);
            tolk_test_near("mean", row, n.mean[row], mean, 2, 8);
            tolk_test_near("rstd", row, n.rstd[row], rstd, rstd, 8);
            for (size_t c = 0; c < d; c++) {
                tolk_test_near("y", row * d + c, n.y[row * d + c],
                               (x[c] - mean) * rstd * n.weight[c] + n.bias[c],
                               (2 + fabs((double)x[c])) * rstd * fabs((double)n.weight[c]) +
                                   fabs((double)n.bias[c]),
                               16);
            }
        }
        free_norm(&n);
    }
}

START_TEST(layer_norm_forward)
{
    tolk_test_on_each_isa(norm_forward);
}
END_TEST

/* dx of one row, and the magnitude of its terms. */
static void norm_gradient(const struct norm *n, size_t row, double *dx, double *magnitude)
{
    const real *x = n->x + row * n->d, *dy = n->dy + row * n->d;
    const double mean = n->mean[row], rstd = n->rstd[row], d = (double)n->d;
    double sum = 0, product = 0, absolute = 0;
    for (size_t c = 0; c < n->d; c++) {
        const double g = (double)dy[c] * n->weight[c];
        sum += g / d;
        product += g * (x[c] - mean) * rstd / d;
        absolute += fabs(g) * (1 + fabs((x[c] - mean) * rstd)) / d;
    }
    for (size_t c = 0; c < n->d; c++) {
        const double g = (double)dy[c] * n->weight[c], normal = (x[c] - mean) * rstd;
        dx[c] = rstd * (g - sum - normal * product);
        magnitude[c] = rstd * (fabs(g) + absolute * (1 + fabs(normal)));
    }
}

/* dweight and dbias are added to, by each call. */
static void weight_gradients(const struct norm *n, size_t calls, const real *dweight,
                             const real *dbias, const real *old_weight, const real *old_bias)
{
    for (size_t c = 0; c < n->d; c++) {
        double weight = old_weight[c], bias = old_bias[c];
        double of_weight = fabs(weight), of_bias = fabs(bias);
        for (size_t row = 0; row < ROWS; row++) {
            const double dy = (double)calls * n->dy[row * n->d + c];
            const double product =
                dy * ((double)n->x[row * n->d + c] - n->mean[row]) * n->rstd[row];
            weight += product, of_weight += fabs(product);
            bias += dy, of_bias += fabs(dy);
        }
        tolk_test_near("dweight", c, dweight[c], weight, of_weight, 8);
        tolk_test_near("dbias", c, dbias[c], bias, of_bias, 8);
    }
}

static void norm_backward(const struct tolk_row_kernels *kernels)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        const size_t d = widths[w];
        struct norm n = norm_of(kernels, d);
        real *added = tolk_test_numbers(ROWS * d, 1, 5);
        real *before = tolk_test_numbers(ROWS * d, 1, 5);
        real *in_place = tolk_test_numbers(ROWS * d, 1, 4);
        real *dweight = tolk_test_numbers(d, 1, 6), *dbias = tolk_test_numbers(d, 1, 7);
        real *old_weight = tolk_test_numbers(d, 1, 6), *old_bias = tolk_test_numbers(d, 1, 7);
        kernels->layer_norm_backward(ROWS, d, n.x, n.weight, n.mean, n.rstd, n.dy, true, added,
                                     dweight, dbias);
        weight_gradients(&n, 1, dweight, dbias, old_weight, old_bias);
        kernels->layer_norm_backward(ROWS, d, n.x, n.weight, n.mean, n.rstd, in_place, false,
                                     in_place, dweight, dbias);
        weight_gradients(&n, 2, dweight, dbias, old_weight, old_bias);
        for (size_t row = 0; row < ROWS; row++) {
            double dx[WIDEST], magnitude[WIDEST];
            norm_gradient(&n, row, dx, magnitude);
            for (size_t c = 0; c < d; c++) {
                const size_t i = row * d + c;
                tolk_test_near("dx", i, in_place[i], dx[c], magnitude[c], 16);
                tolk_test_near("dx added", i, added[i], before[i] + dx[c],
                               magnitude[c] + fabs((double)before[i]), 16);
            }
        }
        free(added), free(before), free(in_place);
        free(dweight), free(dbias), free(old_weight), free(old_bias);
        free_norm(&n);
    }
}

START_TEST(layer_norm_backward)
{
    tolk_test_on_each_isa(norm_backward);
}
END_TEST

/* ---- column sums --------------------------------------------------------------------------------
 */

static void columns(const struct tolk_row_kernels *kernels)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        const size_t d = widths[w], ld = d + 3, begin = d / 4, end = d - d / 5;
        real *x = tolk_test_numbers(ROWS * ld, 1, 1), *sums = tolk_test_numbers(d, 1, 2);
        real *before = tolk_test_numbers(d, 1, 2);
        kernels->column_sums(ROWS, ld, begin, end, x, (real)0.7, sums);
        for (size_t c = 0; c < d; c++) {
            double sum = before[c], magnitude = fabs((double)before[c]);
            for (size_t row = 0; row < ROWS && c >= begin && c < end; row++) {
                sum += (real)0.7 * (double)x[row * ld + c];
                magnitude += fabs((double)x[row * ld + c]);
            }
            tolk_test_near("sum", c, sums[c], sum, magnitude, 4);
        }
        free(x), free(sums), free(before);
    }
}

START_TEST(column_sums)
{
    tolk_test_on_each_isa(columns);
}
END_TEST

/* ---- residual and dropout -----------------------------------------------------------------------
 */

static void residual_and_dropout(const struct tolk_row_kernels *kernels)
{
    for (size_t w = 0; w < 2 * WIDTHS; w++) {
        const size_t d = widths[w / 2];
        const struct tolk_dropout_mask mask = mask_of(w % 2);
        real *x = tolk_test_numbers(ROWS * d, 1, 1), *branch = tolk_test_numbers(ROWS * d, 1, 2);
        real *sum = tolk_test_numbers(ROWS * d + 1, 0, 3),
             *dropped = tolk_test_numbers(ROWS * d + 1, 0, 4);
        sum[ROWS * d] = dropped[ROWS * d] = OUTSIDE;
        kernels->residual(ROWS, d, d, FIRST * d, mask, x, branch, sum);
        kernels->dropout(ROWS, d, d, FIRST * d, mask, x, dropped);
        for (size_t i = 0; i < ROWS * d; i++) {
            const double factor = tolk_dropout_factor(mask, (uint32_t)(FIRST * d + i));
            tolk_test_near("residual", i, sum[i], x[i] + factor * branch[i],
                           fabs((double)x[i]) + fabs(factor * branch[i]), 2);
            tolk_test_near("dropout", i, dropped[i], factor * x[i], fabs(factor * x[i]), 1);
        }
        ck_assert(sum[ROWS * d] == OUTSIDE && dropped[ROWS * d] == OUTSIDE);
        free(x), free(branch), free(sum), free(dropped);
    }
}

START_TEST(residual_with_dropout)
{
    tolk_test_on_each_isa(residual_and_dropout);
}
END_TEST

/* ---- activations --------------------------------------------------------------------------------
 */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double activation(enum tolk_activation kind, double x)
{
    return kind == TOLK_RELU    ? (x > 0 ? x : 0)
           : kind == TOLK_SWISH ? x * sigmoid(x)
                                : x * 0.5 * erfc(-x * sqrt(0.5));
}

static double slope(enum tolk_activation kind, double x)
{
    const double s = sigmoid(x), two_pi = 6.283185307179586;
    return kind == TOLK_RELU    ? (x > 0 ? 1 : 0)
           : kind == TOLK_SWISH ? s + x * s * (1 - s)
                                : 0.5 * erfc(-x * sqrt(0.5)) + x * exp(-x * x / 2) / sqrt(two_pi);
}

static void activate(const struct tolk_row_kernels *kernels, enum tolk_activation kind, size_t d,
                     double scale, struct tolk_dropout_mask mask)
{
    real *x = tolk_test_numbers(ROWS * d, scale, 1), *dy = tolk_test_numbers(ROWS * d, 1, 2);
    real *y = tolk_test_numbers(ROWS * d + 1, 0, 3), *dx = tolk_test_numbers(ROWS * d, 1, 2);
    y[ROWS * d] = OUTSIDE;
    kernels->activation_forward(kind, ROWS, d, d, FIRST * d, mask, x, y);
    kernels->activation_backward(kind, ROWS, d, d, FIRST * d, mask, kind == TOLK_RELU ? y : x, dx,
                                 dx); /* in place */
    for (size_t i = 0; i < ROWS * d; i++) {
        const double factor = tolk_dropout_factor(mask, (uint32_t)(FIRST * d + i));
        tolk_test_near("y", i, y[i], factor * activation(kind, x[i]), fabs(factor * x[i]), 8);
        tolk_test_near("dx", i, dx[i], factor * dy[i] * slope(kind, x[i]),
                       fabs(factor * dy[i]) * (1 + fabs((double)x[i])), 8);
    }
    ck_assert(y[ROWS * d] == OUTSIDE);
    free(x), free(dy), free(y), free(dx);
}

static void activations(const struct tolk_row_kernels *kernels)
{
    static const enum tolk_activation kinds[] = {TOLK_RELU, TOLK_SWISH, TOLK_GELU};
    static const double scales[] = {0.01, 1, 10, 200}; /* the last leave the range of exp */
    for (size_t k = 0; k < 3; k++) {
        for (size_t w = 0; w < WIDTHS; w++) {
            for (size_t s = 0; s < 4; s++) {
                activate(kernels, kinds[k], widths[w], scales[s], mask_of(s % 2));
            }
        }
    }
}

START_TEST(activations_and_their_slopes)
{
    tolk_test_on_each_isa(activations);
}
END_TEST

TOLK_SUITE("rows", layer_norm_forward, layer_norm_backward, column_sums, residual_with_dropout,
           activations_and_their_slopes)
