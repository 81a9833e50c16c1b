/* Words of bfloat16: two in the bits of one float. Of numbers that are rounded, by the processor to
 * nearest even, denormals as zero, it is the pair (k, k + 1), k in the lower half; of numbers that
 * are split into terms, any two steps of k. */
#ifndef TOLK_MODEL_KERNELS_BFLOAT16_H
#define TOLK_MODEL_KERNELS_BFLOAT16_H

#include "model/kernels/kernel.h"

enum { TOLK_BFLOAT16_PAIR = 2, TOLK_BFLOAT16_TERMS = 3 };

/* A vector of words from up to 2 LANES reals that follow one another along k; zeros after them. */
static inline __attribute__((always_inline)) tolk_vector tolk_bfloat16_along(size_t count,
                                                                             const real *x)
{
    if (count >= TOLK_BFLOAT16_PAIR * TOLK_LANES) {
        return (tolk_vector)_mm512_cvtne2ps_pbh(tolk_load(x + TOLK_LANES), tolk_load(x));
    }
    if (count > TOLK_LANES) {
        return (tolk_vector)_mm512_cvtne2ps_pbh(tolk_load_part(x + TOLK_LANES, count - TOLK_LANES),
                                                tolk_load(x));
    }
    return (tolk_vector)_mm512_cvtne2ps_pbh((tolk_vector){0}, tolk_load_part(x, count));
}

/* Up to LANES words from two rows that follow one another along k; x1 is NULL after an odd end. */
static inline __attribute__((always_inline)) tolk_vector
tolk_bfloat16_across(size_t count, const real *x0, const real *x1)
{
    const __m512i turns = (__m512i)(short __attribute__((vector_size(TOLK_VECTOR_BYTES)))){
        0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const tolk_vector high = x1 == NULL ? (tolk_vector){0} : tolk_load_part(x1, count);
    const __m512bh both = _mm512_cvtne2ps_pbh(high, tolk_load_part(x0, count));
    return (tolk_vector)_mm512_permutexvar_epi16(turns, (__m512i)both);
}

/* The upper half of each float, which is a bfloat16. */
static inline __attribute__((always_inline)) __m512 tolk_bfloat16_cut(__m512i x)
{
    return (__m512)_mm512_and_si512(x, _mm512_set1_epi32((int)0xffff0000));
}

/* x = terms[0] + terms[1] + terms[2], exactly unless the last would be a denormal, each a bfloat16
 * in the upper half of a float: the first is cut, the second rounded, and of 24 bits no more than 8
 * are left for the third. A NaN has a NaN among its terms, an infinity too. */
static inline __attribute__((always_inline)) void
tolk_bfloat16_terms(tolk_vector x, __m512i terms[TOLK_BFLOAT16_TERMS])
{
    const __m512i half = _mm512_set1_epi32(0x8000);
    const __m512 first = tolk_bfloat16_cut((__m512i)x), rest = (__m512)x - first;
    const __m512 second = tolk_bfloat16_cut(_mm512_add_epi32((__m512i)rest, half));
    terms[0] = (__m512i)first;
    terms[1] = (__m512i)second;
    terms[2] = (__m512i)(rest - second);
}

/* A vector of words for each term, which join a step of k in `low` and one in `high`. These need
 * not follow one another, as long as both operands join the same. */
static inline __attribute__((always_inline)) void
tolk_bfloat16_split(tolk_vector low, tolk_vector high, tolk_vector words[TOLK_BFLOAT16_TERMS])
{
    __m512i lows[TOLK_BFLOAT16_TERMS], highs[TOLK_BFLOAT16_TERMS];
    tolk_bfloat16_terms(low, lows);
    tolk_bfloat16_terms(high, highs);
    TOLK_UNROLL
    for (size_t t = 0; t < TOLK_BFLOAT16_TERMS; t++) {
        words[t] = (tolk_vector)_mm512_or_si512(_mm512_srli_epi32(lows[t], 16),
                                                (__m512i)tolk_bfloat16_cut(highs[t]));
    }
}

#endif
