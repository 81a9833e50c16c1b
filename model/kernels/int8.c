/* The products of int8.h. What differs between the instruction sets is in int8_vectors.h. */
#include "model/kernels/int8.h"

#include "model/kernels/compress.h"
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
    return magnitude < smallest ? 0 : TOLK_INT8_LARGEST / magnitude;
}

static float scale_for(float magnitude)
{
    return magnitude < smallest ? 0 : magnitude / TOLK_INT8_LARGEST;
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

/* ---- rows that are mostly zero ------------------------------------------------------------------
 */

/* A word of zeros, and the bits that one of bytes that are raised by SHIFT has without that where a
 * number is negative: those have no way here. */
static const uint32_t ZERO = SHIFT * 0x01010101U;
static const uint32_t NEGATIVE = SHIFT != 0 ? 0x80808080U : 0;

static size_t gather(size_t first, size_t words, const int8_t *a, int32_t *values, uint32_t *places)
{
    size_t count = 0;
    size_t p = 0;
    uint32_t seen = 0;
#if defined(__AVX512VNNI__)
    const __m512i zero = _mm512_set1_epi32((int32_t)ZERO);
    __m512i all = _mm512_setzero_si512();
    for (; p + LANES <= words; p += LANES) {
        const __m512i v = _mm512_xor_si512(_mm512_loadu_si512(a + p * sizeof *values), zero);
        all = _mm512_or_si512(all, v);
        count += tolk_compress_16(_mm512_test_epi32_mask(v, v), v, first + p, values + count,
                                  places + count);
    }
    seen = (uint32_t)_mm512_reduce_or_epi32(all);
#elif defined(__AVX2__)
    for (; p + LANES <= words; p += LANES) {
        const __m256i v =
            _mm256_loadu_si256((const __m256i *)(const void *)(a + p * sizeof *values));
        const __m256i none = _mm256_cmpeq_epi32(v, _mm256_setzero_si256());
        const int mask = 0xFF ^ _mm256_movemask_ps(_mm256_castsi256_ps(none));
        count += tolk_compress_8((uint32_t)mask, v, first + p, values + count, places + count);
    }
#endif
    for (; p < words; p++) {
        uint32_t word;
        memcpy(&word, a + p * sizeof word, sizeof word);
        word ^= ZERO;
        seen |= word;
        values[count] = (int32_t)word;
        places[count] = (uint32_t)(first + p);
        count += word != 0;
    }
    return (seen & NEGATIVE) == 0 ? count : SIZE_MAX;
}

/* As in sparse.c. */
enum {
    PANELS = TOLK_SPARSE_PANELS,
    WIDTH = PANELS * COLUMNS,
    CHUNK = TOLK_SPARSE_BYTES / (PANELS * PANEL_WORD),
};

/* Adds a row's words to its sums, of which `panels` are used; those of w lie `step` bytes apart. */
INLINE void add(size_t panels, size_t count, const int32_t *words, const uint32_t *places,
                const int8_t *w, size_t step, int32_t *sums)
{
    integers sum[PANELS][VECTORS];
    TOLK_UNROLL
    for (size_t j = 0; j < panels; j++) {
        memcpy(sum[j], sums + j * COLUMNS, sizeof sum[j]);
    }
    for (size_t i = 0; i < count; i++) {
        const int32_t word = words[i];
        const int8_t *row = w + (size_t)places[i] * PANEL_WORD;
        TOLK_UNROLL
        for (size_t j = 0; j < panels; j++) {
            TOLK_UNROLL
            for (size_t v = 0; v < VECTORS; v++) {
                sum[j][v] = multiply_add(sum[j][v], word, row + j * step + v * LANES * WORD);
            }
        }
    }
    TOLK_UNROLL
    for (size_t j = 0; j < panels; j++) {
        memcpy(sums + j * COLUMNS, sum[j], sizeof sum[j]);
    }
}

/* The columns [j, j + WIDTH) of y. */
static void multiply_panels(const struct tolk_int8_product *x, const struct tolk_int8_sparse *rows,
                            size_t j)
{
    int32_t sums[TOLK_INT8_SPARSE_ROWS][WIDTH];
    const size_t step = COLUMNS * tolk_int8_padded(x->k);
    const int8_t *w = x->panels + j * tolk_int8_padded(x->k);
    const size_t columns = x->n - j < WIDTH ? x->n - j : WIDTH;
    const size_t panels = (columns + COLUMNS - 1) / COLUMNS;
    memset(sums, 0, x->m * sizeof *sums);
    for (size_t chunk = 0; chunk < rows->chunks; chunk++) {
        for (size_t i = 0; i < x->m; i++) {
            const size_t place = i * rows->chunks + chunk;
            const size_t begin = place > 0 ? rows->ends[place - 1] : 0;
            const size_t count = rows->ends[place] - begin;
#define ADD(panels) add(panels, count, rows->words + begin, rows->places + begin, w, step, sums[i])
            TOLK_OF_HEIGHT(panels, PANELS, ADD)
#undef ADD
        }
    }
    for (size_t i = 0; i < x->m; i++) {
        for (size_t c = 0; c < columns; c += LANES) {
            integers sum[1][VECTORS];
            memcpy(sum, sums[i] + c, sizeof sum[0][0]);
            if (columns - c >= LANES) {
                put(1, 0, x, i, j + c, LANES, sum);
            } else {
                put(1, 0, x, i, j + c, columns - c, sum);
            }
        }
    }
}

static void multiply_sparse(const struct tolk_int8_product *product,
                            const struct tolk_int8_sparse *rows)
{
    for (size_t j = 0; j < product->n; j += WIDTH) {
        multiply_panels(product, rows, j);
    }
}

const struct tolk_int8_kernels TOLK_KERNEL(tolk_int8_kernels) = {
    .columns = COLUMNS,
    .number = NUMBER,
    .quantize = quantize,
    .pack = pack,
    .multiply = multiply,
    .word = WORD,
    .chunk = CHUNK,
    .gather = gather,
    .multiply_sparse = multiply_sparse,
};
