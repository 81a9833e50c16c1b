/* Products of bfloat16 on the tiles of Intel AMX: 16 x 16 sums and 32 steps of k at once.
 *
 *     A strip: 16 rows, tile after tile along k     tile[row][k], 16 words a row
 *     B strip: 16 columns, the same                 tile[k][column]
 *
 * A tile is 1 KB without a gap. k, rows and columns are filled with zeros to a whole tile; the sums
 * beyond C are left out. Sums begin as zero, as the bias or as C, which the tiles load
 * themselves, and are stored by them: C passes through no other register.
 *
 * A number is one term, itself rounded, or three whose sum it is (bfloat16.h). Then three tiles
 * follow one another for the same steps, and
 *
 *     a b = a0 b0 + (a0 b1 + a1 b0) + (a0 b2 + a1 b1 + a2 b0)      within 2^-22 |a b|
 *
 * is a product of float32 for 6 / 16 of the time that its multiplications take: Henry, Tang and
 * Heinecke, Leveraging the bfloat16 artificial intelligence datatype for higher-precision
 * computations (2019). Steps are summed by 16 before they meet the rest, so that errors are mostly
 * smaller than those of a chain of float32. */
#ifndef TOLK_MODEL_KERNELS_AMX_PRODUCT_H
#define TOLK_MODEL_KERNELS_AMX_PRODUCT_H

#include <stdbool.h>

#include "model/kernels/amx.h"
#include "model/kernels/bfloat16.h"
#include "model/kernels/gemm.h"

enum {
    TOLK_AMX_SIDE = TOLK_AMX_ROWS,
    TOLK_AMX_WORDS = TOLK_AMX_ROW_BYTES / sizeof(real), /* of a row of a tile */
    TOLK_AMX_TILE = TOLK_AMX_SIDE * TOLK_AMX_WORDS,
    TOLK_AMX_STEPS = TOLK_BFLOAT16_PAIR * TOLK_AMX_WORDS, /* of k in a tile */
    TOLK_AMX_BLOCK = 2 * TOLK_AMX_SIDE, /* C at once: each tile is multiplied twice */
};

#define TOLK_AMX_INLINE static inline __attribute__((always_inline))

/* How many words k steps take of a row or column. */
TOLK_AMX_INLINE size_t tolk_amx_words(size_t terms, size_t k)
{
    return (k + TOLK_AMX_STEPS - 1) / TOLK_AMX_STEPS * TOLK_AMX_WORDS * terms;
}

/* What all tiles of a product share. */
struct tolk_amx_product {
    size_t m, n, words; /* of a strip's row or column, along k */
    const struct tolk_gemm_target *target;
};

/* Where a tile of C is loaded from and stored to: where it lies, or a buffer when only a part of it
 * is C's. */
struct tolk_amx_square {
    real *c;
    size_t ldc, rows, columns;
    const real *first; /* what the sums begin with; NULL: zero */
    size_t step;       /* between its rows: 0 for the bias */
    real *buffer;      /* NULL: the tile is full */
};

/* Tiles load and store whole rows alone. */
static inline void tolk_amx_fill(struct tolk_amx_square *s)
{
    for (size_t i = 0; i < s->rows; i++) {
        tolk_store(s->buffer + i * TOLK_AMX_WORDS,
                   tolk_load_part(s->first + i * s->step, s->columns));
    }
    s->first = s->buffer;
    s->step = TOLK_AMX_WORDS;
    tolk_amx_written();
}

static inline void tolk_amx_empty(const struct tolk_amx_square *s)
{
    for (size_t i = 0; i < s->rows; i++) {
        tolk_store_part(s->c + i * s->ldc, tolk_load(s->buffer + i * TOLK_AMX_WORDS), s->columns);
    }
}

TOLK_AMX_INLINE size_t tolk_amx_side(size_t rest)
{
    return rest < TOLK_AMX_SIDE ? rest : TOLK_AMX_SIDE;
}

TOLK_AMX_INLINE struct tolk_amx_square tolk_amx_square(const struct tolk_amx_product *x, size_t row,
                                                       size_t column, real *buffer)
{
    const struct tolk_gemm_target *t = x->target;
    struct tolk_amx_square s = {
        .c = t->c + row * t->ldc + column,
        .ldc = t->ldc,
        .rows = tolk_amx_side(x->m - row),
        .columns = tolk_amx_side(x->n - column),
    };
    if (t->accumulate) {
        s.first = s.c;
        s.step = s.ldc;
    } else if (t->bias != NULL) {
        s.first = t->bias + column;
    }
    if (s.rows < TOLK_AMX_SIDE || s.columns < TOLK_AMX_SIDE) {
        s.buffer = buffer;
        if (s.first != NULL) {
            tolk_amx_fill(&s);
        }
    }
    return s;
}

/* Registers have to be named where they are used: 0 to 3 are the sums, 4 and 5 of A, 6 and 7 of B.
 */
#define TOLK_AMX_BEGIN(sums, s)                                                                    \
    if ((s)->first == NULL) {                                                                      \
        _tile_zero(sums);                                                                          \
    } else {                                                                                       \
        _tile_loadd(sums, (s)->first, (s)->step * sizeof(real));                                   \
    }
