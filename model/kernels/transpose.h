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

/* Joins halves of x[i] and x[i + count / 2] crosswise, as a transposition of squares of such a
 * width interleaves them, for each of `count` rows. */
#define TOLK_JOIN_HALVES(join, width, count, x)                                                    \
    TOLK_UNROLL                                                                                    \
    for (int i = 0; i < (count) / 2; i++) {                                                        \
        tolk_vector first, second;                                                                 \
        tolk_interleave(width, (x)[i], (x)[i + (count) / 2], &first, &second);                     \
        (x)[i] = join(first, second);                                                              \
    }

#if TOLK_VECTOR_BYTES == 32

/* Within halves of a register while there are more than two; then its halves, and the odd rows
 * stand behind the even ones. */
#define TOLK_JOIN_ALL(join, x)                                                                     \
    do {                                                                                           \
        tolk_index low = {0}, order = {0};                                                         \
        TOLK_UNROLL                                                                                \
        for (int count = TOLK_LANES; count > 2; count /= 2) {                                      \
            TOLK_JOIN_HALVES(join, TOLK_LANES / 2, count, x)                                       \
        }                                                                                          \
        TOLK_UNROLL                                                                                \
        for (int i = 0; i < TOLK_LANES; i++) {                                                     \
            low[i] = i % (TOLK_LANES / 2) + i / (TOLK_LANES / 2) * TOLK_LANES;                     \
            order[i] = i / 2 + i % 2 * (TOLK_LANES / 2);                                           \
        }                                                                                          \
        const tolk_vector first = __builtin_shuffle((x)[0], (x)[1], low);                          \
        const tolk_vector second = __builtin_shuffle((x)[0], (x)[1], low + TOLK_LANES / 2);        \
        (x)[0] = __builtin_shuffle(join(first, second), order);                                    \
    } while (0)

#else

#define TOLK_JOIN_ALL(join, x)                                                                     \
    do {                                                                                           \
        TOLK_UNROLL                                                                                \
        for (int count = TOLK_LANES; count > 1; count /= 2) {                                      \
            TOLK_JOIN_HALVES(join, TOLK_LANES, count, x)                                           \
        }                                                                                          \
    } while (0)

#endif

/* Defines a function of x[0], x[1], … whose lane i is all lanes of x[i] joined. x is spoilt. */
#define TOLK_JOIN_LANES(name, join)                                                                \
    static inline __attribute__((always_inline)) tolk_vector name(tolk_vector x[TOLK_LANES])       \
    {                                                                                              \
        TOLK_JOIN_ALL(join, x);                                                                    \
        return x[0];                                                                               \
    }

#define TOLK_ADD(x, y) ((x) + (y))
TOLK_JOIN_LANES(tolk_sums_of_lanes, TOLK_ADD)

/* The greater of each lane; y's where one is a NaN. */
static inline __attribute__((always_inline)) tolk_vector tolk_greater(tolk_vector x, tolk_vector y)
{
#if defined(__AVX512F__) && defined(TOLK_REAL_DOUBLE)
    return _mm512_max_pd(x, y);
#elif defined(__AVX512F__)
    return _mm512_max_ps(x, y);
#else
    const tolk_index greater = x > y;
    return (tolk_vector)(((tolk_index)x & greater) | ((tolk_index)y & ~greater));
#endif
}

TOLK_JOIN_LANES(tolk_maxima_of_lanes, tolk_greater)

#endif
