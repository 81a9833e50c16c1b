/* Products of 8-bit integers with exact sums, compiled once for each instruction set.
 *
 * W [n, k] lies in panels of `columns` rows of W: panel[k / 4][column][4], four steps of k in one
 * 32-bit word (two in one of 16 bits for AVX2), zeros behind the last row and behind the last step,
 * up to a whole grain of steps. A row of x is quantised to k numbers of `number` bytes, rounded up
 * to whole words; up to a whole grain of steps and to a multiple of 16 rows the bytes may be read,
 * whatever they are.
 *
 * y[i, j] = (Σ_p a[i, p] · w[j, p]) · a_scale[i] · scale[j] + bias[j]. The sum is the exact integer
 * on every instruction set, however it is come by: with VNNI the bytes of a are a + 128, unsigned,
 * and 128 · Σ_p w[j, p] is taken off, which is what `offsets` hold; with AVX2 the numbers of a have
 * 16 bits, and w's are widened as they are read; NEON's pairs of 16 bits never exceed 2 · 127². */
#ifndef TOLK_MODEL_KERNELS_INT8_H
#define TOLK_MODEL_KERNELS_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

enum {
    TOLK_INT8_WORD = 4,      /* steps of k in a word of most */
    TOLK_INT8_GRAIN = 64,    /* and in a tile of AMX */
    TOLK_INT8_ROWS = 16,     /* of a in a tile of AMX */
    TOLK_INT8_K_MAX = 65536, /* 255 · 127 · k fits 32 bits */
    TOLK_INT8_COLUMNS_MAX = 32,
    TOLK_INT8_NUMBER_MAX = 2, /* bytes */
    TOLK_INT8_LARGEST = 127,  /* magnitude of a quantised number */
};

/* Steps of k in a panel. */
static inline size_t tolk_int8_padded(size_t k)
{
    return (k + TOLK_INT8_GRAIN - 1) / TOLK_INT8_GRAIN * TOLK_INT8_GRAIN;
}

struct tolk_int8_product {
    size_t m, n, k;
    const int8_t *a; /* [m, k], quantised, rows lda bytes apart */
    size_t lda;
    const real *a_scales; /* [m] */
    const int8_t *panels;
    const real *scales;     /* [n] */
    const int32_t *offsets; /* [n] */
    const real *bias;       /* [n] or NULL */
    bool relu;
    real *y; /* [m, n], rows ldy apart */
    size_t ldy;
};

/* Rows of a, none negative, without the words that are zero: chunk by chunk of the words the others
 * and their places, in order. Chunk c of row i ends before ends[i · chunks + c]. */
struct tolk_int8_sparse {
    size_t chunks;
    const size_t *ends; /* [m, chunks] */
    const int32_t *words;
    const uint32_t *places;
};
enum { TOLK_INT8_SPARSE_ROWS = 84 };

struct tolk_int8_kernels {
    size_t columns; /* of a panel */
    size_t number;  /* bytes of a quantised number of a */

    /* Rows of x to [-127, 127], rounded to nearest even; a_scales[i] is NaN when a number of row i
     * is. */
    void (*quantize)(size_t m, size_t k, const real *x, size_t ldx, int8_t *a, size_t lda,
                     real *a_scales);
    void (*pack)(size_t n, size_t k, const real *w, size_t ldw, int8_t *panels, real *scales,
                 int32_t *offsets);
    void (*multiply)(const struct tolk_int8_product *product);

    /* The rest may be missing, NULL. Steps of k in a word, and words in a chunk. */
    size_t word, chunk;
    /* The words of a row that are not zero, from `first` on, and their places; of both up to a
     * vector more is written. Returns how many, SIZE_MAX when one has a negative number. */
    size_t (*gather)(size_t first, size_t words, const int8_t *a, int32_t *values,
                     uint32_t *places);
    /* The same product of at most TOLK_INT8_SPARSE_ROWS rows; `a` is not read. */
    void (*multiply_sparse)(const struct tolk_int8_product *product,
                            const struct tolk_int8_sparse *rows);
};

extern const struct tolk_int8_kernels tolk_int8_kernels_baseline;
extern const struct tolk_int8_kernels tolk_int8_kernels_neon;
extern const struct tolk_int8_kernels tolk_int8_kernels_avx2;
extern const struct tolk_int8_kernels tolk_int8_kernels_avx512;
extern const struct tolk_int8_kernels tolk_int8_kernels_avx512vnni;
extern const struct tolk_int8_kernels tolk_int8_kernels_amx;

#endif
