/* The kernels of gemm.h on the tiles of Intel AMX (amx_product.h): of operands rounded to bfloat16,
 * and of float32 in three terms. */
#include "model/kernels/amx_product.h"
#include "model/kernels/transpose.h"

enum {
    SIDE = TOLK_AMX_SIDE,
    STEPS = TOLK_AMX_STEPS,
    TERMS = TOLK_BFLOAT16_TERMS,
};

typedef tolk_vector vector;

#define INLINE TOLK_AMX_INLINE
#define UNROLL TOLK_UNROLL

INLINE size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- packing ------------------------------------------------------------------------------------
 */

/* Row i of a tile, of numbers rounded: row i of x when it runs along k, else the pair of rows from
 * 2 i on. */
INLINE vector rounded(bool along, size_t i, size_t count, size_t k, const real *x, size_t ldx)
{
    if (along) {
        return i < count ? tolk_bfloat16_along(k, x + i * ldx) : (vector){0};
    }
    const size_t p = i * TOLK_BFLOAT16_PAIR;
    const real *row = x + p * ldx;
    return p < k ? tolk_bfloat16_across(count, row, p + 1 < k ? row + ldx : NULL) : (vector){0};
}

/* A vector of x at (row, column), zeros where x has no numbers. */
INLINE vector part_of(size_t rows, size_t columns, const real *x, size_t ldx, size_t row,
                      size_t column)
{
    if (row >= rows || column >= columns) {
        return (vector){0};
    }
    x += row * ldx + column;
    return columns - column >= SIDE ? tolk_load(x) : tolk_load_part(x, columns - column);
}

/* The same in three terms. A word joins two steps of k that lie SIDE apart: whole vectors. */
INLINE void split(bool along, size_t i, size_t count, size_t k, const real *x, size_t ldx,
                  vector words[TERMS])
{
    if (along) {
        tolk_bfloat16_split(part_of(count, k, x, ldx, i, 0), part_of(count, k, x, ldx, i, SIDE),
                            words);
    } else {
        tolk_bfloat16_split(part_of(k, count, x, ldx, i, 0), part_of(k, count, x, ldx, SIDE + i, 0),
                            words);
    }
}

/* A tile for each term: `count` rows or columns, k steps of them. Those of A lie as x does when it
 * runs along k, those of B when it runs across; else the square is turned. */
INLINE void pack_tiles(size_t terms, bool along, bool turned, size_t count, size_t k, const real *x,
                       size_t ldx, real *tiles)
{
    vector squares[TERMS][SIDE];
    UNROLL
    for (size_t i = 0; i < SIDE; i++) {
        vector words[TERMS];
        if (terms == 1) {
            words[0] = rounded(along, i, count, k, x, ldx);
        } else {
            split(along, i, count, k, x, ldx, words);
        }
        UNROLL
        for (size_t t = 0; t < terms; t++) {
            if (turned) {
                squares[t][i] = words[t];
            } else {
                tolk_store(tiles + t * TOLK_AMX_TILE + i * TOLK_AMX_WORDS, words[t]);
            }
        }
    }
    UNROLL
    for (size_t t = 0; turned && t < terms; t++) {
        tolk_transpose(squares[t]);
        UNROLL
        for (size_t i = 0; i < SIDE; i++) {
            tolk_store(tiles + t * TOLK_AMX_TILE + i * TOLK_AMX_WORDS, squares[t][i]);
        }
    }
}

INLINE void pack_any_tiles(size_t terms, bool along, bool turned, size_t count, size_t k,
                           const real *x, size_t ldx, real *tiles)
{
    if (count >= SIDE && k >= STEPS) {
        pack_tiles(terms, along, turned, SIDE, STEPS, x, ldx, tiles);
    } else {
        pack_tiles(terms, along, turned, smaller(count, SIDE), smaller(k, STEPS), x, ldx, tiles);
    }
}

/* x [n, k], a strip after the other. */
INLINE void pack_along(size_t terms, bool turned, size_t n, size_t k, const real *x, size_t ldx,
                       real *words)
{
    for (size_t i = 0; i < n; i += SIDE) {
        for (size_t p = 0; p < k; p += STEPS, words += terms * TOLK_AMX_TILE) {
            pack_any_tiles(terms, true, turned, n - i, k - p, x + i * ldx + p, ldx, words);
        }
    }
}

/* x [k, n], from end to end of a few rows before the next, since memory is read so. */
INLINE void pack_across(size_t terms, bool turned, size_t n, size_t k, const real *x, size_t ldx,
                        real *words)
{
    const size_t strip = SIDE * tolk_amx_words(terms, k);
    for (size_t p = 0; p < k; p += STEPS, words += terms * TOLK_AMX_TILE) {
        for (size_t i = 0; i < n; i += SIDE) {
            pack_any_tiles(terms, false, turned, n - i, k - p, x + p * ldx + i, ldx,
                           words + i / SIDE * strip);
        }
    }
}

/* ---- the product --------------------------------------------------------------------------------
 */

