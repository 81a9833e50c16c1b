/* Vectors of 8-bit integers, one way for each instruction set (internal to int8.c): a vector of
 * sums, how one word of a and a vector of words of w are added to it, and the floats at either end
 * of a product. A word is WORD steps of k: of a `number` each, of w a byte each. SHIFT is what the
 * numbers of a are raised by, so that they have no sign; AT_ONCE, how many words a turn of the loop
 * takes. */
#ifndef TOLK_MODEL_KERNELS_INT8_VECTORS_H
#define TOLK_MODEL_KERNELS_INT8_VECTORS_H

#include "model/kernels/int8.h"
#include "model/kernels/kernel.h"

#if defined(__AVX512VNNI__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512VNNI__)

/* As in gemm.c: 28 sums, two vectors of w, a word of a. */
enum { LANES = 16, ROWS = 14, VECTORS = 2, SHIFT = 128, WORD = TOLK_INT8_WORD, AT_ONCE = 1 };
typedef __m512i integers;
typedef __m512 floats;
typedef int8_t number;

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

/* In one rounding, as int8_amx.c has it, whatever the compiler would contract. */
INLINE floats scaled_and_moved(floats x, floats scale, floats bias)
{
    return _mm512_fmadd_ps(x, scale, bias);
}

INLINE floats at_least(float least, floats x)
{
    return _mm512_max_ps(_mm512_set1_ps(least), x); /* the second where one is a NaN */
}

INLINE __m128i rounded_to_bytes(const float *x, float factor)
{
    return _mm512_cvtsepi32_epi8(
        _mm512_cvtps_epi32(_mm512_mul_ps(load_floats(x), _mm512_set1_ps(factor))));
}

/* LANES numbers times `factor`, to nearest even, as w has them. */
INLINE void round_to_bytes(const float *x, float factor, int8_t *bytes)
{
    _mm_storeu_si128((__m128i *)(void *)bytes, rounded_to_bytes(x, factor));
}

/* The same as a has them. */
INLINE void round_to_numbers(const float *x, float factor, int8_t *bytes)
{
    const __m128i sign = _mm_set1_epi8(INT8_MIN); /* turned, it adds SHIFT */
    _mm_storeu_si128((__m128i *)(void *)bytes, _mm_xor_si128(rounded_to_bytes(x, factor), sign));
}

#elif defined(__AVX2__)

/* As in gemm.c: 12 sums, two vectors of w, a word of a. */
enum { LANES = 8, ROWS = 6, VECTORS = 2, SHIFT = 0, WORD = 2, AT_ONCE = 2 };
typedef __m256i integers;
typedef __m256 floats;
typedef int16_t number;

INLINE integers first_sum(const int32_t *offsets)
{
    (void)offsets;
    return _mm256_setzero_si256();
}

/* One VPMADDWD for 16 products, and all rows share w's numbers of 16 bits. VPMADDUBSW multiplies 32
 * but needs |a|, and for each row w with its signs: measured 13 % slower. */
INLINE integers multiply_add(integers sum, int32_t word, const int8_t *w)
{
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)w));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(wide, _mm256_set1_epi32(word)));
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

INLINE floats scaled_and_moved(floats x, floats scale, floats bias)
{
    return _mm256_fmadd_ps(x, scale, bias);
}

INLINE floats at_least(float least, floats x)
{
    return _mm256_max_ps(_mm256_set1_ps(least), x);
}

INLINE __m128i rounded_to_words(const float *x, float factor)
{
    const __m256i rounded =
        _mm256_cvtps_epi32(_mm256_mul_ps(load_floats(x), _mm256_set1_ps(factor)));
    return _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}

INLINE void round_to_bytes(const float *x, float factor, int8_t *bytes)
{
    const __m128i words = rounded_to_words(x, factor);
    _mm_storel_epi64((__m128i *)(void *)bytes, _mm_packs_epi16(words, words));
}

INLINE void round_to_numbers(const float *x, float factor, int8_t *words)
{
    _mm_storeu_si128((__m128i *)(void *)words, rounded_to_words(x, factor));
}

#else

enum { LANES = 4, ROWS = 4, VECTORS = 2, SHIFT = 0, WORD = TOLK_INT8_WORD, AT_ONCE = 1 };
typedef int32_t integers __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));
typedef int8_t number;

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

INLINE void round_to_bytes(const float *x, float factor, int8_t *bytes)
{
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
    int8_t a[WORD];
    memcpy(a, &word, sizeof a);
    for (size_t i = 0; i < LANES; i++) {
        for (size_t p = 0; p < WORD; p++) {
            sum[i] += a[p] * w[i * WORD + p];
        }
    }
    return sum;
}
#endif

INLINE void round_to_bytes(const float *x, float factor, int8_t *bytes)
{
    for (size_t i = 0; i < LANES; i++) {
        bytes[i] = (int8_t)lrintf(x[i] * factor);
    }
}

#endif

INLINE void round_to_numbers(const float *x, float factor, int8_t *bytes)
{
    round_to_bytes(x, factor, bytes);
}

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

INLINE floats scaled_and_moved(floats x, floats scale, floats bias)
{
    return x * scale + bias;
}

INLINE floats at_least(float least, floats x)
{
    for (size_t i = 0; i < LANES; i++) {
        x[i] = x[i] < least ? least : x[i];
    }
    return x;
}

#endif

#endif
