/* A square of LANES x LANES numbers transposed in registers. */
#ifndef TOLK_MODEL_KERNELS_TRANSPOSE_H
#define TOLK_MODEL_KERNELS_TRANSPOSE_H

#include "model/kernels/kernel.h"

#ifdef TOLK_REAL_DOUBLE
typedef long long tolk_index __attribute__((vector_size(TOLK_VECTOR_BYTES)));
#else
typedef int tolk_index __attribute__((vector_size(TOLK_VECTOR_BYTES)));
#endif

/* Of each `width` numbers the first and the second halves of x and y, lane by lane in turn. */
static inline __attribute__((always_inline)) void
tolk_interleave(int width, tolk_vector x, tolk_vector y, tolk_vector *first, tolk_vector *second)
{
    tolk_index low = {0}, high = {0};
    TOLK_UNROLL
    for (int i = 0; i < TOLK_LANES; i++) {
        low[i] = i / width * width + i % width / 2 + i % 2 * TOLK_LANES;
        high[i] = low[i] + width / 2;
    }
    *first = __builtin_shuffle(x, y, low);
    *second = __builtin_shuffle(x, y, high);
}

/* The squares of width x width numbers that lie side by side in so many rows, each by itself:
 * interleaving row i with row i + width / 2, log2(width) times. */
static inline __attribute__((always_inline)) void tolk_transpose_squares(int width, tolk_vector *x)
{
    TOLK_UNROLL
    for (int stage = 1; stage < width; stage *= 2) {
        tolk_vector y[TOLK_LANES];
        TOLK_UNROLL
        for (int i = 0; i < width / 2; i++) {
            tolk_interleave(width, x[i], x[i + width / 2], &y[2 * i], &y[2 * i + 1]);
        }
        TOLK_UNROLL
        for (int i = 0; i < width; i++) {
            x[i] = y[i];
        }
    }
}

#if TOLK_VECTOR_BYTES == 32

/* AVX2 shuffles within halves of a register, or halves. */
static inline __attribute__((always_inline)) void tolk_transpose(tolk_vector x[TOLK_LANES])
{
    enum { HALF = TOLK_LANES / 2 };
    tolk_index left = {0};
    TOLK_UNROLL
    for (int i = 0; i < TOLK_LANES; i++) {
        left[i] = i % HALF + i / HALF * TOLK_LANES;
    }
    tolk_transpose_squares(HALF, x);
    tolk_transpose_squares(HALF, x + HALF);
    TOLK_UNROLL
    for (int i = 0; i < HALF; i++) {
        const tolk_vector above = x[i], below = x[i + HALF];
        x[i] = __builtin_shuffle(above, below, left);
        x[i + HALF] = __builtin_shuffle(above, below, left + HALF);
    }
}

#else

static inline __attribute__((always_inline)) void tolk_transpose(tolk_vector x[TOLK_LANES])
{
    tolk_transpose_squares(TOLK_LANES, x);
}

#endif

/* Defines a function of x[0], x[1], … whose lane i is all lanes of x[i] joined: halves are joined
 * crosswise as a transposition interleaves them. x is spoilt. */
#define TOLK_JOIN_LANES(name, join)                                                                \
    static inline __attribute__((always_inline)) tolk_vector name(tolk_vector x[TOLK_LANES])       \
    {                                                                                              \
        TOLK_UNROLL                                                                                \
        for (int half = TOLK_LANES / 2; half >= 1; half /= 2) {                                    \
            TOLK_UNROLL                                                                            \
            for (int i = 0; i < half; i++) {                                                       \
                tolk_vector first, second;                                                         \
                tolk_interleave(TOLK_LANES, x[i], x[i + half], &first, &second);                   \
                x[i] = join(first, second);                                                        \
            }                                                                                      \
        }                                                                                          \
        return x[0];                                                                               \
    }

#define TOLK_ADD(x, y) ((x) + (y))
TOLK_JOIN_LANES(tolk_sums_of_lanes, TOLK_ADD)

#endif
