/* The inner loop of every matrix product: the sums of one tile of C live in registers. */
#ifndef TOLK_MODEL_KERNELS_TILE_SUMS_H
#define TOLK_MODEL_KERNELS_TILE_SUMS_H

#include <stdbool.h>

#include "model/kernels/kernel.h"

/* As many rows of A as scaled addressing reaches from one pointer. */
enum { TOLK_TILE_GROUP = 3, TOLK_TILE_ROWS_MAX = 14, TOLK_TILE_VECTORS_MAX = 4 };
enum { TOLK_TILE_LINE = 64 / sizeof(real) }; /* of the cache */

/* What the words are multiplied as; the products of bfloat16 have their own. */
#ifndef TOLK_MULTIPLY_ADD
#define TOLK_MULTIPLY_ADD(sum, a, b) ((sum) + (a) * (b))
#endif

static inline __attribute__((always_inline)) void
tolk_tile_zero(size_t rows, size_t vectors,
               tolk_vector sum[TOLK_TILE_ROWS_MAX][TOLK_TILE_VECTORS_MAX])
{
    TOLK_UNROLL
    for (size_t i = 0; i < rows; i++) {
        TOLK_UNROLL
        for (size_t v = 0; v < vectors; v++) {
            sum[i][v] = (tolk_vector){0};
        }
    }
}

/* Numbers to be brought into the second-level cache, at each step as many as its vectors of B from
 * `from` on, which then moves by `step`. */
struct tolk_tile_asks {
    const real *from;
    size_t step;
};

/* sum[i][v] += Σ_p A(i, p) · B(p, v-th vector), in the order of p, for p < k. A(i, p) is
 * a[p · a_step + i] when `across`, else a[i · a_step + p]; B's rows lie b_step apart, and of the
 * vector only the first `part` numbers are read unless that is 0. `asks` is NULL for none. `rows`,
 * `vectors`, `across` and whether `part` is 0 and `asks` NULL are constants wherever this is
 * inlined. */
static inline __attribute__((always_inline)) void
tolk_tile_sums(size_t rows, size_t vectors, bool across, size_t k, const real *a, size_t a_step,
               const real *b, size_t b_step, size_t part, struct tolk_tile_asks *asks,
               tolk_vector sum[TOLK_TILE_ROWS_MAX][TOLK_TILE_VECTORS_MAX])
{
    const real *group[(TOLK_TILE_ROWS_MAX + TOLK_TILE_GROUP - 1) / TOLK_TILE_GROUP];
    TOLK_UNROLL
    for (size_t i = 0; i < rows; i += TOLK_TILE_GROUP) {
        group[i / TOLK_TILE_GROUP] = a + i * a_step;
    }
    /* Two steps at a time: half the counting, and more would not fit the decoded instructions. */
#pragma GCC unroll 2
    for (size_t p = 0; p < k; p++) {
        tolk_vector bp[TOLK_TILE_VECTORS_MAX];
        TOLK_UNROLL
        for (size_t v = 0; v < vectors; v++) {
            bp[v] = part == 0 ? tolk_load(b + v * TOLK_LANES) : tolk_load_part(b, part);
        }
        if (asks != NULL) { /* without counting, which takes turns with multiplications */
            TOLK_UNROLL
            for (size_t c = 0; c < vectors * TOLK_LANES; c += TOLK_TILE_LINE) {
                __builtin_prefetch(asks->from + c, 0, 2);
            }
            asks->from += asks->step;
        }
        TOLK_UNROLL
        for (size_t i = 0; i < rows; i++) {
            const real ai =
                across ? a[i] : group[i / TOLK_TILE_GROUP][i % TOLK_TILE_GROUP * a_step];
            TOLK_UNROLL
            for (size_t v = 0; v < vectors; v++) {
                sum[i][v] = TOLK_MULTIPLY_ADD(sum[i][v], ai, bp[v]);
            }
        }
        TOLK_UNROLL
        for (size_t i = 0; i < rows; i += TOLK_TILE_GROUP) {
            group[i / TOLK_TILE_GROUP]++;
        }
        a += a_step;
        b += b_step;
    }
}

#endif
