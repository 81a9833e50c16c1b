/* Vectors of 8-bit integers, one way for each instruction set (internal to int8.c): a vector of
 * sums, how one word of a and a vector of words of w are added to it, and the floats at either end
 * of a product. SHIFT is what the bytes of a are raised by, so that they have no sign. */
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

/* In one rounding, as int8_amx.c has it, whatever the compiler would contract. */
INLINE floats scaled_and_moved(floats x, floats scale, floats bias)
{
    return _mm512_fmadd_ps(x, scale, bias);
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

INLINE floats scaled_and_moved(floats x, floats scale, floats bias)
{
    return _mm256_fmadd_ps(x, scale, bias);
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
