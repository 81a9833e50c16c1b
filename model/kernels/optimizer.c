/* The optimiser's passes over the arena: the norm of the gradient, and AdamW with the average. */
#include <stdbool.h>

#include "model/kernels/rows_internal.h"

enum { PARTIAL_SUMS = 16 }; /* as many for every instruction set, so that the order is the same */

double TOLK_KERNEL(tolk_sum_of_squares)(size_t size, const real *x)
{
    double sums[PARTIAL_SUMS] = {0};
    const size_t whole = size - size % PARTIAL_SUMS;
    for (size_t i = 0; i < whole; i += PARTIAL_SUMS) {
#pragma omp simd
        for (size_t lane = 0; lane < PARTIAL_SUMS; lane++) {
            const double value = (double)x[i + lane];
            sums[lane] += value * value;
        }
    }
    for (size_t i = whole; i < size; i++) {
        sums[i - whole] += (double)x[i] * (double)x[i];
    }
    double sum = 0;
    for (size_t lane = 0; lane < PARTIAL_SUMS; lane++) {
        sum += sums[lane];
    }
    return sum;
}

static inline real square_root(real x)
{
#ifdef TOLK_REAL_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

/* `averaged` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void
adam(bool averaged, const struct tolk_adam_step *step, real decays, size_t size,
     real *restrict values, real *restrict gradients, real *restrict first, real *restrict second,
     real *restrict average)
{
    const struct tolk_adam_step s = *step;
    const real keep = 1 - s.decay * decays;
#pragma omp simd
    for (size_t i = 0; i < size; i++) {
        const real g = s.clip * gradients[i];
        const real m = s.beta1 * first[i] + (1 - s.beta1) * g;
        const real v = s.beta2 * second[i] + (1 - s.beta2) * g * g;
        const real w =
            keep * values[i] - s.rate * m / (s.second_factor * square_root(v) + s.epsilon);
        first[i] = m;
        second[i] = v;
        values[i] = w;
        if (averaged) {
            average[i] += s.renewal * (w - average[i]);
        }
        gradients[i] = 0;
    }
}

void TOLK_KERNEL(tolk_adam)(const struct tolk_adam_step *step, real decays, size_t size,
                            real *restrict values, real *restrict gradients, real *restrict first,
                            real *restrict second, real *restrict average)
{
    if (average != NULL) {
        adam(true, step, decays, size, values, gradients, first, second, average);
    } else {
        adam(false, step, decays, size, values, gradients, first, second, NULL);
    }
}
