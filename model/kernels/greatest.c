/* The greatest logits of a row: of all, of each panel, and those that a beam has room for. */
#include "model/kernels/rows_internal.h"
#include "model/kernels/transpose.h"

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

/* LANES groups at a time, of whole vectors. */
static void maxima_together(size_t width, const real *x, real *maxima)
{
    tolk_vector best[TOLK_LANES];
    for (size_t g = 0; g < TOLK_LANES; g++, x += width) {
        best[g] = tolk_load(x);
        for (size_t c = TOLK_LANES; c < width; c += TOLK_LANES) {
            best[g] = tolk_greater(tolk_load(x + c), best[g]);
        }
    }
    tolk_store(maxima, tolk_maxima_of_lanes(best));
}

void TOLK_KERNEL(tolk_maxima)(size_t columns, size_t width, const real *x, real *maxima)
{
    size_t c = 0;
    if (width % TOLK_LANES == 0) {
        for (; c + TOLK_LANES * width <= columns; c += TOLK_LANES * width) {
            maxima_together(width, x + c, maxima + c / width);
        }
    }
    for (; c < columns; c += width) {
        maxima[c / width] =
            TOLK_KERNEL(tolk_maximum)(columns - c < width ? columns - c : width, x + c);
    }
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
