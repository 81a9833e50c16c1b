/* Written once with the compiler's vector types; the Makefile compiles it for each instruction set.
 */
#include "model/kernels/gemm.h"

#include <string.h>

/* A tile's sums, its vectors of B and one element of A must fit the registers. */
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, ROWS = 14, VECTORS = 2 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, ROWS = 6, VECTORS = 2 };
#elif defined(__ARM_NEON)
enum { VECTOR_BYTES = 16, ROWS = 12, VECTORS = 2 };
#else
enum { VECTOR_BYTES = 16, ROWS = 6, VECTORS = 2 };
#endif

enum { LANES = VECTOR_BYTES / sizeof(real), COLUMNS = VECTORS * LANES };

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
typedef real loose __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE vector load(const real *x)
{
    return *(const loose *)x;
}

INLINE void store(real *x, vector v)
{
    *(loose *)x = v;
}

INLINE vector load_first(size_t count, const real *x)
{
    vector v = {0};
    memcpy(&v, x, count * sizeof *x);
    return v;
}

/* ---- packing ------------------------------------------------------------------------------------
 */

/* x [k, n] into panels of `width` columns, panel[k][width]; reads each row of x once, from end to
 * end. */
INLINE void pack_across(size_t width, size_t n, size_t k, const real *x, size_t ldx, real *words)
{
    for (size_t p = 0; p < k; p++) {
        const real *row = x + p * ldx;
        real *to = words + p * width;
        size_t j = 0;
        for (; j + width <= n; j += width, to += k * width) {
            memcpy(to, row + j, width * sizeof *to);
        }
        if (j < n) {
            memcpy(to, row + j, (n - j) * sizeof *to);
            memset(to + (n - j), 0, (width - (n - j)) * sizeof *to);
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
        memcpy(words + i * TOLK_GEMM_ROW_STEP, a + i * lda, k * sizeof *words);
    }
}

/* The first and the second halves of x and y, lane by lane in turn. */
INLINE void interleave(vector x, vector y, vector *first, vector *second)
{
#ifdef TOLK_REAL_DOUBLE
    typedef long long index __attribute__((vector_size(VECTOR_BYTES)));
#else
    typedef int index __attribute__((vector_size(VECTOR_BYTES)));
#endif
    index low = {0}, high = {0};
    UNROLL
    for (int i = 0; i < LANES; i++) {
        low[i] = i / 2 + (i % 2) * LANES;
        high[i] = low[i] + LANES / 2;
    }
    *first = __builtin_shuffle(x, y, low);
    *second = __builtin_shuffle(x, y, high);
}

/* Transposes LANES x LANES: interleaving row i with row i + LANES / 2, log2(LANES) times. */
INLINE void transpose(vector x[LANES])
{
    UNROLL
    for (int stage = 1; stage < LANES; stage *= 2) {
        vector y[LANES];
        UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            interleave(x[i], x[i + LANES / 2], &y[2 * i], &y[2 * i + 1]);
        }
        UNROLL
        for (int i = 0; i < LANES; i++) {
            x[i] = y[i];
        }
    }
}

/* b [columns, k], columns <= LANES, into one vector's width of a panel. */
INLINE void pack_b_strip(size_t columns, size_t k, const real *b, size_t ldb, real *panel)
{
    for (size_t p = 0; p < k; p += LANES) {
        size_t steps = k - p < LANES ? k - p : LANES;
        vector x[LANES];
        if (steps == LANES && columns == LANES) {
            UNROLL
            for (size_t j = 0; j < LANES; j++) {
                x[j] = load(b + j * ldb + p);
            }
        } else {
            for (size_t j = 0; j < LANES; j++) {
                x[j] = j < columns ? load_first(steps, b + j * ldb + p) : (vector){0};
            }
        }
        transpose(x);
        if (steps == LANES) {
            UNROLL
            for (size_t i = 0; i < LANES; i++) {
                store(panel + (p + i) * COLUMNS, x[i]);
            }
        } else {
            for (size_t i = 0; i < steps; i++) {
                store(panel + (p + i) * COLUMNS, x[i]);
            }
        }
    }
}

static void pack_b_along(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    for (size_t j = 0; j < n; j += LANES) {
        real *strip = words + j / COLUMNS * COLUMNS * k + j % COLUMNS;
        pack_b_strip(n - j < LANES ? n - j : LANES, k, b + j * ldb, ldb, strip);
    }
}

/* ---- the micro-kernel ---------------------------------------------------------------------------
 */

INLINE void put(const struct tolk_gemm_target *t, real *c, size_t column, vector sum)
{
    if (t->accumulate) {
        sum += load(c);
    } else if (t->bias != NULL) {
        sum += load(t->bias + column);
    }
    store(c, sum);
}

