#include "train/budget.h"

#include <math.h>

double tolk_budget_spent(const struct tolk_training_options *options,
                         const struct tolk_cursor *cursor, size_t batches)
{
    double share = 0;
    if (options->updates > 0) {
        share = fmax(share, (double)cursor->update / (double)options->updates);
    }
    if (options->epochs > 0) {
        const double part = cursor->batch > 0 ? (double)cursor->batch / (double)batches : 0;
        share = fmax(share, ((double)cursor->epoch + part) / (double)options->epochs);
    }
    if (options->minutes > 0) {
        share = fmax(share, cursor->seconds / (60 * options->minutes));
    }
    return fmin(share, 1);
}
