/* The learning rate of an update.
 *
 * Linear warm-up to the peak, then by the name of the schedule:
 *
 *     inverse-sqrt   peak · sqrt(warm-up / update)             Vaswani et al. 2017, section 5.3
 *     cosine         peak · (1 + cos(π·p)) / 2                 Loshchilov & Hutter 2017
 *     linear         peak · (1 − p)
 *     constant       peak
 *
 * where p runs from 0 at the end of the warm-up to 1 at the end of the budget. Inverse square root
 * and constant may end in a cooldown: over the last part of the budget the rate falls linearly to
 * zero, which takes the noise out of the last weights (Hägele et al. 2024). */
#ifndef TOLK_TRAIN_SCHEDULE_H
#define TOLK_TRAIN_SCHEDULE_H

#include <stdint.h>

enum tolk_schedule_kind {
    TOLK_SCHEDULE_INVERSE_SQRT,
    TOLK_SCHEDULE_COSINE,
    TOLK_SCHEDULE_LINEAR,
    TOLK_SCHEDULE_CONSTANT,
};

struct tolk_schedule {
    enum tolk_schedule_kind kind;
    double peak;
    uint64_t warmup; /* updates */
    double cooldown; /* share of the budget, 0 … 1; inverse-sqrt and constant */
};

/* `update` counts from 1. `spent` is the share of the budget (updates, epochs or minutes) that is
 * used up before this update, 0 … 1; 0 throughout where there is no budget. */
double tolk_schedule_rate(const struct tolk_schedule *schedule, uint64_t update, double spent);

#endif
