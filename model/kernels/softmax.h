/* The softmax of attention, over one row of scores. */
#ifndef TOLK_MODEL_KERNELS_SOFTMAX_H
#define TOLK_MODEL_KERNELS_SOFTMAX_H

#include "model/kernels/kernel.h"

/* The first `visible` of `width` scores become weights, softmax(scale · scores), the others zero.
 */
static inline void tolk_softmax(real *scores, size_t width, size_t visible, real scale)
{
    real maximum = -INFINITY;
    real sum = 0;
    for (size_t j = visible; j < width; j++) {
        scores[j] = -INFINITY;
    }
#pragma omp simd reduction(max : maximum)
    for (size_t j = 0; j < width; j++) {
        maximum = scores[j] > maximum ? scores[j] : maximum;
    }
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < width; j++) {
        const real e = tolk_exp((scores[j] - maximum) * scale);
        scores[j] = e;
        sum += e;
    }
    const real factor = 1 / sum;
#pragma omp simd
    for (size_t j = 0; j < width; j++) {
        scores[j] *= factor;
    }
}

#endif
