/* Written once with the compiler's vector types; the Makefile compiles it for each instruction set.
 */
#include "model/kernels/gemm.h"

#include <string.h>

#ifdef TOLK_GEMM_BFLOAT16
/* Both products of a pair are added; the processor rounds to nearest even and takes denormals as
 * zero. */
#define TOLK_MULTIPLY_ADD(sum, a, b)                                                               \
    _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_ps(a), (__m512bh)(b))
#include "model/kernels/bfloat16.h"
#endif
#include "model/kernels/target.h"
#include "model/kernels/tile_sums.h"
#include "model/kernels/tiles.h"
#include "model/kernels/transpose.h"

/* A tile's sums, its vectors of B and one element of A must fit the registers. */
#if defined(__AVX512F__)
enum { ROWS = 14 };
#elif defined(__ARM_NEON)
enum { ROWS = 11 }; /* of 12, GCC keeps some in memory */
#else
enum { ROWS = 6 };
#endif

enum {
    LANES = TOLK_LANES,
    VECTORS = TOLK_PANEL_VECTORS,
    COLUMNS = TOLK_PANEL_COLUMNS,
    LINE = TOLK_TILE_LINE
};

typedef tolk_vector vector;

#define INLINE static inline __attribute__((always_inline))
#define UNROLL TOLK_UNROLL

INLINE size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- words --------------------------------------------------------------------------------------
 */

#ifdef TOLK_GEMM_BFLOAT16

enum { PAIR = TOLK_BFLOAT16_PAIR };

INLINE vector words_along(size_t count, const real *x)
{
    return tolk_bfloat16_along(count, x);
}

INLINE void copy_along(size_t k, const real *x, real *words)
{
    for (size_t p = 0; p < k; p += PAIR * LANES) {
        tolk_store(words + p / PAIR, words_along(k - p, x + p));
    }
}

/* `count` words from two rows that follow one another along k; x1 is NULL after an odd end. */
INLINE void copy_across(size_t count, const real *x0, const real *x1, real *words)
{
    for (size_t j = 0; j < count; j += LANES) {
        const size_t lanes = smaller(count - j, LANES);
        const real *next = x1 == NULL ? NULL : x1 + j;
        tolk_store_part(words + j, tolk_bfloat16_across(lanes, x0 + j, next), lanes);
    }
}

#else

enum { PAIR = 1 };

INLINE vector words_along(size_t count, const real *x)
{
    return count >= LANES ? tolk_load(x) : tolk_load_part(x, count);
}

INLINE void copy_along(size_t k, const real *x, real *words)
{
    memcpy(words, x, k * sizeof *words);
}

INLINE void copy_across(size_t count, const real *x0, const real *x1, real *words)
{
    (void)x1;
    memcpy(words, x0, count * sizeof *words);
}

#endif

INLINE size_t words_of(size_t k)
{
    return (k + PAIR - 1) / PAIR;
}

/* ---- packing ------------------------------------------------------------------------------------
 */

/* x [k, n] into panels of `width` columns, panel[k][width]. A few rows at a time from end to end:
 * panels lie at distances that fall into the same cache sets, and each is written in whole lines
 * that follow one another. The rows after them are on their way meanwhile. */
INLINE void pack_across(size_t width, size_t n, size_t k, const real *x, size_t ldx, real *words)
{
    enum { STRIP = 8 };
    const size_t all = words_of(k);
    for (size_t p = 0; p < all; p += STRIP) {
        const size_t end = smaller(all, p + STRIP);
        for (size_t j = 0; j < n; j += width) {
            const size_t columns = smaller(n - j, width);
            for (size_t q = p; q < end; q++) {
                const real *row = x + q * PAIR * ldx + j, *next = row + ldx;
                real *to = words + j * all + q * width;
                for (size_t c = 0; c < width; c += LINE) {
                    for (size_t r = 0; r < PAIR; r++) {
                        __builtin_prefetch(row + (STRIP * PAIR + r) * ldx + c, 0, 2);
                    }
                }
                next = q * PAIR + 1 < k ? next : NULL;
                if (columns == width) {
                    copy_across(width, row, next, to);
                } else {
                    copy_across(columns, row, next, to);
                    memset(to + columns, 0, (width - columns) * sizeof *to);
                }
            }
        }
    }
}

static void pack_a_across(size_t m, size_t k, const real *a, size_t lda, real *words)
{
    pack_across(ROWS, m, k, a, lda, words);
}

static void pack_b_across(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    pack_across(COLUMNS, n, k, b, ldb, words);
}