/* The block of C after the one at (row, column). */
INLINE struct tolk_amx_ahead ahead_of(size_t terms, const struct tolk_amx_product *x, size_t row,
                                      size_t column)
{
    const struct tolk_gemm_target *t = x->target;
    const bool same_rows = column + TOLK_AMX_BLOCK < x->n;
    const size_t rows = smaller(x->m - row, TOLK_AMX_BLOCK);
    return (struct tolk_amx_ahead){
        .from = same_rows ? t->c + row * t->ldc + column + TOLK_AMX_BLOCK
                          : t->c + (row + TOLK_AMX_BLOCK) * t->ldc,
        .rows = rows,
        .step = t->ldc,
        .each = rows / (x->words / TOLK_AMX_WORDS / terms + 1) + 1,
    };
}

/* Along the rows of C: memory likes that better than columns. */
INLINE void multiply(size_t terms, size_t m, size_t n, size_t k, const real *a, const real *b,
                     const struct tolk_gemm_target *target)
{
    const struct tolk_amx_product product = {m, n, tolk_amx_words(terms, k), target};
    tolk_amx_begin();
    for (size_t i = 0; i < m; i += TOLK_AMX_BLOCK) {
        for (size_t j = 0; j < n; j += TOLK_AMX_BLOCK) {
            struct tolk_amx_ahead ahead = ahead_of(terms, &product, i, j);
            tolk_amx_block(terms, &product, a + i * product.words, b + j * product.words, i, j,
                           &ahead);
        }
    }
    tolk_amx_end();
}

/* What tolk_gemm_kernels points to, for numbers of so many terms. */
#define KERNELS(name, terms)                                                                       \
    static void pack_a_along_##name(size_t m, size_t k, const real *a, size_t lda, real *words)    \
    {                                                                                              \
        pack_along(terms, false, m, k, a, lda, words);                                             \
    }                                                                                              \
    static void pack_a_across_##name(size_t m, size_t k, const real *a, size_t lda, real *words)   \
    {                                                                                              \
        pack_across(terms, true, m, k, a, lda, words);                                             \
    }                                                                                              \
    static void pack_b_along_##name(size_t n, size_t k, const real *b, size_t ldb, real *words)    \
    {                                                                                              \
        pack_along(terms, true, n, k, b, ldb, words);                                              \
    }                                                                                              \
    static void pack_b_across_##name(size_t n, size_t k, const real *b, size_t ldb, real *words)   \
    {                                                                                              \
        pack_across(terms, false, n, k, b, ldb, words);                                            \
    }                                                                                              \
    static void multiply_##name(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k, \
                                const real *a_words, size_t a_step, const real *b_words,           \
                                const struct tolk_gemm_target *target,                             \
                                const struct tolk_gemm_ahead *ahead)                               \
    {                                                                                              \
        (void)packing_of_a, (void)a_step, (void)ahead;                                             \
        multiply(terms, m, n, k, a_words, b_words, target);                                        \
    }

KERNELS(rounded, 1)
KERNELS(split, TERMS)

enum {
    SPLIT_MC = 64,
    SPLIT_WORDS = TERMS * TOLK_AMX_WORDS, /* of STEPS steps */
    SPLIT_A = SPLIT_MC * (TOLK_GEMM_KC / STEPS) * SPLIT_WORDS,
    SPLIT_B = 512 * TOLK_GEMM_KC,
    ROUNDED_A = TOLK_GEMM_MC_MAX * TOLK_GEMM_KC,
};

_Static_assert((size_t)SPLIT_A <= TOLK_GEMM_A_WORDS && (size_t)SPLIT_B <= TOLK_GEMM_B_WORDS &&
                   (size_t)ROUNDED_A <= TOLK_GEMM_A_WORDS,
               "blocks fit the buffers of a thread");

const struct tolk_gemm_kernels tolk_gemm_bfloat16_kernels_amx = {
    .rows = TOLK_AMX_BLOCK,
    .columns = TOLK_AMX_BLOCK,
    .lanes = TOLK_LANES,
    .step = STEPS,
    .step_words = TOLK_AMX_WORDS,
    .kc = TOLK_BFLOAT16_PAIR * TOLK_GEMM_KC,
    .mc = TOLK_GEMM_MC_MAX,
    .b_words = TOLK_GEMM_B_WORDS,
    .pack_a = {pack_a_along_rounded, pack_a_across_rounded},
    .pack_b = {pack_b_along_rounded, pack_b_across_rounded},
    .multiply = multiply_rounded,
};

/* Blocks of B no larger than a half of the second-level cache: they are read as fast as the tiles
 * multiply, and C and A come beside them. */
const struct tolk_gemm_kernels tolk_gemm_kernels_amx = {
    .rows = TOLK_AMX_BLOCK,
    .columns = TOLK_AMX_BLOCK,
    .lanes = TOLK_LANES,
    .step = STEPS,
    .step_words = SPLIT_WORDS,
    .kc = TOLK_GEMM_KC,
    .mc = SPLIT_MC,
    .b_words = SPLIT_B,
    .pack_a = {pack_a_along_split, pack_a_across_split},
    .pack_b = {pack_b_along_split, pack_b_across_split},
    .multiply = multiply_split,
};
