/* The part of a matrix product that is compiled once for each instruction set: packing, and the
 * product of two packed blocks. model/gemm.c cuts the matrices into blocks and calls these.
 *
 *     A block, up to TOLK_GEMM_MC x KC               B block, up to KC x TOLK_GEMM_NC
 *     in tiles of `rows` rows                        in panels of `columns` columns
 *
 * Both hold *words*: a word is one real, or a pair of bfloat16 in the bits of one float, which join
 * two steps of k. A number may be of several terms, each in a word of its own (bfloat16.h).
 *
 * A matrix is packed *along* when k runs along its rows, *across* when k counts its rows:
 *
 *     A along   tile[row][k], TOLK_GEMM_ROW_STEP words a row, a plain copy of rows
 *     A across  tile[k][row]
 *     B         panel[k][column], the last panel filled with zeros; along, this is a transposition
 *
 * References: Goto and van de Geijn, Anatomy of high-performance matrix multiplication (2008); Van
 * Zee and van de Geijn, BLIS (2015), whose names MC, KC, NC these are. */
#ifndef TOLK_MODEL_KERNELS_GEMM_H
#define TOLK_MODEL_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

enum {
    TOLK_GEMM_KC = 512,
    TOLK_GEMM_MC = 56, /* of most kernels */
    TOLK_GEMM_MC_MAX = 128,
    TOLK_GEMM_B_WORDS =
        768 * TOLK_GEMM_KC, /* NC is what this holds: the wider, the fewer steps of k */
    TOLK_GEMM_ROWS_MAX = 16,
    TOLK_GEMM_COLUMNS_MAX = 64,
    /* One cache line more than KC, so that the rows of a tile fall into different cache sets. */
    TOLK_GEMM_ROW_STEP = TOLK_GEMM_KC + 64 / sizeof(real),
    /* What a thread's buffers hold, in words: whole tiles and panels, and one vector of slack. */
    TOLK_GEMM_A_WORDS = (TOLK_GEMM_MC_MAX + TOLK_GEMM_ROWS_MAX) * TOLK_GEMM_ROW_STEP,
};

enum tolk_gemm_packing { TOLK_ALONG, TOLK_ACROSS };

/* What is needed next: brought into the second-level cache while the processor multiplies. */
struct tolk_gemm_ahead {
    const real *from; /* [rows, width], `step` apart */
    size_t rows, width, step;
    /* One row, a part of it at each step of k: for a B that comes from memory as fast as it is
     * multiplied. Else some rows now and then. With A [TOLK_ALONG], k > 0 and n of whole panels
     * alone. */
    bool evenly;
};

/* Where a block of C lies and what is done with the sums. */
struct tolk_gemm_target {
    real *c; /* [m, n], ldc apart */
    size_t ldc;
    int accumulate;   /* C += sums, else C = sums (+ bias) */
    const real *bias; /* [n] or NULL */
};

/* Whether so many numbers between the rows of A let a tile of them fall into the same sets of the
 * first-level cache, which repeat over a page. Rows of reals that do not are read where they lie.
 */
static inline bool tolk_gemm_rows_alias(size_t lda)
{
    return lda % (4096 / sizeof(real)) == 0;
}

struct tolk_sparse_kernels;

struct tolk_gemm_kernels {
    size_t rows, columns; /* of a tile */
    size_t lanes;         /* reals in a vector: a width that divides C well */
    size_t step;          /* k is packed in so many steps at once, filled with zeros. 1: A along may
                             be read where its rows lie, `a_step` apart */
    size_t step_words;    /* which take so many words of a row or column */
    size_t kc;            /* steps of k in a block */
    size_t mc;            /* rows of a block of A, in kc steps at most TOLK_GEMM_A_WORDS */
    size_t b_words;       /* that a block of B holds: at most TOLK_GEMM_B_WORDS */
    const struct tolk_sparse_kernels *sparse; /* by the same panels; NULL: there are none */

    /* `k` counts reals, k <= kc. pack_a[TOLK_ALONG]: a [m, k]; [TOLK_ACROSS]: a [k, m].
     * pack_b[TOLK_ALONG]: b [n, k]; [TOLK_ACROSS]: b [k, n]. `words` is 64-byte aligned. */
    void (*pack_a[2])(size_t m, size_t k, const real *a, size_t lda, real *words);
    void (*pack_b[2])(size_t n, size_t k, const real *b, size_t ldb, real *words);

    /* Multiplies the packed blocks. Each element of C is summed in the order of k alone, whatever
     * the tile that it falls into: bits do not depend on m, n or where a block begins. k may be 0.
     * a_step is the distance between the rows of A [TOLK_ALONG]. */
    void (*multiply)(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, size_t a_step, const real *b_words,
                     const struct tolk_gemm_target *target, const struct tolk_gemm_ahead *ahead);
};

/* Rows of A [m, k] of which most numbers are zero, without those: chunk by chunk of the steps the
 * others and their steps, in order. Chunk c of row i ends before ends[i · chunks + c], where the
 * next begins. */
struct tolk_sparse_rows {
    size_t m, k, chunks; /* m at most TOLK_SPARSE_ROWS */
    const size_t *ends;  /* [m, chunks] */
    const real *values;
    const uint32_t *steps;
};
enum { TOLK_SPARSE_ROWS = 84, TOLK_SPARSE_CHUNK_LEAST = 32 };

struct tolk_sparse_kernels {
    size_t chunk; /* steps, at least TOLK_SPARSE_CHUNK_LEAST */

    /* The numbers of x [k] that are not zero, and their steps, of which the first is p; returns how
     * many. Of both up to a vector more is written. */
    size_t (*gather)(size_t p, size_t k, const real *x, real *values, uint32_t *steps);
    /* C [m, n] by the panels of B as they are packed for k steps, and to the same bits unless a
     * number of B is none. */
    void (*multiply)(const struct tolk_sparse_rows *a, size_t n, const real *b_words,
                     const struct tolk_gemm_target *target);
};

extern const struct tolk_sparse_kernels tolk_sparse_kernels_baseline;
extern const struct tolk_sparse_kernels tolk_sparse_kernels_neon;
extern const struct tolk_sparse_kernels tolk_sparse_kernels_avx2;
extern const struct tolk_sparse_kernels tolk_sparse_kernels_avx512;

extern const struct tolk_gemm_kernels tolk_gemm_kernels_baseline;
extern const struct tolk_gemm_kernels tolk_gemm_kernels_neon;
extern const struct tolk_gemm_kernels tolk_gemm_kernels_avx2;
extern const struct tolk_gemm_kernels tolk_gemm_kernels_avx512;
extern const struct tolk_gemm_kernels tolk_gemm_bfloat16_kernels_avx512bf16;
extern const struct tolk_gemm_kernels
    tolk_gemm_bfloat16_kernels_amx; /* tiles of their own: gemm_amx.c */
extern const struct tolk_gemm_kernels tolk_gemm_kernels_amx;

/* How far k of them reaches in packed panels. */
static inline size_t tolk_gemm_words(const struct tolk_gemm_kernels *kernels, size_t k)
{
    return (k + kernels->step - 1) / kernels->step * kernels->step_words;
}

#endif
