/* The products of int8.h on the tiles of AMX. Panels and rows are those of avx512vnni, bytes of a
 * unsigned: a panel's 16 words of k are two tiles as they lie, and 16 rows of a are one.
 *
 * A tile of y is 16 rows by a panel's 32 columns, two tiles of sums. While the products of one run,
 * the vector units make numbers of the sums of the one before. The last rows have tiles of their
 * height, so that nothing is read beyond them. */
#include "model/kernels/amx.h"
#include "model/kernels/int8.h"

#include <math.h>

enum {
    LANES = TOLK_AMX_ROWS,
    COLUMNS = TOLK_INT8_COLUMNS_MAX,
    STEPS = TOLK_AMX_ROW_BYTES, /* of k in a tile */
    PANEL_ROW = COLUMNS * TOLK_INT8_WORD,
    /* The tiles of up to two rows cost the time of two rows: those are vectors' work. */
    ROWS_FOR_VECTORS = 2,
};

static const struct tolk_int8_kernels *const vectors = &tolk_int8_kernels_avx512vnni;

/* Sums [rows, COLUMNS], one tile beside the other, on their way to y. */
struct sums {
    int32_t sum[2][TOLK_AMX_ROWS][LANES] __attribute__((aligned(64)));
    size_t i, j, rows; /* where in y; rows: 0 before the first */
};

/* y = sum · (a_scale · scale) + bias in the columns [j, j + LANES) that `mask` leaves: as int8.c
 * has it for avx512vnni, to the bit. */
static inline __attribute__((always_inline)) void
put_columns(const struct tolk_int8_product *x, const struct sums *sums, size_t v, __mmask16 mask)
{
    const size_t j = sums->j + v * LANES;
    const __m512 scale = _mm512_loadu_ps(x->scales + j);
    const __m512 bias =
        x->bias != NULL ? _mm512_maskz_loadu_ps(mask, x->bias + j) : _mm512_setzero_ps();
    const __m512 least = _mm512_set1_ps(x->relu ? 0 : -INFINITY);
    const real *a_scales = x->a_scales + sums->i;
    real *y = x->y + sums->i * x->ldy + j;
    for (size_t r = 0; r < sums->rows; r++, y += x->ldy) {
        const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(a_scales[r]));
        const __m512 sum = _mm512_cvtepi32_ps(_mm512_load_si512(sums->sum[v][r]));
        const __m512 scaled = _mm512_fmadd_ps(sum, factor, bias);
        _mm512_mask_storeu_ps(y, mask, _mm512_max_ps(least, scaled)); /* a NaN stays one */
    }
}

static inline __attribute__((always_inline)) void put(const struct tolk_int8_product *x,
                                                      const struct sums *sums)
{
    for (size_t v = 0; v < 2; v++) {
        const size_t j = sums->j + v * LANES;
        if (j + LANES <= x->n) {
            put_columns(x, sums, v, (__mmask16)-1);
        } else if (j < x->n) {
            put_columns(x, sums, v, (__mmask16)((1u << (x->n - j)) - 1));
        }
    }
}

/* Tiles 0 to 2 for 16 rows: two of sums, one of a; tiles 3 to 5 the same for the last `rows`; 6 and
 * 7 of a panel. */
static void configure(size_t rows)
{
    struct tolk_amx_config config = {.palette = 1};
    for (size_t t = 0; t < 8; t++) {
        config.row_bytes[t] = TOLK_AMX_ROW_BYTES;
        config.rows[t] = t >= 3 && t < 6 ? (uint8_t)rows : TOLK_AMX_ROWS;
    }
    tolk_amx_configure(&config);
}

/* Numbers of tiles are part of an instruction. The sums begin with the offsets, in each row. */
#define MULTIPLY(s0, s1, a_tile)                                                                   \
    do {                                                                                           \
        _tile_loadd(s0, x->offsets + now->j, 0);                                                   \
        _tile_loadd(s1, x->offsets + now->j + LANES, 0);                                           \
        for (size_t p = 0; p < x->k; p += STEPS) {                                                 \
            _tile_loadd(a_tile, a + p, x->lda);                                                    \
            _tile_loadd(6, panel + p * COLUMNS, PANEL_ROW);                                        \
            _tile_loadd(7, panel + p * COLUMNS + PANEL_ROW / 2, PANEL_ROW);                        \
            _tile_dpbusd(s0, a_tile, 6);                                                           \
            _tile_dpbusd(s1, a_tile, 7);                                                           \
        }                                                                                          \
        _tile_stored(s0, now->sum[0], TOLK_AMX_ROW_BYTES);                                         \
        _tile_stored(s1, now->sum[1], TOLK_AMX_ROW_BYTES);                                         \
    } while (0)

static inline __attribute__((always_inline)) void
multiply_tile(const struct tolk_int8_product *x, const int8_t *panel, struct sums *now)
{
    const int8_t *a = x->a + now->i * x->lda;
    if (now->rows == TOLK_AMX_ROWS) {
        MULTIPLY(0, 1, 2);
    } else {
        MULTIPLY(3, 4, 5);
    }
}

static void multiply_tiles(const struct tolk_int8_product *x)
{
    struct sums sums[2] = {{.rows = 0}, {.rows = 0}};
    const size_t bytes = COLUMNS * tolk_int8_padded(x->k);
    const size_t tiles = (x->m + TOLK_AMX_ROWS - 1) / TOLK_AMX_ROWS;
    const size_t share = (bytes / tiles + TOLK_AMX_ROW_BYTES - 1) / TOLK_AMX_ROW_BYTES;
    size_t turn = 0;
    configure(x->m - (tiles - 1) * TOLK_AMX_ROWS);
    const int8_t *panel = x->panels;
    for (size_t j = 0; j < x->n; j += COLUMNS, panel += bytes) {
        const int8_t *next = panel + bytes;
        for (size_t i = 0; i < x->m; i += TOLK_AMX_ROWS, turn ^= 1) {
            struct sums *now = &sums[turn];
            now->i = i;
            now->j = j;
            now->rows = x->m - i < TOLK_AMX_ROWS ? x->m - i : TOLK_AMX_ROWS;
            for (size_t line = 0; line < share; line++, next += TOLK_AMX_ROW_BYTES) {
                __builtin_prefetch(next, 0, 2);
            }
            multiply_tile(x, panel, now);
            put(x, &sums[turn ^ 1]);
            tolk_amx_written();
        }
    }
    put(x, &sums[turn ^ 1]);
    tolk_amx_end();
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
    .quantize = quantize,
    .pack = pack,
    .multiply = multiply,
};
