#include "base/random.h"

#include <math.h>

double tolk_random_normal(struct tolk_random_key key, uint32_t index)
{
    const double two_pi = 6.283185307179586476925;
    /* 1 - u lies in (0, 1], where the logarithm is finite. */
    const double u = 1.0 - (double)tolk_random_u32(key, 2 * index) * 0x1p-32;
    const double v = (double)tolk_random_u32(key, 2 * index + 1) * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

void tolk_random_shuffle(struct tolk_random_key key, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = tolk_random_below(key, (uint32_t)i, (uint32_t)i);
        const size_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}
