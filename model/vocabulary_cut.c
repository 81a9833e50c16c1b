#include "model/vocabulary_cut.h"

#include <math.h>

/* The means settle within some dozens of rounds. */
enum { ROUNDS = 100 };

/* A smaller upper heap is a few outliers. */
enum { LEAST_PART = 4 };

/* Halfway between the mean of what lies below the bound and of what does not. */
static double next_bound(const real *bias, size_t count, double bound)
{
    double sums[2] = {0, 0};
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        const size_t heap = (double)bias[i] >= bound;
        sums[heap] += (double)bias[i];
        counts[heap]++;
    }
    return counts[0] == 0 || counts[1] == 0
               ? bound
               : (sums[0] / (double)counts[0] + sums[1] / (double)counts[1]) / 2;
}

/* Those whose bias is no number too. */
static size_t keep(const real *bias, size_t count, double bound, int32_t needed, int32_t *ids)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!((double)bias[i] < bound) || (int32_t)i == needed) {
            ids[kept++] = (int32_t)i;
        }
    }
    return kept;
}

size_t tolk_vocabulary_cut(const real *bias, size_t count, int32_t needed, int32_t *ids)
{
    double lowest = (double)bias[0];
    double highest = lowest;
    for (size_t i = 1; i < count; i++) {
        lowest = (double)bias[i] < lowest ? (double)bias[i] : lowest;
        highest = (double)bias[i] > highest ? (double)bias[i] : highest;
    }
    double bound = (lowest + highest) / 2;
    for (int round = 0; round < ROUNDS; round++) {
        bound = next_bound(bias, count, bound);
    }
    const size_t kept = keep(bias, count, bound, needed, ids);
    return kept < count / LEAST_PART ? keep(bias, count, -INFINITY, needed, ids) : kept;
}
