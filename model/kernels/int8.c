/* The products of int8.h. What differs between the instruction sets is in int8_vectors.h. */
#include "model/kernels/int8.h"

#include "model/kernels/int8_vectors.h"
#include "model/kernels/kernel.h"
#include "model/kernels/tiles.h"

enum { COLUMNS = LANES * VECTORS, PANEL_WORD = COLUMNS * WORD, NUMBER = sizeof(number) };

static size_t words_of(size_t k)
{
    return (k + WORD - 1) / WORD;
}

/* ---- quantisation -------------------------------------------------------------------------------
 */

enum { LARGEST = 127 };

/* max |x|; NaN when a number is: as integers, the magnitudes of floats stand in their order, behind
 * infinity the NaNs. */
static float largest_magnitude(size_t k, const float *x)
{
    int32_t largest = 0;
#pragma omp simd reduction(max : largest)
    for (size_t p = 0; p < k; p++) {
        int32_t bits;
        memcpy(&bits, x + p, sizeof bits);
        bits &= INT32_MAX;
        largest = bits > largest ? bits : largest;
    }
    float magnitude;
    memcpy(&magnitude, &largest, sizeof magnitude);
    return magnitude;
}

/* Numbers below this all become zero: the reciprocal of their scale would be infinite. */
static const float smallest = 0x1p-119F;

static float factor_for(float magnitude)
{
    return magnitude < smallest ? 0 : LARGEST / magnitude;
}

static float scale_for(float magnitude)
{
    return magnitude < smallest ? 0 : magnitude / LARGEST;
}

typedef void rounding(const float *x, float factor, int8_t *to);

/* k numbers to whole words of `size` bytes a number, zeros behind the last. */
INLINE void quantize_row(rounding *rounded, size_t size, size_t k, const float *x, float factor,
                         int8_t *to)
{
    size_t p = 0;
    for (; p + LANES <= k; p += LANES) {
        rounded(x + p, factor, to + p * size);
    }
    if (p < k) {
        float rest[LANES] = {0};
        int8_t last[LANES * sizeof(number)];
        memcpy(rest, x + p, (k - p) * sizeof *rest);
        rounded(rest, factor, last);
        memcpy(to + p * size, last, words_of(k - p) * WORD * size);
    }
}

static void quantize(size_t m, size_t k, const real *x, size_t ldx, int8_t *a, size_t lda,
                     real *a_scales)
{
    for (size_t i = 0; i < m; i++, x += ldx, a += lda) {
        const float magnitude = largest_magnitude(k, x);
        a_scales[i] = scale_for(magnitude);
        quantize_row(round_to_numbers, NUMBER, k, x, factor_for(magnitude), a);
    }
}

/* One panel: up to COLUMNS rows of W, quantised piece by piece and turned word by word. */
static void pack_panel(size_t columns, size_t k, const float *w, size_t ldw, int8_t *panel,
                       float *scales, int32_t *offsets)
{
    enum { PIECE = 64 };
    int8_t piece[COLUMNS][PIECE] = {{0}};
    float factors[COLUMNS];
    for (size_t j = 0; j < columns; j++) {
        const float magnitude = largest_magnitude(k, w + j * ldw);
        scales[j] = scale_for(magnitude);
        factors[j] = factor_for(magnitude);
        offsets[j] = 0;
    }
    for (size_t p = 0; p < k; p += PIECE) {
        const size_t count = k - p < PIECE ? k - p : PIECE;
        const size_t words = words_of(count);
        for (size_t j = 0; j < columns; j++) {
            quantize_row(round_to_bytes, 1, count, w + j * ldw + p, factors[j], piece[j]);
            int32_t sum = 0;
            for (size_t i = 0; i < words * WORD; i++) {
                sum += piece[j][i];
            }
            offsets[j] -= SHIFT * sum;
        }
        for (size_t i = 0; i < words; i++, panel += PANEL_WORD) {
            for (size_t j = 0; j < COLUMNS; j++) {
                memcpy(panel + j * WORD, piece[j] + i * WORD, WORD);
            }
        }
    }
    memset(panel, 0, COLUMNS * (tolk_int8_padded(k) - words_of(k) * WORD));
}

