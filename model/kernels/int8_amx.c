/* The products of int8.h on the tiles of AMX. Panels and rows are those of avx512vnni, bytes of a
 * unsigned: a panel's 16 words of k are two tiles as they lie, and 16 rows of a are one.
 *
 * y is made in blocks of 32 rows by a panel's 32 columns, four tiles of sums. While the tiles
 * multiply for one block, the vector units make numbers of the sums of the one before. */
#include "model/kernels/amx.h"
#include "model/kernels/int8.h"

#include <math.h>
#include <stdbool.h>

enum {
    LANES = TOLK_AMX_ROWS,
    COLUMNS = TOLK_INT8_COLUMNS_MAX,
    HEIGHT = 2 * TOLK_AMX_ROWS,
    STEPS = TOLK_AMX_ROW_BYTES, /* of k in a tile */
    PANEL_ROW = COLUMNS * TOLK_INT8_WORD,
    /* Tiles of up to two rows cost the time of two rows: those are vectors' work. */
    ROWS_FOR_VECTORS = 2,
};

static const struct tolk_int8_kernels *const vectors = &tolk_int8_kernels_avx512vnni;

/* The sums of a block on their way to y. */
struct block {
    int32_t sum[HEIGHT][COLUMNS] __attribute__((aligned(64)));
    size_t i, j, rows; /* where in y; rows: 0 before the first */
    __mmask16 mask[2]; /* of the columns that y has */
};

/* y = sum · (a_scale · scale) + bias: as int8.c has it for avx512vnni, to the bit. */
static void put(const struct tolk_int8_product *x, const struct block *block)
{
    const size_t j = block->j;
    const size_t rows = block->rows;
    const __mmask16 first = block->mask[0];
    const __mmask16 second = block->mask[1];
    const __m512 scales[2] = {_mm512_loadu_ps(x->scales + j),
                              _mm512_loadu_ps(x->scales + j + LANES)};
    const __m512 least = _mm512_set1_ps(x->relu ? 0 : -INFINITY);
    const real *a_scales = x->a_scales + block->i;
    const size_t ldy = x->ldy;
    __m512 bias[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    if (x->bias != NULL) {
        bias[0] = _mm512_maskz_loadu_ps(first, x->bias + j);
        bias[1] = _mm512_maskz_loadu_ps(second, x->bias + j + LANES);
    }
    real *y = x->y + block->i * ldy + j;
    for (size_t r = 0; r < rows; r++, y += ldy) {
        const __m512 scale = _mm512_set1_ps(a_scales[r]);
        const __m512 left = _mm512_cvtepi32_ps(_mm512_load_si512(block->sum[r]));
        const __m512 right = _mm512_cvtepi32_ps(_mm512_load_si512(block->sum[r] + LANES));
        /* The maximum of a number and a NaN is its second operand: a NaN stays one. */
        _mm512_mask_storeu_ps(
            y, first,
            _mm512_max_ps(least, _mm512_fmadd_ps(left, _mm512_mul_ps(scales[0], scale), bias[0])));
        _mm512_mask_storeu_ps(
            y + LANES, second,
            _mm512_max_ps(least, _mm512_fmadd_ps(right, _mm512_mul_ps(scales[1], scale), bias[1])));
    }
}

/* Tiles 0 to 3 hold the sums, which begin with the offsets in each row; 4 and 5 rows of a, the
 * second sixteen where the block is `high`; 6 and 7 the panel. */
static inline __attribute__((always_inline)) void
multiply_block(const struct tolk_int8_product *x, const int8_t *panel, struct block *now, bool high)
{
    const size_t lda = x->lda;
    const size_t k = x->k;
    const int32_t *offsets = x->offsets + now->j;
    const int8_t *a = x->a + now->i * lda;
    const int8_t *below = a + TOLK_AMX_ROWS * lda;
    _tile_loadd(0, offsets, 0);
    _tile_loadd(1, offsets + LANES, 0);
    if (high) {
        _tile_loadd(2, offsets, 0);
        _tile_loadd(3, offsets + LANES, 0);
    }
    for (size_t p = 0; p < k; p += STEPS, panel += STEPS * COLUMNS) {
        _tile_loadd(4, a + p, lda);
        _tile_loadd(6, panel, PANEL_ROW);
        _tile_loadd(7, panel + PANEL_ROW / 2, PANEL_ROW);
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 7);
        if (high) {
            _tile_loadd(5, below + p, lda);
            _tile_dpbusd(2, 5, 6);
            _tile_dpbusd(3, 5, 7);
        }
    }
    _tile_stored(0, now->sum[0], sizeof now->sum[0]);
    _tile_stored(1, now->sum[0] + LANES, sizeof now->sum[0]);
    if (high) {
        _tile_stored(2, now->sum[TOLK_AMX_ROWS], sizeof now->sum[0]);
        _tile_stored(3, now->sum[TOLK_AMX_ROWS] + LANES, sizeof now->sum[0]);
    }
}

static __mmask16 mask_of(size_t columns)
{
    return columns >= LANES ? (__mmask16)-1 : (__mmask16)((1u << columns) - 1);
}

static void block_begin(struct block *block, const struct tolk_int8_product *x, size_t i, size_t j)
{
    block->i = i;
    block->j = j;
    block->rows = x->m - i < HEIGHT ? x->m - i : HEIGHT;
    block->mask[0] = mask_of(x->n - j);
    block->mask[1] = x->n - j > LANES ? mask_of(x->n - j - LANES) : 0;
}

static void multiply_tiles(const struct tolk_int8_product *x)
{
    struct block blocks[2];
    const size_t bytes = COLUMNS * tolk_int8_padded(x->k);
    size_t turn = 0;
    blocks[1].rows = 0;
    tolk_amx_begin();
    const int8_t *panel = x->panels;
    for (size_t j = 0; j < x->n; j += COLUMNS, panel += bytes) {
        for (size_t i = 0; i < x->m; i += HEIGHT, turn ^= 1) {
            struct block *now = &blocks[turn];
            block_begin(now, x, i, j);
            if (now->rows > TOLK_AMX_ROWS) {
                multiply_block(x, panel, now, true);
            } else {
                multiply_block(x, panel, now, false);
            }
            if (blocks[turn ^ 1].rows > 0) {
                put(x, &blocks[turn ^ 1]);
            }
        }
    }
    tolk_amx_end();
    put(x, &blocks[turn ^ 1]);
}

static void multiply(const struct tolk_int8_product *x)
{
    if (x->m <= ROWS_FOR_VECTORS) {
        vectors->multiply(x);
    } else {
        multiply_tiles(x);
    }
}

static void quantize(size_t m, size_t k, const real *x, size_t ldx, int8_t *a, size_t lda,
                     real *a_scales)
{
    vectors->quantize(m, k, x, ldx, a, lda, a_scales);
}

static void pack(size_t n, size_t k, const real *w, size_t ldw, int8_t *panels, real *scales,
                 int32_t *offsets)
{
    vectors->pack(n, k, w, ldw, panels, scales, offsets);
}

const struct tolk_int8_kernels tolk_int8_kernels_amx = {
    .columns = COLUMNS,
    .number = sizeof(int8_t),
    .quantize = quantize,
    .pack = pack,
    .multiply = multiply,
};
