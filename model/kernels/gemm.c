/* Written once with the compiler's vector types; the Makefile compiles it for each instruction set.
 */
#include "model/kernels/gemm.h"

#include <string.h>

#include "model/kernels/tiles.h"
#include "model/kernels/transpose.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* A tile's sums, its vectors of B and one element of A must fit the registers. */
#if defined(__AVX512F__)
enum { ROWS = 14, VECTORS = 2 };
#elif defined(__ARM_NEON)
enum { ROWS = 11, VECTORS = 2 }; /* of 12, GCC keeps some in memory */
#else
enum { ROWS = 6, VECTORS = 2 };
#endif

/* As many rows of A as scaled addressing reaches from one pointer. */
enum { GROUP = 3 };

enum { LANES = TOLK_LANES, COLUMNS = VECTORS * LANES, LINE = 64 / sizeof(real) };

typedef tolk_vector vector;

#define INLINE static inline __attribute__((always_inline))
#define UNROLL TOLK_UNROLL

INLINE vector load(const real *x)
{
    return tolk_load(x);
}

INLINE void store(real *x, vector v)
{
    tolk_store(x, v);
}

/* The first `count` lanes, the others zero. */
INLINE vector load_first(size_t count, const real *x)
{
#if defined(__AVX512F__) && defined(TOLK_REAL_DOUBLE)
    return _mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), x);
#elif defined(__AVX512F__)
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#else
    vector v = {0};
    memcpy(&v, x, count * sizeof *x);
    return v;
#endif
}

INLINE void store_first(size_t count, real *x, vector v)
{
#if defined(__AVX512F__) && defined(TOLK_REAL_DOUBLE)
    _mm512_mask_storeu_pd(x, (__mmask8)((1u << count) - 1), v);
#elif defined(__AVX512F__)
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), v);
#else
    memcpy(x, &v, count * sizeof *x);
#endif
}

/* ---- words --------------------------------------------------------------------------------------
 */

#ifdef TOLK_GEMM_BFLOAT16

enum { PAIR = 2 };

/* Both products of a pair are added; the processor rounds to nearest even and takes denormals as
 * zero. */
INLINE vector multiply_add(vector sum, real a, vector b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_ps(a), (__m512bh)b);
}

/* A vector of words from up to PAIR * LANES reals that follow one another along k. */
INLINE vector words_along(size_t count, const real *x)
{
    if (count >= PAIR * LANES) {
        return (vector)_mm512_cvtne2ps_pbh(load(x + LANES), load(x));
    }
    if (count > LANES) {
        return (vector)_mm512_cvtne2ps_pbh(load_first(count - LANES, x + LANES), load(x));
    }
    return (vector)_mm512_cvtne2ps_pbh((vector){0}, load_first(count, x));
}

INLINE void copy_along(size_t k, const real *x, real *words)
{
    for (size_t p = 0; p < k; p += PAIR * LANES) {
        store(words + p / PAIR, words_along(k - p, x + p));
    }
}

