/* Which of two models is the better one. */
#ifndef TOLK_TRAIN_BEST_H
#define TOLK_TRAIN_BEST_H

#include <stdbool.h>

#include "train/checkpoint.h"
#include "train/validation.h"

/* Whether these scores are better than the cursor's best, by TOLK_BEST_BY_…; scores that are not
 * finite never are. BLEU is 0 for a while, and 100 in the end where the corpus is small: where it
 * is the same, the loss decides. */
bool tolk_is_best(const struct tolk_validation_scores *scores, const struct tolk_cursor *cursor,
                  size_t by);

#endif
