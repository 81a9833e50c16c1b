/* The lanes of a vector that a mask names, one behind the other: what is left of rows that are
 * mostly zero. Lanes are 32 bits wide. */
#ifndef TOLK_MODEL_KERNELS_COMPRESS_H
#define TOLK_MODEL_KERNELS_COMPRESS_H

#include "model/kernels/kernel.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* How such rows are multiplied: by some panels at a time, as many sums as multiply-adds are under
 * way; and by some steps for all rows before the next, whose part of those panels is three quarters
 * of a first-level cache of 32 KB. */
enum { TOLK_SPARSE_PANELS = 4, TOLK_SPARSE_BYTES = 24576 };

#if defined(__AVX512F__)

/* Writes the lanes and their steps, of which lane 0 has p; of both a whole vector, whatever stands
 * behind the last. Returns how many. */
static inline size_t tolk_compress_16(uint32_t mask, __m512i v, size_t p, void *values,
                                      uint32_t *steps)
{
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32((int32_t)p));
    _mm512_storeu_si512(values, _mm512_maskz_compress_epi32((__mmask16)mask, v));
    _mm512_storeu_si512(steps, _mm512_maskz_compress_epi32((__mmask16)mask, at));
    return (size_t)__builtin_popcount(mask);
}

#endif

#if defined(__AVX2__)

/* TOLK_ORDERS[mask] holds the places of the bits that are set, a byte each. */
#define TOLK_BIT(mask, i) (((mask) >> (i)) & 1)
#define TOLK_BELOW_2(mask) (TOLK_BIT(mask, 0) + TOLK_BIT(mask, 1))
#define TOLK_BELOW_4(mask) (TOLK_BELOW_2(mask) + TOLK_BIT(mask, 2) + TOLK_BIT(mask, 3))
#define TOLK_BELOW_6(mask) (TOLK_BELOW_4(mask) + TOLK_BIT(mask, 4) + TOLK_BIT(mask, 5))
#define TOLK_PLACE(mask, i, below) (TOLK_BIT(mask, i) * (uint64_t)(i) << 8 * (below))
#define TOLK_ORDER(mask)                                                                           \
    (TOLK_PLACE(mask, 1, TOLK_BIT(mask, 0)) | TOLK_PLACE(mask, 2, TOLK_BELOW_2(mask)) |            \
     TOLK_PLACE(mask, 3, TOLK_BELOW_2(mask) + TOLK_BIT(mask, 2)) |                                 \
     TOLK_PLACE(mask, 4, TOLK_BELOW_4(mask)) |                                                     \
     TOLK_PLACE(mask, 5, TOLK_BELOW_4(mask) + TOLK_BIT(mask, 4)) |                                 \
     TOLK_PLACE(mask, 6, TOLK_BELOW_6(mask)) |                                                     \
     TOLK_PLACE(mask, 7, TOLK_BELOW_6(mask) + TOLK_BIT(mask, 6)))
#define TOLK_ORDERS_4(m) TOLK_ORDER(m), TOLK_ORDER(m + 1), TOLK_ORDER(m + 2), TOLK_ORDER(m + 3)
#define TOLK_ORDERS_16(m)                                                                          \
    TOLK_ORDERS_4(m), TOLK_ORDERS_4(m + 4), TOLK_ORDERS_4(m + 8), TOLK_ORDERS_4(m + 12)
#define TOLK_ORDERS_64(m)                                                                          \
    TOLK_ORDERS_16(m), TOLK_ORDERS_16(m + 16), TOLK_ORDERS_16(m + 32), TOLK_ORDERS_16(m + 48)
static const uint64_t TOLK_ORDERS[256] = {TOLK_ORDERS_64(0), TOLK_ORDERS_64(64),
                                          TOLK_ORDERS_64(128), TOLK_ORDERS_64(192)};

static inline size_t tolk_compress_8(uint32_t mask, __m256i v, size_t p, void *values,
                                     uint32_t *steps)
{
    const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)TOLK_ORDERS[mask]));
    const __m256i at = _mm256_add_epi32(order, _mm256_set1_epi32((int32_t)p));
    _mm256_storeu_si256(values, _mm256_permutevar8x32_epi32(v, order));
    _mm256_storeu_si256((__m256i *)(void *)steps, at);
    return (size_t)__builtin_popcount(mask);
}

#endif

#endif
