/* Matrix products: C = op(A) · op(B), the work of the whole program.
 *
 * Row-major matrices, `lda` … the distance between rows. The three layouts of a linear layer
 * y = x Wᵀ, W [out, in], are
 *
 *     forward             y[n, out]  = x[n, in]  · Wᵀ        TOLK_NT
 *     gradient of input   dx[n, in]  = dy[n, out] · W        TOLK_NN
 *     gradient of weight  dW[out, in] += dyᵀ[out, n] · x     TOLK_TN
 *
 * OpenMP divides C among the threads and never the sum over k: the same bits for any number of
 * threads. Inside a parallel region a call runs on the calling thread alone. */
#ifndef TOLK_MODEL_GEMM_H
#define TOLK_MODEL_GEMM_H

#include <stddef.h>

#include "model/real.h"

enum tolk_gemm_layout {
    TOLK_NN, /* A [m, k], B [k, n] */
    TOLK_NT, /* A [m, k], B [n, k] */
    TOLK_TN, /* A [k, m], B [k, n] */
};

enum tolk_gemm_mode {
    TOLK_STORE,      /* C = A · B (+ bias) */
    TOLK_ACCUMULATE, /* C += A · B */
};

/* C [m, n]. `bias` [n] is added to each row, NULL for none (TOLK_STORE only). m, n or k may be 0
 * (k = 0 stores the bias, or zero). C overlaps neither A nor B. */
void tolk_gemm(enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m, size_t n, size_t k,
               const real *a, size_t lda, const real *b, size_t ldb, const real *bias, real *c,
               size_t ldc);

/* What the operands are multiplied as. C, bias and all sums are real in either. On AMX a float in
 * TOLK_REAL is three bfloat16 terms (kernels/amx_product.h): a product is within 2^-22 of itself,
 * and from k = 8 on sums are as near as those of float32. That holds for factors above 2^-102 and
 * products above 2^-100, since terms and products of terms below 2^-126 count as zero; and an
 * infinity, also one of a product, makes a NaN. */
enum tolk_gemm_precision {
    TOLK_REAL,
    TOLK_BFLOAT16, /* A and B rounded to bfloat16, nearest even; denormals count as zero */
};

/* Whether the instruction set in use multiplies bfloat16; where not, TOLK_BFLOAT16 means TOLK_REAL.
 */
int tolk_gemm_has_bfloat16(void);

/* tolk_gemm is this with TOLK_REAL. */
void tolk_gemm_in(enum tolk_gemm_precision precision, enum tolk_gemm_layout layout,
                  enum tolk_gemm_mode mode, size_t m, size_t n, size_t k, const real *a, size_t lda,
                  const real *b, size_t ldb, const real *bias, real *c, size_t ldc);

/* What else is done while the numbers lie in the cache. */
struct tolk_gemm_extras {
    /* Called for each rectangle of C when its sums are complete, by the thread that made them.
     * Rectangles cover C once; how they are cut depends on the threads. NULL: nothing. */
    void (*finish)(const void *context, size_t row, size_t rows, size_t column, size_t columns);
    const void *context;
    /* TOLK_TN: sums[m] += Σ_k A[k, m], in an order that is the same for any number of threads.
     * NULL: none. */
    real *sums;
};

/* tolk_gemm_in is this without extras (NULL). */
void tolk_gemm_with(const struct tolk_gemm_extras *extras, enum tolk_gemm_precision precision,
                    enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m, size_t n,
                    size_t k, const real *a, size_t lda, const real *b, size_t ldb,
                    const real *bias, real *c, size_t ldc);

/* A distance between rows of so many numbers at which the products may read them where they lie. */
size_t tolk_gemm_row_distance(size_t columns);

#endif