static void pack_a_along(size_t m, size_t k, const real *a, size_t lda, real *words)
{
    for (size_t i = 0; i < m; i++) {
        copy_along(k, a + i * lda, words + i * TOLK_GEMM_ROW_STEP);
    }
}

/* b [columns, k], columns <= LANES and k <= PAIR * LANES, into rows of a panel. */
INLINE void pack_b_square(size_t columns, size_t k, const real *b, size_t ldb, real *panel)
{
    vector x[LANES];
    UNROLL
    for (size_t j = 0; j < LANES; j++) {
        x[j] = j < columns ? words_along(k, b + j * ldb) : (vector){0};
    }
    tolk_transpose(x);
    UNROLL
    for (size_t i = 0; i < LANES; i++) {
        if (i < words_of(k)) {
            tolk_store(panel + i * COLUMNS, x[i]);
        }
    }
}

/* b [columns, k], columns <= LANES, into one vector's width of a panel. */
INLINE void pack_b_strip(size_t columns, size_t k, const real *b, size_t ldb, real *panel)
{
    enum { SIDE = PAIR * LANES, ASKED = SIDE > LINE ? SIDE : LINE };
    for (size_t p = 0; p < k; p += SIDE, b += SIDE, panel += LANES * COLUMNS) {
        for (size_t j = LANES; p % ASKED == 0 && j < 2 * LANES; j++) { /* of the next strip */
            for (size_t c = 0; c < ASKED; c += LINE) {
                __builtin_prefetch(b + j * ldb + c, 0, 2);
            }
        }
        if (columns == LANES && k - p >= SIDE) {
            pack_b_square(LANES, SIDE, b, ldb, panel);
        } else {
            pack_b_square(columns, smaller(k - p, SIDE), b, ldb, panel);
        }
    }
}

static void pack_b_along(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    for (size_t j = 0; j < n; j += LANES) {
        real *strip = words + j / COLUMNS * COLUMNS * words_of(k) + j % COLUMNS;
        pack_b_strip(smaller(n - j, LANES), k, b + j * ldb, ldb, strip);
    }
}

/* ---- the micro-kernel ---------------------------------------------------------------------------
 */

/* Between so many steps of k some lines are asked for: all at once they would fill the processor's
 * queue of misses, and the product wait. Fewer steps would keep its arithmetic ports busy with
 * counting, where two of them multiply. */
enum { PAUSE = 16, C_ROWS_A_PAUSE = 4 };

/* Products of bfloat16 are none of translation's, which alone asks so. */
#ifdef TOLK_GEMM_BFLOAT16
enum { EVENLY = 0 };
#else
enum { EVENLY = 1 };
#endif

/* What lies ahead, and how far it is asked for. */
struct ahead {
    struct tolk_gemm_ahead rest;
    size_t offset;
    size_t lines;               /* a pause */
    struct tolk_tile_asks asks; /* or at each step of k */
};

INLINE struct ahead ahead_of(bool evenly, const struct tolk_gemm_ahead *next, size_t tiles,
                             size_t k)
{
    struct ahead ahead = {.rest = *next};
    if (evenly) {
        const size_t steps = tiles * k;
        ahead.asks = (struct tolk_tile_asks){next->from, (next->width + steps - 1) / steps};
    } else {
        const size_t pauses = tiles * ((k + PAUSE - 1) / PAUSE) + 1;
        ahead.lines = next->rows * ((next->width + LINE - 1) / LINE) / pauses + 1;
    }
    return ahead;
}

INLINE void prefetch(struct ahead *ahead)
{
    for (size_t lines = ahead->lines; lines > 0 && ahead->rest.rows > 0; lines--) {
        __builtin_prefetch(ahead->rest.from + ahead->offset, 0, 2);
        ahead->offset += LINE;
        if (ahead->offset >= ahead->rest.width) {
            ahead->offset = 0;
            ahead->rest.from += ahead->rest.step;
            ahead->rest.rows--;
        }
    }
}

/* C [rows, columns] at (row, column) of the target from one tile of A and one panel of B. `rows`,
 * `vectors` and how it goes along are constants after inlining: the sums live in registers. */
