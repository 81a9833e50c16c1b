/* Scaled dot-product attention of one sentence and one head (Vaswani et al. 2017, equation 1).
 *
 * Sentences are short: every operand fits the first-level cache, and one routine, a product of
 * small matrices with the rows of B in registers, does the five products of forward and backward.
 */
#include "model/kernels/rows_internal.h"
#include "model/kernels/softmax.h"
#include "model/kernels/tile_sums.h"
#include "model/kernels/tiles.h"
#include "model/kernels/transpose.h"

/* ---- C = A · B for small matrices ---------------------------------------------------------------
 */

struct small_product {
    size_t m, n, k;
    bool across; /* A(i, p) = a[p · lda + i], else a[i · lda + p] */
    const real *a;
    size_t lda;
    const real *b; /* [k, n] */
    size_t ldb;
    real *c; /* [m, n] */
    size_t ldc;
};

/* Columns are taken WIDE vectors at a time, the last ones singly: k is short and each tile begins
 * and ends at a cost, so the larger the better that the registers hold. */
#if defined(__AVX512F__)
enum { WIDE = 4, WIDE_ROWS = 6, NARROW_ROWS = 14 };
#else
enum { WIDE = 2, WIDE_ROWS = 6, NARROW_ROWS = 12 };
#endif

/* One tile of C at (i, j). `part` is the number of columns, where they are fewer than a vector's,
 * else 0; all but i and j are constants wherever this is inlined, or as good as such. */
static inline __attribute__((always_inline)) void product_tile(const struct small_product *s,
                                                               size_t rows, size_t vectors,
                                                               size_t i, size_t j, size_t part)
{
    tolk_vector sums[TOLK_TILE_ROWS_MAX][TOLK_TILE_VECTORS_MAX];
    const real *a = s->across ? s->a + i : s->a + i * s->lda;
    tolk_tile_zero(rows, vectors, sums);
    if (s->across) {
        tolk_tile_sums(rows, vectors, true, s->k, a, s->lda, s->b + j, s->ldb, part, NULL, sums);
    } else {
        tolk_tile_sums(rows, vectors, false, s->k, a, s->lda, s->b + j, s->ldb, part, NULL, sums);
    }
    real *c = s->c + i * s->ldc + j;
    TOLK_UNROLL
    for (size_t r = 0; r < rows; r++, c += s->ldc) {
        TOLK_UNROLL
        for (size_t v = 0; v < vectors; v++) {
            if (part == 0) {
                tolk_store(c + v * TOLK_LANES, sums[r][v]);
            } else {
                tolk_store_part(c, sums[r][v], part);
            }
        }
    }
}

/* Columns from j, all rows, in tiles of about one height. */
static inline __attribute__((always_inline)) void
product_columns(const struct small_product *s, size_t vectors, size_t most, size_t j, size_t part)
{
    const size_t tiles = (s->m + most - 1) / most;
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t i = s->m * tile / tiles;
        const size_t rows = s->m * (tile + 1) / tiles - i;
#define TILE(r) product_tile(s, r, vectors, i, j, part)
        if (vectors == WIDE) {
            TOLK_OF_HEIGHT(rows, WIDE_ROWS, TILE)
        } else {
            TOLK_OF_HEIGHT(rows, NARROW_ROWS, TILE)
        }
#undef TILE
    }
}

static void product(const struct small_product *s)
{
    size_t j = 0;
    for (; j + WIDE * TOLK_LANES <= s->n; j += WIDE * TOLK_LANES) {
        product_columns(s, WIDE, WIDE_ROWS, j, 0);
    }
    for (; j + TOLK_LANES <= s->n; j += TOLK_LANES) {
        product_columns(s, 1, NARROW_ROWS, j, 0);
    }
    if (j < s->n) {
        product_columns(s, 1, NARROW_ROWS, j, s->n - j);
    }
}

/* ---- scratch ------------------------------------------------------------------------------------
 */

/* Padded to the widest vector of any instruction set, since model/ asks for the size once. */
static size_t padded(size_t columns)
{
    const size_t widest = 64 / sizeof(real);
    return (columns + widest - 1) / widest * widest;
}

