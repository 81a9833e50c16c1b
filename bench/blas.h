/* Products by the libraries of others, where the system has them: OpenBLAS and oneDNN, loaded at
 * run time so that nothing needs them to build. */
#ifndef TOLK_BENCH_BLAS_H
#define TOLK_BENCH_BLAS_H

#include <stddef.h>

#include "model/gemm.h"

struct bench_product {
    enum tolk_gemm_layout layout;
    enum tolk_gemm_mode mode;
    size_t m, n, k;
    const real *a;
    size_t lda;
    const real *b;
    size_t ldb;
    real *c;
    size_t ldc;
};

struct bench_blas {
    const char *name;
    void (*multiply)(const struct bench_product *product);
};

/* Those that could be loaded, told to use so many threads; their number. */
enum { BENCH_BLAS_MOST = 2 };
size_t bench_blas_load(struct bench_blas libraries[BENCH_BLAS_MOST], int threads);

#endif
