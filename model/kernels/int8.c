/* The products of int8.h. What differs between the instruction sets stands in front: a vector of
 * sums, and how one word of a and a vector of words of w are added to it. */
#include "model/kernels/int8.h"

#include "model/kernels/kernel.h"
#include "model/kernels/tiles.h"

#if defined(__AVX512VNNI__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512VNNI__)

/* As in gemm.c: 28 sums, two vectors of w, a word of a. */
enum { LANES = 16, ROWS = 14, VECTORS = 2, SHIFT = 128 };
typedef __m512i integers;
typedef __m512 floats;

INLINE integers load_integers(const int32_t *x)
{
    return _mm512_loadu_si512(x);
}

INLINE integers first_sum(const int32_t *offsets)
{
    return load_integers(offsets);
}

INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    return _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(word), _mm512_loadu_si512(w));
}

INLINE floats to_floats(integers x)
{
    return _mm512_cvtepi32_ps(x);
}

INLINE floats load_floats(const float *x)
{
    return _mm512_loadu_ps(x);
}

INLINE floats load_first(size_t count, const float *x)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
}

INLINE void store_first(size_t count, float *x, floats v)
{
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), v);
}

INLINE floats at_least(float least, floats x)
{
    return _mm512_max_ps(_mm512_set1_ps(least), x); /* the second where one is a NaN */
}

/* LANES numbers times `factor`, to nearest even, with the bits of `flip` turned. */
INLINE void round_to_bytes(const float *x, float factor, int flip, int8_t *bytes)
{
    const __m512i rounded =
        _mm512_cvtps_epi32(_mm512_mul_ps(load_floats(x), _mm512_set1_ps(factor)));
    const __m128i eights = _mm512_cvtsepi32_epi8(rounded);
    _mm_storeu_si128((__m128i *)(void *)bytes, _mm_xor_si128(eights, _mm_set1_epi8((char)flip)));
}

#elif defined(__AVX2__)

enum { LANES = 8, ROWS = 4, VECTORS = 2, SHIFT = 0 };
typedef __m256i integers;
typedef __m256 floats;

INLINE integers first_sum(const int32_t *offsets)
{
    (void)offsets;
    return _mm256_setzero_si256();
}

INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    const __m256i a = _mm256_set1_epi32(word);
    const __m256i turned =
        _mm256_sign_epi8(_mm256_loadu_si256((const __m256i *)(const void *)w), a);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), turned);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

INLINE floats to_floats(integers x)
{
    return _mm256_cvtepi32_ps(x);
}

INLINE floats load_floats(const float *x)
{
    return _mm256_loadu_ps(x);
}

INLINE floats load_first(size_t count, const float *x)
{
    floats v = _mm256_setzero_ps();
    memcpy(&v, x, count * sizeof *x);
    return v;
}

INLINE void store_first(size_t count, float *x, floats v)
{
    memcpy(x, &v, count * sizeof *x);
}

INLINE floats at_least(float least, floats x)
{
    return _mm256_max_ps(_mm256_set1_ps(least), x);
}

INLINE void round_to_bytes(const float *x, float factor, int flip, int8_t *bytes)
{
    (void)flip; /* SHIFT is 0 */
    const __m256i rounded =
        _mm256_cvtps_epi32(_mm256_mul_ps(load_floats(x), _mm256_set1_ps(factor)));
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storel_epi64((__m128i *)(void *)bytes, _mm_packs_epi16(words, words));
}

#else

enum { LANES = 4, ROWS = 4, VECTORS = 2, SHIFT = 0 };
typedef int32_t integers __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));

INLINE integers first_sum(const int32_t *offsets)
{
    (void)offsets;
    return (integers){0};
}

#if defined(__SSE2__)

INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)w);
    const __m128i a_bytes = _mm_set1_epi32(word);
    const __m128i a = _mm_srai_epi16(_mm_unpacklo_epi8(a_bytes, a_bytes), 8);
    const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
    const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8);
    /* Two sums of pairs for each column. */
    const floats x = (floats)_mm_madd_epi16(low, a);
    const floats y = (floats)_mm_madd_epi16(high, a);
    return sum + (integers)_mm_shuffle_ps(x, y, _MM_SHUFFLE(2, 0, 2, 0)) +
           (integers)_mm_shuffle_ps(x, y, _MM_SHUFFLE(3, 1, 3, 1));
}

INLINE void round_to_bytes(const float *x, float factor, int flip, int8_t *bytes)
{
    (void)flip; /* SHIFT is 0 */
    const __m128i rounded = _mm_cvtps_epi32(_mm_mul_ps(_mm_loadu_ps(x), _mm_set1_ps(factor)));
    const __m128i words = _mm_packs_epi32(rounded, rounded);
    const int32_t four = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
    memcpy(bytes, &four, sizeof four);
}

#else

#ifdef __ARM_NEON
INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(word)), b = vld1q_s8(w);
    const int16x8_t pairs =
        vpaddq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)), vmull_high_s8(a, b));
    return (integers)vpadalq_s16((int32x4_t)sum, pairs);
}
#else
INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    int8_t a[TOLK_INT8_WORD];
    memcpy(a, &word, sizeof a);
    for (size_t i = 0; i < LANES; i++) {
        for (size_t p = 0; p < TOLK_INT8_WORD; p++) {
            sum[i] += a[p] * w[i * TOLK_INT8_WORD + p];
        }
    }
    return sum;
}
#endif

INLINE void round_to_bytes(const float *x, float factor, int flip, int8_t *bytes)
{
    (void)flip; /* SHIFT is 0 */
    for (size_t i = 0; i < LANES; i++) {
        bytes[i] = (int8_t)lrintf(x[i] * factor);
    }
}

#endif

INLINE floats to_floats(integers x)
{
    return __builtin_convertvector(x, floats);
}

INLINE floats load_first(size_t count, const float *x)
{
    floats v = {0};
    memcpy(&v, x, count * sizeof *x);
    return v;
}

INLINE floats load_floats(const float *x)
{
    return load_first(LANES, x);
}

INLINE void store_first(size_t count, float *x, floats v)
{
    memcpy(x, &v, count * sizeof *x);
}

INLINE floats at_least(float least, floats x)
{
    for (size_t i = 0; i < LANES; i++) {
        x[i] = x[i] < least ? least : x[i];
    }
    return x;
}

#endif

enum { COLUMNS = LANES * VECTORS, WORD = TOLK_INT8_WORD, PANEL_WORD = COLUMNS * WORD };

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

/* k numbers to whole words of bytes, zeros behind the last. */
INLINE void quantize_row(size_t k, const float *x, float factor, int flip, int8_t *bytes)
{
    size_t p = 0;
    for (; p + LANES <= k; p += LANES) {
        round_to_bytes(x + p, factor, flip, bytes + p);
    }
    if (p < k) {
        float rest[LANES] = {0};
        int8_t rounded[LANES];
        memcpy(rest, x + p, (k - p) * sizeof *rest);
        round_to_bytes(rest, factor, flip, rounded);
        memcpy(bytes + p, rounded, words_of(k - p) * WORD);
    }
}

static void quantize(size_t m, size_t k, const real *x, size_t ldx, int8_t *a, size_t lda,
                     real *a_scales)
{
    for (size_t i = 0; i < m; i++, x += ldx, a += lda) {
        const float magnitude = largest_magnitude(k, x);
        a_scales[i] = scale_for(magnitude);
        quantize_row(k, x, factor_for(magnitude), SHIFT, a);
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
            quantize_row(count, w + j * ldw + p, factors[j], 0, piece[j]);
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
        const floats scaled = to_floats(sum[r][v]) * (scale * x->a_scales[i + r]) + bias;
        store_first(count, y, at_least(least, scaled));
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
    for (size_t p = 0; p < words_of(x->k); p++, a += WORD, panel += PANEL_WORD) {
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
    .quantize = quantize,
    .pack = pack,
    .multiply = multiply,
};
