/* Dropout (Srivastava et al. 2014), inverted: kept numbers are divided by the keep probability.
 *
 * Masks are not stored. A number is dropped when the hash of (seed, step, site, index) says so, and
 * the backward pass asks the same question again. */
#ifndef TOLK_MODEL_DROPOUT_H
#define TOLK_MODEL_DROPOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "model/real.h"

/* What a training step draws from; NULL in place of it means no dropout. */
struct tolk_dropout {
    uint64_t seed;
    uint64_t step; /* counts every batch, those of one accumulated update too */
};

/* One site of one step: a number at `index` is dropped when its hash is below `threshold`. */
struct tolk_dropout_mask {
    struct tolk_random_key key;
    uint32_t threshold; /* 0: nothing is dropped */
    real scale;         /* 1 / (1 - rate) */
};

struct tolk_dropout_mask tolk_dropout_mask(const struct tolk_dropout *dropout, uint64_t site,
                                           double rate);

static inline real tolk_dropout_factor(struct tolk_dropout_mask mask, uint32_t index)
{
    return tolk_random_u32(mask.key, index) >= mask.threshold ? mask.scale : 0;
}

#endif