INLINE void put_first(size_t count, const struct tolk_gemm_target *t, real *c, size_t column,
                      vector sum)
{
    if (t->accumulate) {
        sum += load_first(count, c);
    } else if (t->bias != NULL) {
        sum += load_first(count, t->bias + column);
    }
    memcpy(c, &sum, count * sizeof *c);
}

/* C [rows, columns] at (row, column) of the target from one tile of A and one panel of B. `rows`
 * and `vectors` are constants after inlining: the sums live in registers. */
INLINE void tile(size_t rows, size_t vectors, enum tolk_gemm_packing packing, size_t k,
                 const real *a, const real *b, const struct tolk_gemm_target *t, size_t row,
                 size_t column, size_t columns)
{
    const size_t row_step = packing == TOLK_ALONG ? TOLK_GEMM_ROW_STEP : 1;
    const size_t k_step = packing == TOLK_ALONG ? 1 : ROWS;
    real *c = t->c + row * t->ldc + column;
    vector sum[ROWS][VECTORS];
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * t->ldc, 1);
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            sum[i][v] = (vector){0};
        }
    }
    for (size_t p = 0; p < k; p++) {
        vector bp[VECTORS];
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            bp[v] = load(b + v * LANES);
        }
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            UNROLL
            for (size_t v = 0; v < vectors; v++) {
                sum[i][v] += a[i * row_step] * bp[v];
            }
        }
        a += k_step;
        b += COLUMNS;
    }
    UNROLL
    for (size_t i = 0; i < rows; i++, c += t->ldc) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            if (columns >= (v + 1) * LANES) {
                put(t, c + v * LANES, column + v * LANES, sum[i][v]);
            } else {
                put_first(columns - v * LANES, t, c + v * LANES, column + v * LANES, sum[i][v]);
            }
        }
    }
}

/* A function for each height of a tile: the last rows of a matrix cost what they are worth. */
#define TILE_CASE(r)                                                                               \
    case r:                                                                                        \
        if (r <= ROWS) {                                                                           \
            tile(r <= ROWS ? r : 1, vectors, packing, k, a, b, t, row, column, columns);           \
        }                                                                                          \
        break;

INLINE void tile_of(size_t rows, size_t vectors, enum tolk_gemm_packing packing, size_t k,
                    const real *a, const real *b, const struct tolk_gemm_target *t, size_t row,
                    size_t column, size_t columns)
{
    switch (rows) {
        TILE_CASE(1)
        TILE_CASE(2)
        TILE_CASE(3)
        TILE_CASE(4)
        TILE_CASE(5)
        TILE_CASE(6)
        TILE_CASE(7)
        TILE_CASE(8)
        TILE_CASE(9)
        TILE_CASE(10)
        TILE_CASE(11)
        TILE_CASE(12)
        TILE_CASE(13)
        TILE_CASE(14)
    }
}

INLINE void multiply_packed(enum tolk_gemm_packing packing, size_t m, size_t n, size_t k,
                            const real *a, const real *b, const struct tolk_gemm_target *t)
{
    const size_t tile_words = ROWS * (packing == TOLK_ALONG ? TOLK_GEMM_ROW_STEP : k);
    for (size_t j = 0; j < n; j += COLUMNS, b += COLUMNS * k) {
        size_t columns = n - j < COLUMNS ? n - j : COLUMNS;
        for (size_t i = 0; i < m; i += ROWS) {
            size_t rows = m - i < ROWS ? m - i : ROWS;
            const real *ai = a + i / ROWS * tile_words;
            if (columns > LANES) {
                tile_of(rows, VECTORS, packing, k, ai, b, t, i, j, columns);
            } else {
                tile_of(rows, 1, packing, k, ai, b, t, i, j, columns);
            }
        }
    }
}

static void multiply(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, const real *b_words,
                     const struct tolk_gemm_target *target)
{
    if (packing_of_a == TOLK_ALONG) {
        multiply_packed(TOLK_ALONG, m, n, k, a_words, b_words, target);
    } else {
        multiply_packed(TOLK_ACROSS, m, n, k, a_words, b_words, target);
    }
}

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

const struct tolk_gemm_kernels JOIN(tolk_gemm_kernels_, TOLK_KERNEL_ISA) = {
    .rows = ROWS,
    .columns = COLUMNS,
    .lanes = LANES,
    .pair = 1,
    .pack_a = {pack_a_along, pack_a_across},
    .pack_b = {pack_b_along, pack_b_across},
    .multiply = multiply,
};
