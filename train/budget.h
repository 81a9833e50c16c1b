/* How far a training has come on its way to the limits given. */
#ifndef TOLK_TRAIN_BUDGET_H
#define TOLK_TRAIN_BUDGET_H

#include <stddef.h>

#include "train/checkpoint.h"
#include "train/options.h"

/* The share of the budget that is used up, 0 … 1: of updates, epochs or minutes, whichever is more.
 * `batches` are those of the cursor's epoch. */
double tolk_budget_spent(const struct tolk_training_options *options,
                         const struct tolk_cursor *cursor, size_t batches);

#endif
