/* Counter-based random numbers: a value depends on (key, index) alone, so a dropout mask is
 * recomputed in the backward pass instead of stored, work can be divided among threads in any way,
 * and resuming a run needs no generator state.
 *
 * A key is made from (seed, step, site) by the finaliser of SplitMix64 (Steele, Lea, Flood 2014);
 * a value is a 32-bit avalanche hash of the key and the index ("lowbias32" of C. Wellons'
 * prospector, two multiplications), cheap enough to run inside vectorised loops. */
#ifndef TOLK_BASE_RANDOM_H
#define TOLK_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct tolk_random_key {
    uint32_t low;
    uint32_t high;
};

static inline uint64_t tolk_random_mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline struct tolk_random_key tolk_random_key(uint64_t seed, uint64_t step, uint64_t site)
{
    const uint64_t mixed =
        tolk_random_mix64(tolk_random_mix64(tolk_random_mix64(seed) ^ step) ^ site);
    return (struct tolk_random_key){(uint32_t)mixed, (uint32_t)(mixed >> 32)};
}

static inline uint32_t tolk_random_u32(struct tolk_random_key key, uint32_t index)
{
    uint32_t x = index ^ key.low;
    x = (x ^ (x >> 16)) * UINT32_C(0x21f0aaad);
    x = (x ^ (x >> 15) ^ key.high) * UINT32_C(0x735a2d97);
    return x ^ (x >> 15);
}

/* Uniform in [0, 1), 24 bits. */
static inline float tolk_random_uniform(struct tolk_random_key key, uint32_t index)
{
    return (float)(tolk_random_u32(key, index) >> 8) * 0x1p-24F;
}

/* Uniform in [0, bound), bound > 0; the bias of the multiplication is below bound / 2^32. */
static inline uint32_t tolk_random_below(struct tolk_random_key key, uint32_t index, uint32_t bound)
{
    return (uint32_t)(((uint64_t)tolk_random_u32(key, index) * bound) >> 32);
}

/* Standard normal (Box–Muller); uses the indices 2·index and 2·index + 1. */
double tolk_random_normal(struct tolk_random_key key, uint32_t index);

/* Fisher–Yates over `items`, a permutation that depends on the key alone. */
void tolk_random_shuffle(struct tolk_random_key key, size_t *items, size_t count);

#endif
