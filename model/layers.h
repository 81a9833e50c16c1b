/* The layers of the Transformer beside attention, forward and backward. Each divides its rows (or,
 * where a sum runs over the rows, its columns) among threads.
 *
 * Gradients of parameters are added to; gradients of activations are stored unless said otherwise.
 */
#ifndef TOLK_MODEL_LAYERS_H
#define TOLK_MODEL_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/dropout.h"
#include "model/gemm.h"
#include "model/parameters.h"
#include "model/real.h"

/* Rows of a block of partial sums. */
enum { TOLK_BLOCK_ROWS = 64 };

/* y = x Wᵀ + b. x [rows, in], ldx apart, y [rows, out], ldy apart. `extras` of the product, or
 * NULL. */
void tolk_linear_forward(const struct tolk_linear *linear, enum tolk_gemm_precision precision,
                         size_t rows, size_t in, size_t out, const real *x, size_t ldx, real *y,
                         size_t ldy, const struct tolk_gemm_extras *extras);
/* dx = (or +=, by `mode`) dy W, dW += dyᵀ x, db += Σ_rows dy. Rows of dx lie as those of x;
 * `extras` of the product that makes dx, or NULL. */
void tolk_linear_backward(const struct tolk_linear *linear, struct tolk_linear *gradient,
                          enum tolk_gemm_precision precision, size_t rows, size_t in, size_t out,
                          const real *x, size_t ldx, const real *dy, size_t lddy,
                          enum tolk_gemm_mode mode, real *dx,
                          const struct tolk_gemm_extras *extras);

/* sums[c] += scale · Σ_rows x[row, c]. x [rows, columns]. */
void tolk_column_sums(size_t rows, size_t columns, const real *x, real scale, real *sums);

/* A sum over rows that is taken along with something else is taken in blocks of rows, the blocks
 * divided among threads and added in their order: the same bits for any number of threads. The sums
 * of the blocks need room for so many numbers, `columns` for each block. */
size_t tolk_row_blocks(size_t rows);
size_t tolk_partial_sums_size(size_t rows, size_t columns);

/* x, y [rows, d]; mean and rstd [rows] are kept for the backward pass. */
void tolk_layer_norm_forward(const struct tolk_layer_norm *norm, size_t rows, size_t d,
                             const real *x, real *y, real *mean, real *rstd);
/* dx += … when `accumulate`; else dx may be dy. `partial` is room for sums of 2 d columns. */
void tolk_layer_norm_backward(const struct tolk_layer_norm *norm, struct tolk_layer_norm *gradient,
                              size_t rows, size_t d, const real *x, const real *mean,
                              const real *rstd, const real *dy, bool accumulate, real *dx,
                              real *partial);

/* y = x + dropout(branch), y = dropout(x); [rows, d]. */
void tolk_residual(size_t rows, size_t d, struct tolk_dropout_mask mask, const real *x,
                   const real *branch, real *y);
void tolk_dropout_apply(size_t rows, size_t d, struct tolk_dropout_mask mask, const real *x,
                        real *y);

#endif
