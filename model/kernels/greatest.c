/* The greatest logits of a row: the first of all, and those that a beam has room for. */
#include "model/kernels/rows_internal.h"

/* In several chains: a comparison waits for the one before it. */
real TOLK_KERNEL(tolk_maximum)(size_t columns, const real *x)
{
    enum { CHAINS = 4 * 64 / sizeof(real) };
    real best[CHAINS];
    real maximum = x[0];
    for (size_t i = 0; i < CHAINS; i++) {
        best[i] = maximum;
    }
    const size_t whole = columns / CHAINS * CHAINS;
    for (size_t c = 0; c < whole; c += CHAINS) {
#pragma omp simd
        for (size_t i = 0; i < CHAINS; i++) {
            best[i] = x[c + i] > best[i] ? x[c + i] : best[i];
        }
    }
    for (size_t i = 0; i < CHAINS; i++) {
        maximum = best[i] > maximum ? best[i] : maximum;
    }
    for (size_t c = whole; c < columns; c++) {
        maximum = x[c] > maximum ? x[c] : maximum;
    }
    return maximum;
}

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
