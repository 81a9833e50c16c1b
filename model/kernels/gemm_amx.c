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

/* One tile: `count` rows or columns, k steps of them. Those of A lie as x does when it runs along
 * k, those of B when it runs across; else the square is turned. */
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

/* What all tiles of a product share. */
struct block {
    size_t m, n, words; /* along k */
    const struct tolk_gemm_target *target;
};

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

INLINE struct square square(const struct block *x, size_t row, size_t column, real *buffer)
{
    const struct tolk_gemm_target *t = x->target;
    struct square s = {
        .c = t->c + row * t->ldc + column,
        .ldc = t->ldc,
        .rows = smaller(x->m - row, SIDE),
        .columns = smaller(x->n - column, SIDE),
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

/* Registers have to be named where they are used: 0 to 3 are the sums, 4 and 5 of A, 6 and 7 of B.
 */
#define BEGIN(sums, s)                                                                             \
    if ((s)->first == NULL) {                                                                      \
        _tile_zero(sums);                                                                          \
    } else {                                                                                       \
        _tile_loadd(sums, (s)->first, (s)->step * sizeof(real));                                   \
    }
#define END(sums, s)                                                                               \
    if ((s)->buffer == NULL) {                                                                     \
        _tile_stored(sums, (s)->c, (s)->ldc * sizeof(real));                                       \
    } else {                                                                                       \
        _tile_stored(sums, (s)->buffer, TOLK_AMX_ROW_BYTES);                                       \
        empty_buffer(s);                                                                           \
    }
#define EACH(low, right, what, squares)                                                            \
    what(0, squares);                                                                              \
    if (right) {                                                                                   \
        what(1, (squares) + 1);                                                                    \
    }                                                                                              \
    if (low) {                                                                                     \
        what(2, (squares) + 2);                                                                    \
    }                                                                                              \
    if ((low) && (right)) {                                                                        \
        what(3, (squares) + 3);                                                                    \
    }

/* The sums of two strips of A and two of B. Meanwhile so many rows of C at `asked`, ldc apart, are
 * brought: the next. */
INLINE void add_products(bool low, bool right, size_t words, const real *a, const real *b,
                         const real *asked, size_t rows, size_t ldc)
{
    const size_t strip = SIDE * words;
    const size_t each = rows / (words / DEPTH + 1) + 1;
    for (const real *end = a + strip; a < end; a += TILE, b += TILE) {
        for (size_t i = 0; i < each && rows > 0; i++, rows--, asked += ldc) {
            __builtin_prefetch(asked, 1);
            __builtin_prefetch(asked + SIDE, 1);
        }
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
}

/* C at (row, column), two tiles high if `low`, two wide if `right`. */
INLINE void tiles(bool low, bool right, const struct block *x, const real *a, const real *b,
                  size_t row, size_t column)
{
    const struct tolk_gemm_target *t = x->target;
    const real *next = column + COLUMNS < x->n ? t->c + row * t->ldc + column + COLUMNS
                                               : t->c + (row + ROWS) * t->ldc;
    real buffers[4][TILE] __attribute__((aligned(64)));
    struct square squares[4];
    UNROLL
    for (size_t q = 0; q < 4; q++) {
        if ((low || q / 2 == 0) && (right || q % 2 == 0)) {
            squares[q] = square(x, row + q / 2 * SIDE, column + q % 2 * SIDE, buffers[q]);
        }
    }
    EACH(low, right, BEGIN, squares)
    add_products(low, right, x->words, a, b, next, smaller(x->m - row, ROWS), t->ldc);
    EACH(low, right, END, squares)
}

/* Along the rows of C: memory likes that better than columns, and two strips of A stay in the
 * cache. */
static void multiply(enum tolk_gemm_packing packing_of_a, size_t m, size_t n, size_t k,
                     const real *a_words, size_t a_step, const real *b_words,
                     const struct tolk_gemm_target *target, const struct tolk_gemm_ahead *ahead)
{
    (void)packing_of_a, (void)a_step, (void)ahead;
    const struct block block = {m, n, words_of(k), target};
    tolk_amx_begin();
    for (size_t i = 0; i < m; i += ROWS) {
        for (size_t j = 0; j < n; j += COLUMNS) {
            const real *a = a_words + i * block.words, *b = b_words + j * block.words;
            const bool low = m - i > SIDE, right = n - j > SIDE;
            if (low && right) {
                tiles(true, true, &block, a, b, i, j);
            } else if (low) {
                tiles(true, false, &block, a, b, i, j);
            } else if (right) {
                tiles(false, true, &block, a, b, i, j);
            } else {
                tiles(false, false, &block, a, b, i, j);
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
    .pieces = 4,
    .mc = TOLK_GEMM_MC_MAX,
    .pack_a = {pack_a_along, pack_a_across},
    .pack_b = {pack_b_along, pack_b_across},
    .multiply = multiply,
};