/* xᵀ [dim, padded(keys)] of the rows of keys or values, zeros behind the last key. */
static void transpose(const struct tolk_attention_block *block, const real *x, size_t ld,
                      real *transposed)
{
    const size_t width = padded(block->keys);
    for (size_t j = 0; j < width; j += TOLK_LANES) {
        for (size_t c = 0; c < block->dim; c += TOLK_LANES) {
            const size_t columns = block->dim - c;
            tolk_vector square[TOLK_LANES];
            TOLK_UNROLL
            for (size_t i = 0; i < TOLK_LANES; i++) {
                if (j + i >= block->keys) {
                    square[i] = (tolk_vector){0};
                } else if (columns >= TOLK_LANES) {
                    square[i] = tolk_load((x + (j + i) * ld) + c);
                } else {
                    square[i] = tolk_load_part((x + (j + i) * ld) + c, columns);
                }
            }
            tolk_transpose(square);
            TOLK_UNROLL
            for (size_t i = 0; i < TOLK_LANES; i++) {
                if (i < columns) {
                    tolk_store(transposed + (c + i) * width + j, square[i]);
                }
            }
        }
    }
}

/* ---- what comes next ----------------------------------------------------------------------------
 */

static inline void ask_for_row(const struct tolk_attention_block *block, size_t i)
{
    enum { LINE = 64 / sizeof(real) };
    for (size_t a = 0; a < block->ahead_count; a++) {
        const struct tolk_rows_ahead *ahead = &block->ahead[a];
        for (size_t c = 0; i < ahead->count && c < block->dim; c += LINE) {
            __builtin_prefetch(ahead->rows + i * ahead->ld + c, 0, 2);
        }
    }
}

/* Those that no row of this block stands beside. */
static void ask_for_rest(const struct tolk_attention_block *block)
{
    size_t rows = 0;
    for (size_t a = 0; a < block->ahead_count; a++) {
        rows = block->ahead[a].count > rows ? block->ahead[a].count : rows;
    }
    for (size_t i = block->queries; i < rows; i++) {
        ask_for_row(block, i);
    }
}

/* ---- forward ------------------------------------------------------------------------------------
 */

void TOLK_KERNEL(tolk_attention_forward)(const struct tolk_attention_block *block, real *out,
                                         size_t ldo, real *scratch)
{
    const size_t width = padded(block->keys);
    real *transposed = scratch;                     /* Kᵀ [dim, width] */
    real *scores = transposed + block->dim * width; /* [queries, width] */
    const real scale = 1 / (real)sqrt((double)block->dim);

    transpose(block, block->k, block->ldk, transposed);
    /* scores = Q Kᵀ */
    product(&(struct small_product){.m = block->queries,
                                    .n = width,
                                    .k = block->dim,
                                    .a = block->q,
                                    .lda = block->ldq,
                                    .b = transposed,
                                    .ldb = width,
                                    .c = scores,
                                    .ldc = width});
    tolk_softmax_rows(scores, width, width, block->queries, block->causal ? 1 : block->keys,
                      block->causal ? 1 : 0, scale);
    for (size_t i = 0; i < block->queries; i++) {
        real *row = scores + i * width;
        ask_for_row(block, i);
        memcpy(block->weights + i * block->keys, row, block->keys * sizeof *row);
        if (block->mask.threshold != 0) {
            const uint32_t index = block->mask_index + (uint32_t)(i * block->keys);
#pragma omp simd
            for (size_t j = 0; j < width; j++) {
                row[j] *= tolk_dropout_factor(block->mask, index + (uint32_t)j);
            }
        }
    }
    ask_for_rest(block);
    /* out = dropout(weights) V */
    product(&(struct small_product){.m = block->queries,
                                    .n = block->dim,
                                    .k = block->keys,
                                    .a = scores,
                                    .lda = width,
                                    .b = block->v,
                                    .ldb = block->ldv,
                                    .c = out,
                                    .ldc = ldo});
}

/* ---- backward -----------------------------------------------------------------------------------
 */

