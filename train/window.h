/* Sums since the last record of the log. */
#ifndef TOLK_TRAIN_WINDOW_H
#define TOLK_TRAIN_WINDOW_H

#include <stddef.h>

#include "train/checkpoint.h"
#include "train/learner.h"
#include "train/log.h"

/* Begin with {0}. */
struct tolk_window {
    double loss; /* over the target tokens */
    double smoothed_loss;
    double guided_loss; /* over the guided rows */
    double norm;        /* over the updates */
    double seconds;
    size_t target_tokens;
    size_t guided_rows;
    size_t tokens;
    size_t updates;
};

void tolk_window_add(struct tolk_window *window, const struct tolk_update *update, double seconds);

/* The means of at least one update, which the cursor stands behind. */
struct tolk_log_record tolk_window_record(const struct tolk_window *window,
                                          const struct tolk_cursor *cursor, double rate);

#endif
