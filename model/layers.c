#include "model/layers.h"

#include <string.h>

#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/parallel.h"

/* Whole cache lines of a row, so that no two threads write the same line. */
enum { COLUMN_GRAIN = 64 / sizeof(real) };

void tolk_linear_forward(const struct tolk_linear *linear, enum tolk_gemm_precision precision,
                         size_t rows, size_t in, size_t out, const real *x, size_t ldx, real *y,
                         size_t ldy, const struct tolk_gemm_extras *extras)
{
    /* y[rows, out] = x[rows, in] · Wᵀ[in, out] + b */
    tolk_gemm_with(extras, precision, TOLK_NT, TOLK_STORE, rows, out, in, x, ldx, linear->weight,
                   in, linear->bias, y, ldy);
}

void tolk_linear_backward(const struct tolk_linear *linear, struct tolk_linear *gradient,
                          enum tolk_gemm_precision precision, size_t rows, size_t in, size_t out,
                          const real *x, size_t ldx, const real *dy, size_t lddy,
                          enum tolk_gemm_mode mode, real *dx, const struct tolk_gemm_extras *extras)
{
    /* db[out] += Σ_rows dy[rows, out] */
    const struct tolk_gemm_extras of_bias = {.sums = gradient->bias};
    /* dx[rows, in] = dy[rows, out] · W[out, in] */
    tolk_gemm_with(extras, precision, TOLK_NN, mode, rows, in, out, dy, lddy, linear->weight, in,
                   NULL, dx, ldx);
    /* dW[out, in] += dyᵀ[out, rows] · x[rows, in] */
    tolk_gemm_with(&of_bias, precision, TOLK_TN, TOLK_ACCUMULATE, out, in, rows, dy, lddy, x, ldx,
                   NULL, gradient->weight, in);
}

void tolk_column_sums(size_t rows, size_t columns, const real *x, real scale, real *sums)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
#pragma omp parallel if (rows * columns >= TOLK_PARALLEL_NUMBERS)
    {
        size_t begin, end;
        tolk_share(columns, COLUMN_GRAIN, &begin, &end);
        kernels->column_sums(rows, columns, begin, end, x, scale, sums);
    }
}

void tolk_layer_norm_forward(const struct tolk_layer_norm *norm, size_t rows, size_t d,
                             const real *x, real *y, real *mean, real *rstd)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
#pragma omp parallel if (rows * d >= TOLK_PARALLEL_NUMBERS)
    {
        size_t begin, end;
        tolk_share(rows, 1, &begin, &end);
        kernels->layer_norm_forward(end - begin, d, x + begin * d, norm->weight, norm->bias,
                                    y + begin * d, mean + begin, rstd + begin);
    }
}

size_t tolk_row_blocks(size_t rows)
{
    return (rows + TOLK_BLOCK_ROWS - 1) / TOLK_BLOCK_ROWS;
}

static size_t rows_of_block(size_t rows, size_t first)
{
    return rows - first < TOLK_BLOCK_ROWS ? rows - first : TOLK_BLOCK_ROWS;
}

size_t tolk_partial_sums_size(size_t rows, size_t columns)
{
    return tolk_row_blocks(rows) * columns;
}

void tolk_layer_norm_backward(const struct tolk_layer_norm *norm, struct tolk_layer_norm *gradient,
                              size_t rows, size_t d, const real *x, const real *mean,
                              const real *rstd, const real *dy, bool accumulate, real *dx,
                              real *partial)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
    const size_t blocks = tolk_row_blocks(rows);
    real *const weights = partial;
    real *const biases = partial + blocks * d;
    memset(partial, 0, 2 * blocks * d * sizeof *partial);
#pragma omp parallel for schedule(static) if (rows * d >= TOLK_PARALLEL_NUMBERS)
    for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * TOLK_BLOCK_ROWS;
        kernels->layer_norm_backward(rows_of_block(rows, first), d, x + first * d, norm->weight,
                                     mean + first, rstd + first, dy + first * d, accumulate,
                                     dx + first * d, weights + block * d, biases + block * d);
    }
    tolk_column_sums(blocks, d, weights, 1, gradient->weight);
    tolk_column_sums(blocks, d, biases, 1, gradient->bias);
}

void tolk_residual(size_t rows, size_t d, struct tolk_dropout_mask mask, const real *x,
                   const real *branch, real *y)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
#pragma omp parallel if (rows * d >= TOLK_PARALLEL_NUMBERS)
    {
        size_t begin, end;
        tolk_share(rows, 1, &begin, &end);
        kernels->residual(end - begin, d, d, begin * d, mask, x + begin * d, branch + begin * d,
                          y + begin * d);
    }
}

void tolk_dropout_apply(size_t rows, size_t d, struct tolk_dropout_mask mask, const real *x,
                        real *y)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
#pragma omp parallel if (rows * d >= TOLK_PARALLEL_NUMBERS)
    {
        size_t begin, end;
        tolk_share(rows, 1, &begin, &end);
        kernels->dropout(end - begin, d, d, begin * d, mask, x + begin * d, y + begin * d);
    }
}
