#include "model/sparse.h"

#include <assert.h>
#include <stdint.h>

#include "base/memory.h"

enum {
    WORDS_AT_ONCE = TOLK_SPARSE_ROWS * TOLK_GEMM_KC,
    CHUNKS_AT_ONCE = TOLK_SPARSE_ROWS * TOLK_GEMM_KC / TOLK_SPARSE_CHUNK_LEAST,
    /* One word in so many at most that is not zero when it pays to pass over the others: a
     * multiply-add takes longer, since it reads its own vector of B. */
    SHARE = 2,
};

/* What is not zero of some rows: numbers, or words of integers. */
struct gathered {
    union {
        real values[WORDS_AT_ONCE + TOLK_GEMM_COLUMNS_MAX];
        int32_t words[WORDS_AT_ONCE + TOLK_GEMM_COLUMNS_MAX];
    };
    uint32_t places[WORDS_AT_ONCE + TOLK_GEMM_COLUMNS_MAX];
    size_t ends[CHUNKS_AT_ONCE];
};

static _Thread_local void *room; /* struct gathered */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Gathers a [m, k], rows lda apart; false when they are not mostly zero. */
static bool gather(const struct tolk_sparse_kernels *kernels, size_t m, size_t k, const real *a,
                   size_t lda, struct gathered *found, struct tolk_sparse_rows *rows)
{
    size_t count = 0, chunk = 0;
    assert(m > 0);
    for (size_t i = 0; i < m; i++) {
        for (size_t p = 0; p < k; p += kernels->chunk) {
            count += kernels->gather(p, smaller(k - p, kernels->chunk), a + i * lda + p,
                                     found->values + count, found->places + count);
            found->ends[chunk++] = count;
        }
    }
    *rows = (struct tolk_sparse_rows){m, k, chunk / m, found->ends, found->values, found->places};
    return count * SHARE <= m * k;
}

bool tolk_sparse_multiply(const struct tolk_sparse_kernels *kernels, size_t m, size_t n, size_t k,
                          const real *a, size_t lda, const real *b_words,
                          const struct tolk_gemm_target *target)
{
    struct gathered *const found = tolk_memory_of_thread(&room, sizeof *found);
    struct tolk_sparse_rows rows;
    if (!gather(kernels, m, k, a, lda, found, &rows)) {
        return false;
    }
    kernels->multiply(&rows, n, b_words, target);
    return true;
}

/* Gathers quantised rows, `words` long; false when they are not mostly zero, or a number is
 * negative and may not be. */
static bool gather_int8(const struct tolk_int8_kernels *kernels, const struct tolk_int8_product *x,
                        size_t words, struct gathered *found, struct tolk_int8_sparse *rows)
{
    size_t count = 0, chunk = 0;
    assert(x->m > 0);
    for (size_t i = 0; i < x->m; i++) {
        const int8_t *a = x->a + i * x->lda;
        for (size_t p = 0; p < words; p += kernels->chunk) {
            const size_t some =
                kernels->gather(p, smaller(words - p, kernels->chunk), a + p * sizeof(int32_t),
                                found->words + count, found->places + count);
            if (some == SIZE_MAX) {
                return false;
            }
            count += some;
            found->ends[chunk++] = count;
        }
    }
    *rows = (struct tolk_int8_sparse){chunk / x->m, found->ends, found->words, found->places};
    return count * SHARE <= x->m * words;
}

/* Rows of k numbers that are gathered together; 0 when they are too long, or zeros are not passed
 * over. */
static size_t rows_at_once(const struct tolk_int8_kernels *kernels, size_t k)
{
    if (kernels->multiply_sparse == NULL) {
        return 0;
    }
    const size_t words = (k + kernels->word - 1) / kernels->word;
    const size_t chunks = (words + kernels->chunk - 1) / kernels->chunk;
    const size_t rows = smaller(WORDS_AT_ONCE / words, CHUNKS_AT_ONCE / chunks);
    return smaller(rows, TOLK_INT8_SPARSE_ROWS);
}

void tolk_sparse_multiply_int8(const struct tolk_int8_kernels *kernels,
                               const struct tolk_int8_product *product)
{
    const size_t most = rows_at_once(kernels, product->k);
    if (most == 0) {
        kernels->multiply(product);
        return;
    }
    const size_t words = (product->k + kernels->word - 1) / kernels->word;
    struct gathered *const found = tolk_memory_of_thread(&room, sizeof *found);
    for (size_t i = 0; i < product->m; i += most) {
        struct tolk_int8_product some = *product;
        struct tolk_int8_sparse rows;
        some.m = smaller(product->m - i, most);
        some.a += i * product->lda;
        some.a_scales += i;
        some.y += i * product->ldy;
        if (gather_int8(kernels, &some, words, found, &rows)) {
            kernels->multiply_sparse(&some, &rows);
        } else {
            kernels->multiply(&some);
        }
    }
}
