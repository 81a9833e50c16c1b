/* Words of bfloat16: the pair (k, k + 1) in the bits of one float, k in the lower half. The
 * processor rounds to nearest even and takes denormals as zero. */
#ifndef TOLK_MODEL_KERNELS_BFLOAT16_H
#define TOLK_MODEL_KERNELS_BFLOAT16_H

#include "model/kernels/kernel.h"

enum { TOLK_BFLOAT16_PAIR = 2 };

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

#endif
