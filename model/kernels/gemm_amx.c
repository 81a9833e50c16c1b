/* The products of bfloat16 on the tiles of Intel AMX: 16 x 16 sums and 32 steps of k at once.
 *
 *     A strip: 16 rows, tile after tile along k     tile[row][k], 16 words a row
 *     B strip: 16 columns, the same                 tile[k][column]
 *
 * A tile is 1 KB without a gap. k is filled with zeros to a whole tile; rows and columns are not,
 * their sums are left out. Sums begin as zero, as the bias or as C, which the tiles load
 * themselves, and are stored by them: C passes through no other register. */
#include "model/kernels/gemm.h"

#include <string.h>

#include "model/kernels/amx.h"
#include "model/kernels/bfloat16.h"
#include "model/kernels/transpose.h"

enum {
    SIDE = TOLK_AMX_ROWS,
    DEPTH = TOLK_AMX_ROW_BYTES / sizeof(real), /* words */
    PAIR = TOLK_BFLOAT16_PAIR,
    TILE = SIDE * DEPTH,
    ROWS = 2 * SIDE, /* of C at once: each tile of A and of B is multiplied twice */
    COLUMNS = 2 * SIDE,
};

typedef tolk_vector vector;

#define INLINE static inline __attribute__((always_inline))
#define UNROLL TOLK_UNROLL

INLINE size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

INLINE size_t words_of(size_t k)
{
    return (k + PAIR * DEPTH - 1) / (PAIR * DEPTH) * DEPTH;
}

/* ---- packing ------------------------------------------------------------------------------------
 */

/* One tile: `count` rows or columns, k steps of them. Those of A lie as x does when it runs along k,
 * those of B when it runs across; else the square is turned. */
INLINE void pack_tile(bool along, bool turned, size_t count, size_t k, const real *x, size_t ldx,
                      real *tile)
{
    vector words[SIDE];
    UNROLL
    for (size_t i = 0; i < SIDE; i++) {
        if (along) {
            words[i] = i < count ? tolk_bfloat16_along(k, x + i * ldx) : (vector){0};
        } else {
            const real *row = x + i * PAIR * ldx;
            words[i] = i * PAIR < k
                           ? tolk_bfloat16_across(count, row, i * PAIR + 1 < k ? row + ldx : NULL)
                           : (vector){0};
        }
    }
    if (turned) {
        tolk_transpose(words);
    }
    UNROLL
    for (size_t i = 0; i < SIDE; i++) {
        tolk_store(tile + i * DEPTH, words[i]);
    }
}

INLINE void pack_any_tile(bool along, bool turned, size_t count, size_t k, const real *x,
                          size_t ldx, real *tile)
{
    if (count >= SIDE && k >= PAIR * DEPTH) {
        pack_tile(along, turned, SIDE, PAIR * DEPTH, x, ldx, tile);
    } else {
        pack_tile(along, turned, smaller(count, SIDE), smaller(k, PAIR * DEPTH), x, ldx, tile);
    }
}

/* x [n, k], a strip after the other. */
INLINE void pack_along(bool turned, size_t n, size_t k, const real *x, size_t ldx, real *words)
{
    for (size_t i = 0; i < n; i += SIDE) {
        for (size_t p = 0; p < k; p += PAIR * DEPTH, words += TILE) {
            pack_any_tile(true, turned, n - i, k - p, x + i * ldx + p, ldx, words);
        }
    }
}

/* x [k, n], from end to end of a few rows before the next, since memory is read so. */
INLINE void pack_across(bool turned, size_t n, size_t k, const real *x, size_t ldx, real *words)
{
    const size_t strip = SIDE * words_of(k);
    for (size_t p = 0; p < k; p += PAIR * DEPTH, words += TILE) {
        for (size_t i = 0; i < n; i += SIDE) {
            pack_any_tile(false, turned, n - i, k - p, x + p * ldx + i, ldx,
                          words + i / SIDE * strip);
        }
    }
}

static void pack_a_along(size_t m, size_t k, const real *a, size_t lda, real *words)
{
    pack_along(false, m, k, a, lda, words);
}

static void pack_a_across(size_t m, size_t k, const real *a, size_t lda, real *words)
{
    pack_across(true, m, k, a, lda, words);
}

static void pack_b_along(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    pack_along(true, n, k, b, ldb, words);
}

static void pack_b_across(size_t n, size_t k, const real *b, size_t ldb, real *words)
{
    pack_across(false, n, k, b, ldb, words);
}

/* ---- the product --------------------------------------------------------------------------------
 */

/* Where a tile of C is loaded from and stored to: where it lies, or a buffer when only a part of it
 * is C's. */
struct square {
    real *c;
    size_t ldc, rows, columns;
    const real *first; /* what the sums begin with; NULL: zero */
    size_t step;       /* between its rows: 0 for the bias */
    real *buffer;      /* NULL: the tile is full */
};

