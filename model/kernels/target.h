/* How sums leave the registers for C (struct tolk_gemm_target). */
#ifndef TOLK_MODEL_KERNELS_TARGET_H
#define TOLK_MODEL_KERNELS_TARGET_H

#include "model/kernels/gemm.h"
#include "model/kernels/kernel.h"

/* Vectors in a panel of B. */
enum { TOLK_PANEL_VECTORS = 2, TOLK_PANEL_COLUMNS = TOLK_PANEL_VECTORS * TOLK_LANES };

/* The sums of a vector of columns, from `column` on, of which the first `count` are C's: at c. A
 * `count` of a whole vector is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void tolk_target_put(const struct tolk_gemm_target *t,
                                                                  real *c, size_t column,
                                                                  size_t count, tolk_vector sum)
{
    const bool whole = count == TOLK_LANES;
    if (t->accumulate) {
        sum += whole ? tolk_load(c) : tolk_load_part(c, count);
    } else if (t->bias != NULL) {
        sum += whole ? tolk_load(t->bias + column) : tolk_load_part(t->bias + column, count);
    }
    if (whole) {
        tolk_store(c, sum);
    } else {
        tolk_store_part(c, sum, count);
    }
}

/* The same of the vector at `offset` of a tile that begins at c and `column` and has
 * so many columns. */
static inline __attribute__((always_inline)) void
tolk_target_put_at(const struct tolk_gemm_target *t, real *c, size_t column, size_t offset,
                   size_t columns, tolk_vector sum)
{
    if (columns >= offset + TOLK_LANES) {
        tolk_target_put(t, c + offset, column + offset, TOLK_LANES, sum);
    } else if (columns > offset) {
        tolk_target_put(t, c + offset, column + offset, columns - offset, sum);
    }
}

#endif