INLINE void tile(size_t rows, size_t vectors, enum tolk_gemm_packing packing, bool evenly, size_t k,
                 const real *a, size_t row_step, const real *b, const struct tolk_gemm_target *t,
                 size_t row, size_t column, size_t columns, struct ahead *ahead)
{
    real *c = t->c + row * t->ldc + column;
    const real *asked = c;
    vector sum[TOLK_TILE_ROWS_MAX][TOLK_TILE_VECTORS_MAX];
    tolk_tile_zero(rows, vectors, sum);
    for (size_t p = 0, i = 0; p < k; p += PAUSE) {
        const size_t steps = smaller(k - p, PAUSE);
        for (size_t end = i + C_ROWS_A_PAUSE; i < end && i < rows; i++, asked += t->ldc) {
            UNROLL
            for (size_t v = 0; v < vectors; v++) {
                __builtin_prefetch(asked + v * LANES, 1);
            }
        }
        if (!evenly) {
            prefetch(ahead);
        }
        if (packing == TOLK_ALONG) {
            tolk_tile_sums(rows, vectors, false, steps, a + p, row_step, b + p * COLUMNS, COLUMNS,
                           0, evenly ? &ahead->asks : NULL, sum);
        } else {
            tolk_tile_sums(rows, vectors, true, steps, a + p * ROWS, ROWS, b + p * COLUMNS, COLUMNS,
                           0, NULL, sum);
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++, c += t->ldc) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            tolk_target_put_at(t, c, column, v * LANES, columns, sum[i][v]);
        }
    }
}

INLINE void tile_of(size_t rows, size_t vectors, enum tolk_gemm_packing packing, bool evenly,
                    size_t k, const real *a, size_t row_step, const real *b,
                    const struct tolk_gemm_target *t, size_t row, size_t column, size_t columns,
                    struct ahead *ahead){
#define TILE(r) tile(r, vectors, packing, evenly, k, a, row_step, b, t, row, column, columns, ahead)
    TOLK_OF_HEIGHT(rows, ROWS, TILE)
#undef TILE
}

INLINE void multiply_packed(enum tolk_gemm_packing packing, bool evenly, size_t m, size_t n,
                            size_t k, const real *a, size_t a_step, const real *b,
                            const struct tolk_gemm_target *t, const struct tolk_gemm_ahead *next)
{
    const size_t tile_words = ROWS * (packing == TOLK_ALONG ? a_step : k);
    const size_t tiles = ((m + ROWS - 1) / ROWS) * ((n + COLUMNS - 1) / COLUMNS);
    struct ahead ahead = ahead_of(evenly, next, tiles, k);
    for (size_t j = 0; j < n; j += COLUMNS, b += COLUMNS * k) {
        const size_t columns = smaller(n - j, COLUMNS);
        for (size_t i = 0; i < m; i += ROWS) {
            const size_t rows = smaller(m - i, ROWS);
            const real *ai = a + i / ROWS * tile_words;
            if (evenly) {
                tile_of(rows, VECTORS, packing, true, k, ai, a_step, b, t, i, j, COLUMNS, &ahead);
            } else if (columns > LANES) {
                tile_of(rows, VECTORS, packing, false, k, ai, a_step, b, t, i, j, columns, &ahead);
            } else {
                tile_of(rows, 1, packing, false, k, ai, a_step, b, t, i, j, columns, &ahead);
            }
        }
    }
}

static void multiply(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, size_t a_step, const real *b_words,
                     const struct tolk_gemm_target *target, const struct tolk_gemm_ahead *ahead)
{
    if (packing_of_a == TOLK_ACROSS) {
        multiply_packed(TOLK_ACROSS, false, m, n, words_of(k), a_words, a_step, b_words, target,
                        ahead);
    } else if (EVENLY && ahead->evenly) {
        multiply_packed(TOLK_ALONG, true, m, n, words_of(k), a_words, a_step, b_words, target,
                        ahead);
    } else {
        multiply_packed(TOLK_ALONG, false, m, n, words_of(k), a_words, a_step, b_words, target,
                        ahead);
    }
}

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

#ifdef TOLK_GEMM_BFLOAT16
#define TABLE tolk_gemm_bfloat16_kernels_
#define SPARSE NULL
#else
#define TABLE tolk_gemm_kernels_
#define SPARSE &TOLK_KERNEL(tolk_sparse_kernels)
#endif

const struct tolk_gemm_kernels JOIN(TABLE, TOLK_KERNEL_ISA) = {
    .rows = ROWS,
    .columns = COLUMNS,
    .lanes = LANES,
    .step = PAIR,
    .step_words = 1,
    .kc = PAIR * TOLK_GEMM_KC,
    .mc = TOLK_GEMM_MC,
    .b_words = TOLK_GEMM_B_WORDS,
    .sparse = SPARSE,
    .pack_a = {pack_a_along, pack_a_across},
    .pack_b = {pack_b_along, pack_b_across},
    .multiply = multiply,
};
