#include "train/schedule.h"

#include <math.h>

/* The share of the budget behind the warm-up that is used up. The warm-up's own share is taken from
 * where the run stands now: warm-up / update of what is spent. */
static double after_warmup(const struct tolk_schedule *schedule, uint64_t update, double spent)
{
    const double warmup = spent * (double)schedule->warmup / (double)update;
    return warmup >= 1 ? 1 : fmin(fmax((spent - warmup) / (1 - warmup), 0), 1);
}

static double cooldown(const struct tolk_schedule *schedule, double spent)
{
    const double begin = 1 - schedule->cooldown;
    if (schedule->cooldown <= 0 || spent <= begin) {
        return 1;
    }
    return fmax((1 - spent) / schedule->cooldown, 0);
}

double tolk_schedule_rate(const struct tolk_schedule *schedule, uint64_t update, double spent)
{
    const double pi = 3.14159265358979323846;
    if (update <= schedule->warmup) {
        return schedule->peak * (double)update / (double)schedule->warmup *
               (schedule->kind == TOLK_SCHEDULE_COSINE || schedule->kind == TOLK_SCHEDULE_LINEAR
                    ? 1
                    : cooldown(schedule, spent));
    }
    switch (schedule->kind) {
    case TOLK_SCHEDULE_COSINE:
        return schedule->peak * (1 + cos(pi * after_warmup(schedule, update, spent))) / 2;
    case TOLK_SCHEDULE_LINEAR:
        return schedule->peak * (1 - after_warmup(schedule, update, spent));
    case TOLK_SCHEDULE_INVERSE_SQRT:
        return schedule->peak * sqrt(fmax((double)schedule->warmup, 1) / (double)update) *
               cooldown(schedule, spent);
    case TOLK_SCHEDULE_CONSTANT:
        break;
    }
    return schedule->peak * cooldown(schedule, spent);
}