/* Tiles load and store whole rows alone. */
static void fill_buffer(struct square *s)
{
    for (size_t i = 0; i < s->rows; i++) {
        tolk_store(s->buffer + i * SIDE, tolk_load_part(s->first + i * s->step, s->columns));
    }
    s->first = s->buffer;
    s->step = SIDE;
    tolk_amx_written();
}

static void empty_buffer(const struct square *s)
{
    for (size_t i = 0; i < s->rows; i++) {
        tolk_store_part(s->c + i * s->ldc, tolk_load(s->buffer + i * SIDE), s->columns);
    }
}

INLINE struct square square(const struct tolk_gemm_target *t, size_t m, size_t n, size_t row,
                            size_t column, real *buffer)
{
    struct square s = {
        .c = t->c + row * t->ldc + column,
        .ldc = t->ldc,
        .rows = smaller(m - row, SIDE),
        .columns = smaller(n - column, SIDE),
    };
    if (t->accumulate) {
        s.first = s.c;
        s.step = s.ldc;
    } else if (t->bias != NULL) {
        s.first = t->bias + column;
    }
    if (s.rows < SIDE || s.columns < SIDE) {
        s.buffer = buffer;
        if (s.first != NULL) {
            fill_buffer(&s);
        }
    }
    return s;
}

/* Registers have to be named where they are used: 0 to 3 the sums, 4 and 5 of A, 6 and 7 of B. */
#define BEGIN(sums, s)                                                                             \
    if ((s).first == NULL) {                                                                       \
        _tile_zero(sums);                                                                          \
    } else {                                                                                       \
        _tile_loadd(sums, (s).first, (s).step * sizeof(real));                                     \
    }
#define END(sums, s)                                                                               \
    if ((s).buffer == NULL) {                                                                      \
        _tile_stored(sums, (s).c, (s).ldc * sizeof(real));                                         \
    } else {                                                                                       \
        _tile_stored(sums, (s).buffer, TOLK_AMX_ROW_BYTES);                                        \
        empty_buffer(&(s));                                                                        \
    }

/* C at (row, column), two tiles high if `low`, two wide if `right`, from strips of `words` words a
 * row. */
INLINE void tiles(bool low, bool right, size_t m, size_t n, size_t words, const real *a,
                  const real *b, const struct tolk_gemm_target *t, size_t row, size_t column)
{
    real buffers[4][TILE] __attribute__((aligned(64)));
    struct square s0 = square(t, m, n, row, column, buffers[0]), s1, s2, s3;
    BEGIN(0, s0);
    if (right) {
        s1 = square(t, m, n, row, column + SIDE, buffers[1]);
        BEGIN(1, s1);
    }
    if (low) {
        s2 = square(t, m, n, row + SIDE, column, buffers[2]);
        BEGIN(2, s2);
    }
    if (low && right) {
        s3 = square(t, m, n, row + SIDE, column + SIDE, buffers[3]);
        BEGIN(3, s3);
    }
    const size_t strip = SIDE * words;
    for (const real *end = a + strip; a < end; a += TILE, b += TILE) {
        _tile_loadd(6, b, TOLK_AMX_ROW_BYTES);
        _tile_loadd(4, a, TOLK_AMX_ROW_BYTES);
        _tile_dpbf16ps(0, 4, 6);
        if (right) {
            _tile_loadd(7, b + strip, TOLK_AMX_ROW_BYTES);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (low) {
            _tile_loadd(5, a + strip, TOLK_AMX_ROW_BYTES);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (low && right) {
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    END(0, s0);
    if (right) {
        END(1, s1);
    }
    if (low) {
        END(2, s2);
    }
    if (low && right) {
        END(3, s3);
    }
}

static void multiply(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, size_t a_step, const real *b_words,
                     const struct tolk_gemm_target *target, const struct tolk_gemm_ahead *ahead)
{
    (void)packing_of_a, (void)a_step, (void)ahead;
    const size_t words = words_of(k);
    tolk_amx_begin();
    for (size_t j = 0; j < n; j += COLUMNS) {
        const real *b = b_words + j * words;
        for (size_t i = 0; i < m; i += ROWS) {
            const real *a = a_words + i * words;
            const bool low = m - i > SIDE, right = n - j > SIDE;
            if (low && right) {
                tiles(true, true, m, n, words, a, b, target, i, j);
            } else if (low) {
                tiles(true, false, m, n, words, a, b, target, i, j);
            } else if (right) {
                tiles(false, true, m, n, words, a, b, target, i, j);
            } else {
                tiles(false, false, m, n, words, a, b, target, i, j);
            }
        }
    }
    tolk_amx_end();
}

const struct tolk_gemm_kernels tolk_gemm_bfloat16_kernels_amx = {
    .rows = ROWS,
    .columns = COLUMNS,
    .lanes = DEPTH,
    .pair = PAIR,
    .depth = DEPTH,
    .mc = TOLK_GEMM_MC_MAX,
    .pack_a = {pack_a_along, pack_a_across},
    .pack_b = {pack_b_along, pack_b_across},
    .multiply = multiply,
};