/* `count` words from two rows that follow one another along k; x1 is NULL after an odd end. */
INLINE void copy_across(size_t count, const real *x0, const real *x1, real *words)
{
    const __m512i turns = (__m512i)(short __attribute__((vector_size(TOLK_VECTOR_BYTES)))){
        0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    for (size_t j = 0; j < count; j += LANES) {
        size_t lanes = count - j < LANES ? count - j : LANES;
        vector high = x1 == NULL ? (vector){0} : load_first(lanes, x1 + j);
        __m512bh both = _mm512_cvtne2ps_pbh(high, load_first(lanes, x0 + j));
        store_first(lanes, words + j, (vector)_mm512_permutexvar_epi16(turns, (__m512i)both));
    }
}

#else

enum { PAIR = 1 };

INLINE vector multiply_add(vector sum, real a, vector b)
{
    return sum + a * b;
}

INLINE vector words_along(size_t count, const real *x)
{
    return count >= LANES ? load(x) : load_first(count, x);
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

/* x [k, n] into panels of `width` columns, panel[k][width]; reads each row of x once, from end to
 * end. */
INLINE void pack_across(size_t width, size_t n, size_t k, const real *x, size_t ldx, real *words)
{
    for (size_t p = 0; p < k; p += PAIR) {
        const real *row = x + p * ldx, *next = p + 1 < k ? row + ldx : NULL;
        real *to = words + p / PAIR * width;
        size_t j = 0;
        for (; j + width <= n; j += width, to += words_of(k) * width) {
            copy_across(width, row + j, next == NULL ? NULL : next + j, to);
        }
        if (j < n) {
            copy_across(n - j, row + j, next == NULL ? NULL : next + j, to);
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
        copy_along(k, a + i * lda, words + i * TOLK_GEMM_ROW_STEP);
    }
}

/* b [columns, k], columns <= LANES, into one vector's width of a panel. */
INLINE void pack_b_strip(size_t columns, size_t k, const real *b, size_t ldb, real *panel)
{
    for (size_t p = 0; p < k; p += PAIR * LANES, panel += LANES * COLUMNS) {
        vector x[LANES];
        UNROLL
        for (size_t j = 0; j < LANES; j++) {
            x[j] = j < columns ? words_along(k - p, b + j * ldb + p) : (vector){0};
        }
        tolk_transpose(x);
        size_t words = words_of(k - p);
        UNROLL
        for (size_t i = 0; i < LANES; i++) {
            if (i < words) {
                store(panel + i * COLUMNS, x[i]);
            }
        }
    }
}

static void pack_b_along(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    for (size_t j = 0; j < n; j += LANES) {
        real *strip = words + j / COLUMNS * COLUMNS * words_of(k) + j % COLUMNS;
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
    store_first(count, c, sum);
}

/* C [rows, columns] at (row, column) of the target from one tile of A and one panel of B. `rows`
 * and `vectors` are constants after inlining: the sums live in registers. */
INLINE void tile(size_t rows, size_t vectors, enum tolk_gemm_packing packing, size_t k,
                 const real *a, size_t row_step, const real *b, const struct tolk_gemm_target *t,
                 size_t row, size_t column, size_t columns)
{
    real *c = t->c + row * t->ldc + column;
    vector sum[ROWS][VECTORS];
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            __builtin_prefetch(c + i * t->ldc + v * LANES, 1);
            sum[i][v] = (vector){0};
        }
    }
    const real *group[(ROWS + GROUP - 1) / GROUP];
    UNROLL
    for (size_t i = 0; i < rows; i += GROUP) {
        group[i / GROUP] = a + i * row_step;
    }
    for (size_t p = 0; p < k; p++) {
        vector bp[VECTORS];
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            bp[v] = load(b + v * LANES);
        }
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            const real ai = packing == TOLK_ALONG ? group[i / GROUP][i % GROUP * row_step] : a[i];
            UNROLL
            for (size_t v = 0; v < vectors; v++) {
                sum[i][v] = multiply_add(sum[i][v], ai, bp[v]);
            }
        }
        UNROLL
        for (size_t i = 0; i < rows; i += GROUP) {
            group[i / GROUP]++;
        }
        a += ROWS;
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

INLINE void tile_of(size_t rows, size_t vectors, enum tolk_gemm_packing packing, size_t k,
                    const real *a, size_t row_step, const real *b, const struct tolk_gemm_target *t,
                    size_t row, size_t column, size_t columns){
#define TILE(r) tile(r, vectors, packing, k, a, row_step, b, t, row, column, columns)
    TOLK_OF_HEIGHT(rows, ROWS, TILE)
#undef TILE
}

/* The next `lines` cache lines of what lies ahead. */
INLINE void prefetch(struct tolk_gemm_ahead *ahead, size_t *offset, size_t lines)
{
    for (; lines > 0 && ahead->rows > 0; lines--) {
        __builtin_prefetch(ahead->from + *offset, 0, 2);
        *offset += LINE;
        if (*offset >= ahead->width) {
            *offset = 0;
            ahead->from += ahead->step;
            ahead->rows--;
        }
    }
}

INLINE void multiply_packed(enum tolk_gemm_packing packing, size_t m, size_t n, size_t k,
                            const real *a, size_t a_step, const real *b,
                            const struct tolk_gemm_target *t, struct tolk_gemm_ahead ahead)
{
    const size_t tile_words = ROWS * (packing == TOLK_ALONG ? a_step : k);
    const size_t tiles = ((m + ROWS - 1) / ROWS) * ((n + COLUMNS - 1) / COLUMNS);
    const size_t lines = ahead.rows * ((ahead.width + LINE - 1) / LINE) / tiles + 1;
    size_t offset = 0;
    for (size_t j = 0; j < n; j += COLUMNS, b += COLUMNS * k) {
        size_t columns = n - j < COLUMNS ? n - j : COLUMNS;
        for (size_t i = 0; i < m; i += ROWS) {
            size_t rows = m - i < ROWS ? m - i : ROWS;
            prefetch(&ahead, &offset, lines);
            const real *ai = a + i / ROWS * tile_words;
            if (columns > LANES) {
                tile_of(rows, VECTORS, packing, k, ai, a_step, b, t, i, j, columns);
            } else {
                tile_of(rows, 1, packing, k, ai, a_step, b, t, i, j, columns);
            }
        }
    }
}

static void multiply(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, size_t a_step, const real *b_words,
                     const struct tolk_gemm_target *target, const struct tolk_gemm_ahead *ahead)
{
    if (packing_of_a == TOLK_ALONG) {
        multiply_packed(TOLK_ALONG, m, n, words_of(k), a_words, a_step, b_words, target, *ahead);
    } else {
        multiply_packed(TOLK_ACROSS, m, n, words_of(k), a_words, a_step, b_words, target, *ahead);
    }
}

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

#ifdef TOLK_GEMM_BFLOAT16
#define TABLE tolk_gemm_bfloat16_kernels_
#else
#define TABLE tolk_gemm_kernels_
#endif

const struct tolk_gemm_kernels JOIN(TABLE, TOLK_KERNEL_ISA) = {
    .rows = ROWS,
    .columns = COLUMNS,
    .lanes = LANES,
    .pair = PAIR,
    .pack_a = {pack_a_along, pack_a_across},
    .pack_b = {pack_b_along, pack_b_across},
    .multiply = multiply,
};
