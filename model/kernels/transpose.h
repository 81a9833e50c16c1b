/* A square of LANES x LANES numbers transposed in registers. */
#ifndef TOLK_MODEL_KERNELS_TRANSPOSE_H
#define TOLK_MODEL_KERNELS_TRANSPOSE_H

#include "model/kernels/kernel.h"

#ifdef TOLK_REAL_DOUBLE
typedef long long tolk_index __attribute__((vector_size(TOLK_VECTOR_BYTES)));
#else
typedef int tolk_index __attribute__((vector_size(TOLK_VECTOR_BYTES)));
#endif

/* The first and the second halves of x and y, lane by lane in turn. */
static inline __attribute__((always_inline)) void
tolk_interleave(tolk_vector x, tolk_vector y, tolk_vector *first, tolk_vector *second)
{
    tolk_index low = {0}, high = {0};
    TOLK_UNROLL
    for (int i = 0; i < TOLK_LANES; i++) {
        low[i] = i / 2 + (i % 2) * TOLK_LANES;
        high[i] = low[i] + TOLK_LANES / 2;
    }
    *first = __builtin_shuffle(x, y, low);
    *second = __builtin_shuffle(x, y, high);
}

#if TOLK_VECTOR_BYTES == 32

/* The shuffles of AVX2 keep to halves of a register: those transpose the squares of HALF x HALF
 * numbers first, then whole halves change places. */
enum { TOLK_HALF = TOLK_LANES / 2 };

static inline __attribute__((always_inline)) void
tolk_interleave_halves(tolk_vector x, tolk_vector y, tolk_vector *first, tolk_vector *second)
{
    tolk_index low = {0}, high = {0};
    TOLK_UNROLL
    for (int i = 0; i < TOLK_LANES; i++) {
        low[i] = i / TOLK_HALF * TOLK_HALF + i % TOLK_HALF / 2 + i % 2 * TOLK_LANES;
        high[i] = low[i] + TOLK_HALF / 2;
    }
    *first = __builtin_shuffle(x, y, low);
    *second = __builtin_shuffle(x, y, high);
}

static inline __attribute__((always_inline)) void tolk_transpose_squares(tolk_vector x[TOLK_HALF])
{
    TOLK_UNROLL
    for (int stage = 1; stage < TOLK_HALF; stage *= 2) {
        tolk_vector y[TOLK_HALF];
        TOLK_UNROLL
        for (int i = 0; i < TOLK_HALF / 2; i++) {
            tolk_interleave_halves(x[i], x[i + TOLK_HALF / 2], &y[2 * i], &y[2 * i + 1]);
        }
        TOLK_UNROLL
        for (int i = 0; i < TOLK_HALF; i++) {
            x[i] = y[i];
        }
    }
}

static inline __attribute__((always_inline)) void tolk_transpose(tolk_vector x[TOLK_LANES])
{
    tolk_index low = {0}, high = {0};
    TOLK_UNROLL
    for (int i = 0; i < TOLK_LANES; i++) {
        low[i] = i % TOLK_HALF + i / TOLK_HALF * TOLK_LANES;
        high[i] = low[i] + TOLK_HALF;
    }
    tolk_transpose_squares(x);
    tolk_transpose_squares(x + TOLK_HALF);
    TOLK_UNROLL
    for (int i = 0; i < TOLK_HALF; i++) {
        const tolk_vector above = x[i], below = x[i + TOLK_HALF];
        x[i] = __builtin_shuffle(above, below, low);
        x[i + TOLK_HALF] = __builtin_shuffle(above, below, high);
    }
}

#else

/* Interleaving row i with row i + LANES / 2, log2(LANES) times. */
static inline __attribute__((always_inline)) void tolk_transpose(tolk_vector x[TOLK_LANES])
{
    TOLK_UNROLL
    for (int stage = 1; stage < TOLK_LANES; stage *= 2) {
        tolk_vector y[TOLK_LANES];
        TOLK_UNROLL
        for (int i = 0; i < TOLK_LANES / 2; i++) {
            tolk_interleave(x[i], x[i + TOLK_LANES / 2], &y[2 * i], &y[2 * i + 1]);
        }
        TOLK_UNROLL
        for (int i = 0; i < TOLK_LANES; i++) {
            x[i] = y[i];
        }
    }
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
                tolk_interleave(x[i], x[i + half], &first, &second);                               \
                x[i] = join(first, second);                                                        \
            }                                                                                      \
        }                                                                                          \
        return x[0];                                                                               \
    }

#define TOLK_ADD(x, y) ((x) + (y))
TOLK_JOIN_LANES(tolk_sums_of_lanes, TOLK_ADD)

#endif
