#include "model/dropout.h"

#include <stddef.h>

struct tolk_dropout_mask tolk_dropout_mask(const struct tolk_dropout *dropout, uint64_t site,
                                           double rate)
{
    if (dropout == NULL || rate <= 0.0) {
        return (struct tolk_dropout_mask){.threshold = 0, .scale = 1};
    }
    const double two_to_the_32 = 4294967296.0;
    return (struct tolk_dropout_mask){
        .key = tolk_random_key(dropout->seed, dropout->step, site),
        .threshold = (uint32_t)(rate * two_to_the_32),
        .scale = (real)(1.0 / (1.0 - rate)),
    };
}
