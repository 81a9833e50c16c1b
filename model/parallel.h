/* How rows or columns are shared among the threads of a parallel region. */
#ifndef TOLK_MODEL_PARALLEL_H
#define TOLK_MODEL_PARALLEL_H

#include <omp.h>
#include <stddef.h>

/* Below so many numbers a parallel region costs more than it gains. */
enum { TOLK_PARALLEL_NUMBERS = 16384 };

/* The calling thread's contiguous share of `count` items, in whole multiples of `grain`. */
static inline void tolk_share(size_t count, size_t grain, size_t *begin, size_t *end)
{
    const size_t threads = (size_t)omp_get_num_threads();
    const size_t thread = (size_t)omp_get_thread_num();
    const size_t grains = (count + grain - 1) / grain;
    *begin = grains * thread / threads * grain;
    *end = grains * (thread + 1) / threads * grain;
    *begin = *begin < count ? *begin : count;
    *end = *end < count ? *end : count;
}

#endif