/* dscores of one row from the gradient of its dropped-out weights, both in `d`:
 * dP = dropout(d), dS = P ∘ (dP - Σ dP ∘ P) · scale; `dropped` becomes dropout(P). */
static void softmax_row_backward(const struct tolk_attention_block *block, size_t i, size_t width,
                                 real scale, real *d, real *dropped)
{
    const real *weights = block->weights + i * block->keys;
    const uint32_t index = block->mask_index + (uint32_t)(i * block->keys);
    real sum = 0;
    memcpy(dropped, weights, block->keys * sizeof *dropped);
    memset(dropped + block->keys, 0, (width - block->keys) * sizeof *dropped);
    if (block->mask.threshold != 0) {
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            d[j] *= tolk_dropout_factor(block->mask, index + (uint32_t)j);
        }
    }
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < width; j++) {
        sum += d[j] * dropped[j];
    }
#pragma omp simd
    for (size_t j = 0; j < width; j++) {
        d[j] = dropped[j] * (d[j] - sum) * scale;
    }
    if (block->mask.threshold != 0) {
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            dropped[j] *= tolk_dropout_factor(block->mask, index + (uint32_t)j);
        }
    }
}

/* dS += scale_of_the_loss · (P - p) · scale, P before dropout: the gradient of guided alignment. */
static void guide_row(const struct tolk_attention_block *block, size_t i, real scale, real *d)
{
    const size_t first = block->guide.begin[i];
    const size_t count = block->guide.begin[i + 1] - first;
    if (count == 0) {
        return;
    }
    const real *weights = block->weights + i * block->keys;
    const real factor = block->guide.scale * scale;
#pragma omp simd
    for (size_t j = 0; j < block->keys; j++) {
        d[j] += factor * weights[j];
    }
    for (size_t j = 0; j < count; j++) {
        d[block->guide.keys[first + j]] -= factor / (real)count;
    }
}

void TOLK_KERNEL(tolk_attention_backward)(const struct tolk_attention_block *block,
                                          const real *dout, size_t lddo, real *dq, real *dk,
                                          real *dv, real *scratch)
{
    const size_t width = padded(block->keys);
    real *transposed = scratch;                 /* Vᵀ [dim, width] */
    real *d = transposed + block->dim * width;  /* dP, then dS [queries, width] */
    real *dropped = d + block->queries * width; /* [queries, width] */
    const real scale = 1 / (real)sqrt((double)block->dim);

    transpose(block, block->v, block->ldv, transposed);
    /* dP = dO Vᵀ */
    product(&(struct small_product){.m = block->queries,
                                    .n = width,
                                    .k = block->dim,
                                    .a = dout,
                                    .lda = lddo,
                                    .b = transposed,
                                    .ldb = width,
                                    .c = d,
                                    .ldc = width});
    for (size_t i = 0; i < block->queries; i++) {
        ask_for_row(block, i);
        softmax_row_backward(block, i, width, scale, d + i * width, dropped + i * width);
        if (block->guide.begin != NULL) {
            guide_row(block, i, scale, d + i * width);
        }
    }
    ask_for_rest(block);
    /* dV = dropout(P)ᵀ dO */
    product(&(struct small_product){.m = block->keys,
                                    .n = block->dim,
                                    .k = block->queries,
                                    .a = dropped,
                                    .across = true,
                                    .lda = width,
                                    .b = dout,
                                    .ldb = lddo,
                                    .c = dv,
                                    .ldc = block->ldv});
    /* dQ = dS K */
    product(&(struct small_product){.m = block->queries,
                                    .n = block->dim,
                                    .k = block->keys,
                                    .a = d,
                                    .lda = width,
                                    .b = block->k,
                                    .ldb = block->ldk,
                                    .c = dq,
                                    .ldc = block->ldq});
    /* dK = dSᵀ Q */
    product(&(struct small_product){.m = block->keys,
                                    .n = block->dim,
                                    .k = block->queries,
                                    .a = d,
                                    .across = true,
                                    .lda = width,
                                    .b = block->q,
                                    .ldb = block->ldq,
                                    .c = dk,
                                    .ldc = block->ldk});
}
