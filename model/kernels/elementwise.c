/* Residual connections, dropout, activations, and the sums over rows that bias gradients are. */
#include "model/kernels/rows_internal.h"

enum { SUMS = 4 }; /* vectors of sums that stay in registers over all rows */

/* Of the last vector the first `part` numbers are meant, unless that is 0. `vectors`, and whether
 * `part` is 0, are constants after inlining. */
static inline __attribute__((always_inline)) void sum_columns(size_t vectors, size_t part,
                                                              size_t rows, size_t ld, const real *x,
                                                              real scale, real *sums)
{
    tolk_vector sum[SUMS];
    TOLK_UNROLL
    for (size_t v = 0; v < vectors; v++) {
        real *at = sums + v * TOLK_LANES;
        sum[v] = v + 1 < vectors || part == 0 ? tolk_load(at) : tolk_load_part(at, part);
    }
    for (size_t row = 0; row < rows; row++, x += ld) {
        TOLK_UNROLL
        for (size_t v = 0; v < vectors; v++) {
            const real *at = x + v * TOLK_LANES;
            sum[v] +=
                scale * (v + 1 < vectors || part == 0 ? tolk_load(at) : tolk_load_part(at, part));
        }
    }
    TOLK_UNROLL
    for (size_t v = 0; v < vectors; v++) {
        real *at = sums + v * TOLK_LANES;
        if (v + 1 < vectors || part == 0) {
            tolk_store(at, sum[v]);
        } else {
            tolk_store_part(at, sum[v], part);
        }
    }
}

void TOLK_KERNEL(tolk_column_sums)(size_t rows, size_t ld, size_t begin, size_t end, const real *x,
                                   real scale, real *sums)
{
    size_t c = begin;
    for (; c + SUMS * TOLK_LANES <= end; c += SUMS * TOLK_LANES) {
        sum_columns(SUMS, 0, rows, ld, x + c, scale, sums + c);
    }
    const size_t part = (end - c) % TOLK_LANES;
    switch ((end - c) / TOLK_LANES * 2 + (part > 0)) {
#define WHOLE_AND_PART(whole)                                                                      \
    case 2 * (whole):                                                                              \
        sum_columns(whole, 0, rows, ld, x + c, scale, sums + c);                                   \
        break;                                                                                     \
    case 2 * (whole) + 1:                                                                          \
        sum_columns((whole) + 1, part, rows, ld, x + c, scale, sums + c);                          \
        break;
        WHOLE_AND_PART(0)
        WHOLE_AND_PART(1)
        WHOLE_AND_PART(2)
        WHOLE_AND_PART(3)
#undef WHOLE_AND_PART
    }
}

void TOLK_KERNEL(tolk_residual)(size_t rows, size_t columns, size_t ld, size_t index,
                                struct tolk_dropout_mask mask, const real *x, const real *branch,
                                real *y)
{
    for (size_t row = 0; row < rows; row++, x += ld, branch += ld, y += ld, index += ld) {
        if (mask.threshold == 0) {
#pragma omp simd
            for (size_t c = 0; c < columns; c++) {
                y[c] = x[c] + branch[c];
            }
            continue;
        }
#pragma omp simd
        for (size_t c = 0; c < columns; c++) {
            y[c] = x[c] + tolk_dropout_factor(mask, (uint32_t)(index + c)) * branch[c];
        }
    }
}

void TOLK_KERNEL(tolk_dropout)(size_t rows, size_t columns, size_t ld, size_t index,
                               struct tolk_dropout_mask mask, const real *x, real *y)
{
    for (size_t row = 0; row < rows; row++, x += ld, y += ld, index += ld) {
        if (mask.threshold == 0) {
            memmove(y, x, columns * sizeof *y);
            continue;
        }
#pragma omp simd
        for (size_t c = 0; c < columns; c++) {
            y[c] = tolk_dropout_factor(mask, (uint32_t)(index + c)) * x[c];
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

void TOLK_KERNEL(tolk_activation_forward)(enum tolk_activation activation, size_t rows,
                                          size_t columns, size_t ld, size_t index,
                                          struct tolk_dropout_mask mask, const real *x, real *y)
{
    for (size_t row = 0; row < rows; row++, x += ld, y += ld, index += ld) {
        switch (activation) {
        case TOLK_RELU:
#pragma omp simd
            for (size_t c = 0; c < columns; c++) {
                y[c] = x[c] > 0 ? x[c] : x[c] * 0; /* not 0: a NaN stays one */
            }
            break;
        case TOLK_SWISH:
#pragma omp simd
            for (size_t c = 0; c < columns; c++) {
                y[c] = x[c] * sigmoid(x[c]);
            }
            break;
        case TOLK_GELU:
            for (size_t c = 0; c < columns; c++) {
                y[c] = x[c] * normal_cdf(x[c]);
            }
            break;
        }
        if (mask.threshold != 0) {
            TOLK_KERNEL(tolk_dropout)(1, columns, ld, index, mask, y, y);
        }
    }
}

void TOLK_KERNEL(tolk_activation_backward)(enum tolk_activation activation, size_t rows,
                                           size_t columns, size_t ld, size_t index,
                                           struct tolk_dropout_mask mask, const real *x,
                                           const real *dy, real *dx)
{
    for (size_t row = 0; row < rows; row++, x += ld, dy += ld, dx += ld, index += ld) {
        const real *g = dy;
        if (activation != TOLK_RELU && mask.threshold != 0) {
            TOLK_KERNEL(tolk_dropout)(1, columns, ld, index, mask, dy, dx);
            g = dx;
        }
        switch (activation) {
        case TOLK_RELU:
#pragma omp simd
            for (size_t c = 0; c < columns; c++) {
                dx[c] = x[c] > 0 ? mask.scale * g[c] : 0;
            }
            break;
        case TOLK_SWISH:
#pragma omp simd
            for (size_t c = 0; c < columns; c++) {
                const real s = sigmoid(x[c]);
                dx[c] = g[c] * (s + x[c] * s * (1 - s));
            }
            break;
        case TOLK_GELU:
            for (size_t c = 0; c < columns; c++) {
                dx[c] = g[c] * (normal_cdf(x[c]) + x[c] * normal_density(x[c]));
            }
            break;
        }
    }
}