#define TOLK_AMX_END(sums, s)                                                                      \
    if ((s)->buffer == NULL) {                                                                     \
        _tile_stored(sums, (s)->c, (s)->ldc * sizeof(real));                                       \
    } else {                                                                                       \
        _tile_stored(sums, (s)->buffer, TOLK_AMX_ROW_BYTES);                                       \
        tolk_amx_empty(s);                                                                         \
    }
#define TOLK_AMX_EACH(low, right, what, squares)                                                   \
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
#define TOLK_AMX_LOAD(first, second, both, strip, x)                                               \
    do {                                                                                           \
        _tile_loadd(first, x, TOLK_AMX_ROW_BYTES);                                                 \
        if (both) {                                                                                \
            _tile_loadd(second, (x) + (strip), TOLK_AMX_ROW_BYTES);                                \
        }                                                                                          \
    } while (false)
#define TOLK_AMX_ADD(low, right)                                                                   \
    do {                                                                                           \
        _tile_dpbf16ps(0, 4, 6);                                                                   \
        if (right) {                                                                               \
            _tile_dpbf16ps(1, 4, 7);                                                               \
        }                                                                                          \
        if (low) {                                                                                 \
            _tile_dpbf16ps(2, 5, 6);                                                               \
        }                                                                                          \
        if ((low) && (right)) {                                                                    \
            _tile_dpbf16ps(3, 5, 7);                                                               \
        }                                                                                          \
    } while (false)

/* The products of one tile's steps. Of terms the small products come first, in an order that
 * exchanges one operand at a time. */
TOLK_AMX_INLINE void tolk_amx_step(size_t terms, bool low, bool right, size_t strip, const real *a,
                                   const real *b)
{
#define A(term) TOLK_AMX_LOAD(4, 5, low, strip, a + (term)*TOLK_AMX_TILE)
#define B(term) TOLK_AMX_LOAD(6, 7, right, strip, b + (term)*TOLK_AMX_TILE)
#define ADD() TOLK_AMX_ADD(low, right)
    if (terms == 1) {
        B(0);
        A(0);
        ADD();
        return;
    }
    A(0);
    B(2);
    ADD();
    A(1);
    B(1);
    ADD();
    B(0);
    ADD();
    A(2);
    ADD();
    A(0);
    ADD();
    B(1);
    ADD();
#undef A
#undef B
#undef ADD
}

/* What is asked for between the steps: rows of TOLK_AMX_BLOCK numbers, `step` apart. */
struct tolk_amx_ahead {
    const real *from;
    size_t rows, step;
    size_t each; /* rows at once */
};

TOLK_AMX_INLINE void tolk_amx_ask(struct tolk_amx_ahead *ahead)
{
    for (size_t i = 0; i < ahead->each && ahead->rows > 0; i++, ahead->rows--) {
        __builtin_prefetch(ahead->from, 1);
        __builtin_prefetch(ahead->from + TOLK_AMX_SIDE, 1);
        ahead->from += ahead->step;
    }
}

/* The sums of two strips of A and two of B. */
TOLK_AMX_INLINE void tolk_amx_sums(size_t terms, bool low, bool right, size_t words, const real *a,
                                   const real *b, struct tolk_amx_ahead *ahead)
{
    const size_t strip = TOLK_AMX_SIDE * words, tiles = terms * TOLK_AMX_TILE;
    for (const real *end = a + strip; a < end; a += tiles, b += tiles) {
        tolk_amx_ask(ahead);
        tolk_amx_step(terms, low, right, strip, a, b);
    }
}

/* C at (row, column), two tiles high if `low`, two wide if `right`. */
TOLK_AMX_INLINE void tolk_amx_block_of(size_t terms, bool low, bool right,
                                       const struct tolk_amx_product *x, const real *a,
                                       const real *b, size_t row, size_t column,
                                       struct tolk_amx_ahead *ahead)
{
    real buffers[4][TOLK_AMX_TILE] __attribute__((aligned(64)));
    struct tolk_amx_square squares[4];
    TOLK_UNROLL
    for (size_t q = 0; q < 4; q++) {
        if ((low || q / 2 == 0) && (right || q % 2 == 0)) {
            squares[q] = tolk_amx_square(x, row + q / 2 * TOLK_AMX_SIDE,
                                         column + q % 2 * TOLK_AMX_SIDE, buffers[q]);
        }
    }
    TOLK_AMX_EACH(low, right, TOLK_AMX_BEGIN, squares)
    tolk_amx_sums(terms, low, right, x->words, a, b, ahead);
    TOLK_AMX_EACH(low, right, TOLK_AMX_END, squares)
}

/* C at (row, column), up to TOLK_AMX_BLOCK high and wide, from the strips of A and B that begin
 * there. */
TOLK_AMX_INLINE void tolk_amx_block(size_t terms, const struct tolk_amx_product *x, const real *a,
                                    const real *b, size_t row, size_t column,
                                    struct tolk_amx_ahead *ahead)
{
    const bool low = x->m - row > TOLK_AMX_SIDE, right = x->n - column > TOLK_AMX_SIDE;
    if (low && right) {
        tolk_amx_block_of(terms, true, true, x, a, b, row, column, ahead);
    } else if (low) {
        tolk_amx_block_of(terms, true, false, x, a, b, row, column, ahead);
    } else if (right) {
        tolk_amx_block_of(terms, false, true, x, a, b, row, column, ahead);
    } else {
        tolk_amx_block_of(terms, false, false, x, a, b, row, column, ahead);
    }
}

#endif
