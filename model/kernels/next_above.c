/* The search of a row of logits for those that a beam has room for. */
#include "model/kernels/rows_internal.h"

size_t TOLK_KERNEL(tolk_next_above)(size_t begin, size_t columns, const real *x, real bound)
{
    enum { BLOCK = 128 };
    size_t c = begin;
    for (; c + BLOCK <= columns; c += BLOCK) {
        real largest = x[c];
#pragma omp simd reduction(max : largest)
        for (size_t i = 0; i < BLOCK; i++) {
            largest = x[c + i] > largest ? x[c + i] : largest;
        }
        if (largest > bound) {
            break;
        }
    }
    while (c < columns && !(x[c] > bound)) {
        c++;
    }
    return c;
}
