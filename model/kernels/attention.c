/* Scaled dot-product attention of one sentence and one head (Vaswani et al. 2017, equation 1).
 *
 * Sentences are short: every operand fits the first-level cache, and one routine, a product of
 * small matrices with the rows of B in registers, does the five products of forward and backward.
 */
#include "model/kernels/rows_internal.h"
#include "model/kernels/softmax.h"
#include "model/kernels/transpose.h"

/* ---- C = A · B for small matrices ---------------------------------------------------------------
 */

struct small_product {
    size_t m, n, k;
    const real *a; /* A(i, p) = a[i · a_row + p · a_step] */
    size_t a_row, a_step;
    const real *b; /* [k, n] */
    size_t ldb;
    real *c; /* [m, n] */
    size_t ldc;
};

/* `rows` rows and one vector of columns; `rows` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void
product_tile(const struct small_product *s, size_t rows, size_t i, size_t j, size_t part)
{
    tolk_vector sums[8];
    for (size_t r = 0; r < rows; r++) {
        sums[r] = (tolk_vector){0};
    }
    const real *a = s->a + i * s->a_row;
    for (size_t p = 0; p < s->k; p++) {
        const real *b_row = s->b + p * s->ldb + j;
        const tolk_vector b = part == 0 ? tolk_load(b_row) : tolk_load_part(b_row, part);
        for (size_t r = 0; r < rows; r++) {
            sums[r] += a[r * s->a_row + p * s->a_step] * b;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        real *c = s->c + (i + r) * s->ldc + j;
        if (part == 0) {
            tolk_store(c, sums[r]);
        } else {
            tolk_store_part(c, sums[r], part);
        }
    }
}

static inline __attribute__((always_inline)) void product_columns(const struct small_product *s,
                                                                  size_t j, size_t part)
{
    size_t i = 0;
    for (; i + 8 <= s->m; i += 8) {
        product_tile(s, 8, i, j, part);
    }
    for (; i + 4 <= s->m; i += 4) {
        product_tile(s, 4, i, j, part);
    }
    for (; i < s->m; i++) {
        product_tile(s, 1, i, j, part);
    }
}

static void product(const struct small_product *s)
{
    size_t j = 0;
    for (; j + TOLK_LANES <= s->n; j += TOLK_LANES) {
        product_columns(s, j, 0);
    }
    if (j < s->n) {
        product_columns(s, j, s->n - j);
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
                                    .a_row = block->ldq,
                                    .a_step = 1,
                                    .b = transposed,
                                    .ldb = width,
                                    .c = scores,
                                    .ldc = width});
    for (size_t i = 0; i < block->queries; i++) {
        real *row = scores + i * width;
        tolk_softmax(row, width, block->causal ? i + 1 : block->keys, scale);
        memcpy(block->weights + i * block->keys, row, block->keys * sizeof *row);
        if (block->mask.threshold != 0) {
            const uint32_t index = block->mask_index + (uint32_t)(i * block->keys);
#pragma omp simd
            for (size_t j = 0; j < width; j++) {
                row[j] *= tolk_dropout_factor(block->mask, index + (uint32_t)j);
            }
        }
    }
    /* out = dropout(weights) V */
    product(&(struct small_product){.m = block->queries,
                                    .n = block->dim,
                                    .k = block->keys,
                                    .a = scores,
                                    .a_row = width,
                                    .a_step = 1,
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
                                    .a_row = lddo,
                                    .a_step = 1,
                                    .b = transposed,
                                    .ldb = width,
                                    .c = d,
                                    .ldc = width});
    for (size_t i = 0; i < block->queries; i++) {
        softmax_row_backward(block, i, width, scale, d + i * width, dropped + i * width);
        if (block->guide.begin != NULL) {
            guide_row(block, i, scale, d + i * width);
        }
    }
    /* dV = dropout(P)ᵀ dO */
    product(&(struct small_product){.m = block->keys,
                                    .n = block->dim,
                                    .k = block->queries,
                                    .a = dropped,
                                    .a_row = 1,
                                    .a_step = width,
                                    .b = dout,
                                    .ldb = lddo,
                                    .c = dv,
                                    .ldc = block->ldv});
    /* dQ = dS K */
    product(&(struct small_product){.m = block->queries,
                                    .n = block->dim,
                                    .k = block->keys,
                                    .a = d,
                                    .a_row = width,
                                    .a_step = 1,
                                    .b = block->k,
                                    .ldb = block->ldk,
                                    .c = dq,
                                    .ldc = block->ldq});
    /* dK = dSᵀ Q */
    product(&(struct small_product){.m = block->keys,
                                    .n = block->dim,
                                    .k = block->queries,
                                    .a = d,
                                    .a_row = 1,
                                    .a_step = width,
                                    .b = block->q,
                                    .ldb = block->ldq,
                                    .c = dk,
                                    .ldc = block->ldk});
}
