#include "bench/blas.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

/* As cblas.h and dnnl.h declare them. */
enum { CBLAS_ROW_MAJOR = 101, CBLAS_PLAIN = 111, CBLAS_TRANSPOSED = 112 };
typedef void cblas_sgemm_type(int order, int transpose_a, int transpose_b, int m, int n, int k,
                              float alpha, const float *a, int lda, const float *b, int ldb,
                              float beta, float *c, int ldc);
typedef int dnnl_sgemm_type(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k,
                            float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                            float beta, float *c, int64_t ldc);

static cblas_sgemm_type *cblas_sgemm;
static dnnl_sgemm_type *dnnl_sgemm;

static void by_openblas(const struct bench_product *p)
{
    cblas_sgemm(CBLAS_ROW_MAJOR, p->layout == TOLK_TN ? CBLAS_TRANSPOSED : CBLAS_PLAIN,
                p->layout == TOLK_NT ? CBLAS_TRANSPOSED : CBLAS_PLAIN, (int)p->m, (int)p->n,
                (int)p->k, 1, p->a, (int)p->lda, p->b, (int)p->ldb, p->mode == TOLK_ACCUMULATE,
                p->c, (int)p->ldc);
}

static void by_onednn(const struct bench_product *p)
{
    dnnl_sgemm(p->layout == TOLK_TN ? 'T' : 'N', p->layout == TOLK_NT ? 'T' : 'N', (int64_t)p->m,
               (int64_t)p->n, (int64_t)p->k, 1, p->a, (int64_t)p->lda, p->b, (int64_t)p->ldb,
               p->mode == TOLK_ACCUMULATE, p->c, (int64_t)p->ldc);
}

/* The function of that name in the first of the files that can be loaded, into `*function`. */
static void *find(const char *const *files, const char *name, void *function)
{
    void *library = NULL;
    for (; library == NULL && *files != NULL; files++) {
        library = dlopen(*files, RTLD_NOW | RTLD_LOCAL);
    }
    void *const symbol = library != NULL ? dlsym(library, name) : NULL;
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL ? library : NULL;
}

size_t bench_blas_load(struct bench_blas libraries[BENCH_BLAS_MOST], int threads)
{
    static const char *const openblas[] = {"libopenblas.so.0", "libopenblas.so", NULL};
    static const char *const onednn[] = {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", NULL};
    size_t count = 0;
    void *const library = find(openblas, "cblas_sgemm", &cblas_sgemm);
    if (library != NULL) {
        void (*set_threads)(int) = NULL;
        if (find(openblas, "openblas_set_num_threads", &set_threads) != NULL) {
            set_threads(threads);
        }
        libraries[count++] = (struct bench_blas){"OpenBLAS", by_openblas};
    }
    if (find(onednn, "dnnl_sgemm", &dnnl_sgemm) != NULL) {
        libraries[count++] = (struct bench_blas){"oneDNN", by_onednn};
    }
    return count;
}
