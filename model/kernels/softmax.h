/* The softmax of attention, over rows of scores. */
#ifndef TOLK_MODEL_KERNELS_SOFTMAX_H
#define TOLK_MODEL_KERNELS_SOFTMAX_H

#include "model/kernels/kernel.h"
#include "model/kernels/transpose.h"

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

#if defined(__AVX512F__) && !defined(TOLK_REAL_DOUBLE)
/* The same of up to LANES rows of one vector each. A row alone waits for its maximum and for its
 * sum, lane by lane; together they are taken crosswise. */
static inline void tolk_softmax_short(real *scores, size_t ld, size_t rows, size_t visible,
                                      size_t step, real scale)
{
    real square[TOLK_LANES][TOLK_LANES] __attribute__((aligned(TOLK_VECTOR_BYTES)));
    real maxima[TOLK_LANES] __attribute__((aligned(TOLK_VECTOR_BYTES)));
    tolk_vector x[TOLK_LANES];
    for (size_t i = 0; i < TOLK_LANES; i++) {
        const size_t row = i < rows ? i : rows - 1;
        const __mmask16 mask = (__mmask16)((1u << (visible + row * step)) - 1);
        x[i] = _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), mask, scores + row * ld);
        tolk_store(square[i], x[i]);
    }
    tolk_store(maxima, tolk_maxima_of_lanes(x));
    for (size_t i = 0; i < rows; i++) {
#pragma omp simd
        for (size_t j = 0; j < TOLK_LANES; j++) {
            square[i][j] = tolk_exp((square[i][j] - maxima[i]) * scale);
        }
    }
    for (size_t i = 0; i < TOLK_LANES; i++) {
        x[i] = tolk_load(square[i < rows ? i : rows - 1]);
    }
    tolk_store(maxima, 1 / tolk_sums_of_lanes(x));
    for (size_t i = 0; i < rows; i++) {
        tolk_store(scores + i * ld, tolk_load(square[i]) * maxima[i]);
    }
}
#endif

/* Rows of scores, ld apart: row i sees the first visible + i · step of `width`, whole vectors. */
static inline void tolk_softmax_rows(real *scores, size_t ld, size_t width, size_t rows,
                                     size_t visible, size_t step, real scale)
{
#if defined(__AVX512F__) && !defined(TOLK_REAL_DOUBLE)
    if (width == TOLK_LANES) {
        for (size_t i = 0; i < rows; i += TOLK_LANES) {
            tolk_softmax_short(scores + i * ld, ld, rows - i < TOLK_LANES ? rows - i : TOLK_LANES,
                               visible + i * step, step, scale);
        }
        return;
    }
#endif
    for (size_t i = 0; i < rows; i++) {
        tolk_softmax(scores + i * ld, width, visible + i * step, scale);
    }
}

#endif