static void pack(size_t n, size_t k, const real *w, size_t ldw, int8_t *panels, real *scales,
                 int32_t *offsets)
{
    for (size_t j = 0; j < n; j += COLUMNS, panels += COLUMNS * tolk_int8_padded(k)) {
        const size_t columns = n - j < COLUMNS ? n - j : COLUMNS;
        memset(scales + j, 0, COLUMNS * sizeof *scales);
        memset(offsets + j, 0, COLUMNS * sizeof *offsets);
        pack_panel(columns, k, w + j * ldw, ldw, panels, scales + j, offsets + j);
    }
}

/* ---- the micro-kernel ---------------------------------------------------------------------------
 */

/* One vector's columns of the sums of all rows of a tile become y. */
INLINE void put(size_t rows, size_t v, const struct tolk_int8_product *x, size_t i, size_t j,
                size_t count, integers sum[][VECTORS])
{
    const floats scale = load_floats(x->scales + j);
    const floats bias = x->bias != NULL ? load_first(count, x->bias + j) : (floats){0};
    const float least = x->relu ? 0 : -INFINITY;
    float *y = x->y + i * x->ldy + j;
    TOLK_UNROLL
    for (size_t r = 0; r < rows; r++, y += x->ldy) {
        const floats moved =
            scaled_and_moved(to_floats(sum[r][v]), scale * x->a_scales[i + r], bias);
        store_first(count, y, at_least(least, moved));
    }
}

/* Rows [i, i + rows) of y in the columns of the panel that begins at column j. `rows` is a constant
 * after inlining. */
INLINE void tile(size_t rows, const struct tolk_int8_product *x, size_t i, size_t j,
                 const int8_t *panel)
{
    const int8_t *a = x->a + i * x->lda;
    integers sum[ROWS][VECTORS];
    TOLK_UNROLL
    for (size_t r = 0; r < rows; r++) {
        TOLK_UNROLL
        for (size_t v = 0; v < VECTORS; v++) {
            sum[r][v] = first_sum(x->offsets + j + v * LANES);
        }
    }
#pragma GCC unroll AT_ONCE
    for (size_t p = 0; p < words_of(x->k); p++, a += WORD * NUMBER, panel += PANEL_WORD) {
        TOLK_UNROLL
        for (size_t r = 0; r < rows; r++) {
            int32_t word;
            memcpy(&word, a + r * x->lda, sizeof word);
            TOLK_UNROLL
            for (size_t v = 0; v < VECTORS; v++) {
                sum[r][v] = multiply_add(sum[r][v], word, panel + v * LANES * WORD);
            }
        }
    }
    TOLK_UNROLL
    for (size_t v = 0; v < VECTORS; v++, j += LANES) {
        if (j >= x->n) {
            break;
        }
        if (x->n - j >= LANES) {
            put(rows, v, x, i, j, LANES, sum);
        } else {
            put(rows, v, x, i, j, x->n - j, sum);
        }
    }
}

INLINE void tile_of(size_t rows, const struct tolk_int8_product *x, size_t i, size_t j,
                    const int8_t *panel)
{
#define TILE(r) tile(r, x, i, j, panel)
    TOLK_OF_HEIGHT(rows, ROWS, TILE)
#undef TILE
}

/* With few rows the panels are read as fast as memory gives them without being told. */
enum { ROWS_TO_PREFETCH = 16, LINE = 64 };

static void multiply(const struct tolk_int8_product *x)
{
    const size_t bytes = COLUMNS * tolk_int8_padded(x->k);
    const size_t tiles = (x->m + ROWS - 1) / ROWS;
    const size_t share = x->m < ROWS_TO_PREFETCH ? 0 : (bytes / tiles + LINE - 1) / LINE * LINE;
    const int8_t *panel = x->panels;
    for (size_t j = 0; j < x->n; j += COLUMNS, panel += bytes) {
        const int8_t *next = panel + bytes;
        for (size_t t = 0; t < tiles; t++) {
            /* Tiles of like heights: a low one leaves the multipliers waiting for their sums. */
            const size_t begin = x->m * t / tiles;
            const size_t end = x->m * (t + 1) / tiles;
            for (size_t byte = 0; byte < share; byte += LINE, next += LINE) {
                __builtin_prefetch(next, 0, 2);
            }
            tile_of(end - begin, x, begin, j, panel);
        }
    }
}

const struct tolk_int8_kernels TOLK_KERNEL(tolk_int8_kernels) = {
    .columns = COLUMNS,
    .number = NUMBER,
    .quantize = quantize,
    .pack = pack,
    .multiply = multiply,
};
