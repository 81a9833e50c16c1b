/* Products of rows of which most numbers are zero, by packed panels (internal to model/). */
#ifndef TOLK_MODEL_SPARSE_H
#define TOLK_MODEL_SPARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/kernels/gemm.h"
#include "model/kernels/int8.h"
#include "model/real.h"

/* C [m, n] of the target = a [m, k], rows lda apart and k <= TOLK_GEMM_KC, by panels that are
 * packed for k steps. False, and nothing done, when it would not pay. m is 1 to
 * TOLK_SPARSE_ROWS. */
bool tolk_sparse_multiply(const struct tolk_sparse_kernels *kernels, size_t m, size_t n, size_t k,
                          const real *a, size_t lda, const real *b_words,
                          const struct tolk_gemm_target *target);

/* The product in 8-bit integers, rows that are mostly zero without their zeros where that pays. */
void tolk_sparse_multiply_int8(const struct tolk_int8_kernels *kernels,
                               const struct tolk_int8_product *product);

#endif
