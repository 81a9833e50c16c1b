/* Residual connections, dropout, activations, and the sums over rows that bias gradients are. */
#include "model/kernels/rows_internal.h"

void TOLK_KERNEL(tolk_column_sums)(size_t rows, size_t ld, size_t begin, size_t end, const real *x,
                                   real scale, real *sums)
{
    for (size_t row = 0; row < rows; row++, x += ld) {
#pragma omp simd
        for (size_t c = begin; c < end; c++) {
            sums[c] += scale * x[c];
        }
    }
}

void TOLK_KERNEL(tolk_residual)(size_t rows, size_t d, size_t first, struct tolk_dropout_mask mask,
                                const real *x, const real *branch, real *y)
{
    for (size_t row = 0; row < rows; row++, x += d, branch += d, y += d) {
        const uint32_t index = (uint32_t)((first + row) * d);
        if (mask.threshold == 0) {
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                y[c] = x[c] + branch[c];
            }
            continue;
        }
#pragma omp simd
        for (size_t c = 0; c < d; c++) {
            y[c] = x[c] + tolk_dropout_factor(mask, index + (uint32_t)c) * branch[c];
        }
    }
}

void TOLK_KERNEL(tolk_dropout)(size_t rows, size_t d, size_t first, struct tolk_dropout_mask mask,
                               const real *x, real *y)
{
    for (size_t row = 0; row < rows; row++, x += d, y += d) {
        const uint32_t index = (uint32_t)((first + row) * d);
        if (mask.threshold == 0) {
            memmove(y, x, d * sizeof *y);
            continue;
        }
#pragma omp simd
        for (size_t c = 0; c < d; c++) {
            y[c] = tolk_dropout_factor(mask, index + (uint32_t)c) * x[c];
        }
    }
}

/* σ(x) */
static inline real sigmoid(real x)
{
    return 1 / (1 + tolk_exp(-x));
}

/* Φ(x), the normal distribution, as GELU has it (Hendrycks & Gimpel 2016). */
static inline real normal_cdf(real x)
{
    const real sqrt_half = (real)0.70710678118654752440;
    return (real)0.5 * (1 + (real)erf((double)(x * sqrt_half)));
}

static inline real normal_density(real x)
{
    const real inverse_sqrt_two_pi = (real)0.39894228040143267794;
    return inverse_sqrt_two_pi * tolk_exp(-x * x / 2);
}

void TOLK_KERNEL(tolk_activation_forward)(enum tolk_activation activation, size_t rows, size_t d,
                                          size_t first, struct tolk_dropout_mask mask,
                                          const real *x, real *y)
{
    for (size_t row = 0; row < rows; row++, x += d, y += d) {
        switch (activation) {
        case TOLK_RELU:
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                y[c] = x[c] > 0 ? x[c] : x[c] * 0; /* not 0: a NaN stays one */
            }
            break;
        case TOLK_SWISH:
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                y[c] = x[c] * sigmoid(x[c]);
            }
            break;
        case TOLK_GELU:
            for (size_t c = 0; c < d; c++) {
                y[c] = x[c] * normal_cdf(x[c]);
            }
            break;
        }
        if (mask.threshold != 0) {
            TOLK_KERNEL(tolk_dropout)(1, d, first + row, mask, y, y);
        }
    }
}

void TOLK_KERNEL(tolk_activation_backward)(enum tolk_activation activation, size_t rows, size_t d,
                                           size_t first, struct tolk_dropout_mask mask,
                                           const real *x, const real *dy, real *dx, real *sums)
{
    for (size_t row = 0; row < rows; row++, x += d, dy += d, dx += d) {
        const real *g = dy;
        if (mask.threshold != 0) {
            TOLK_KERNEL(tolk_dropout)(1, d, first + row, mask, dy, dx);
            g = dx;
        }
        switch (activation) {
        case TOLK_RELU:
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                dx[c] = x[c] > 0 ? g[c] : 0;
            }
            break;
        case TOLK_SWISH:
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                const real s = sigmoid(x[c]);
                dx[c] = g[c] * (s + x[c] * s * (1 - s));
            }
            break;
        case TOLK_GELU:
            for (size_t c = 0; c < d; c++) {
                dx[c] = g[c] * (normal_cdf(x[c]) + x[c] * normal_density(x[c]));
            }
            break;
        }
#pragma omp simd
        for (size_t c = 0; c < d; c++) {
            sums[c] += dx[c];
        }
    }
}
