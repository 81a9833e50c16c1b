/* The record of a training: training/log.jsonl, one JSON object a line.
 *
 *     {"type": "update", "update": 50, "epoch": 0, "seconds": 21.4, "loss": 6.1, …}
 *     {"type": "validation", "update": 500, …, "perplexity": 31.2, "bleu": 12.4, "chrf": 34.5}
 *
 * Lines are appended and survive a resume; those of updates that a killed run made after its last
 * checkpoint are dropped then, for the resumed run makes them again. */
#ifndef TOLK_TRAIN_LOG_H
#define TOLK_TRAIN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum tolk_log_type { TOLK_LOG_UPDATE, TOLK_LOG_VALIDATION };

struct tolk_log_record {
    enum tolk_log_type type;
    int64_t update;
    int64_t epoch;
    double seconds; /* of training, over all runs */
    double loss;    /* −log p per target token, natural logarithm */

    /* updates: means and sums since the record before */
    double smoothed_loss;
    double guided_loss; /* of guided alignment, per guided target row; NaN: none, not written */
    double learning_rate;
    double gradient_norm;
    double tokens_per_second; /* source and target */
    int64_t tokens;           /* since the training began */
    int64_t skipped;          /* updates left out since the training began */

    /* validations */
    double bleu;
    double chrf;
    int64_t sentences; /* that were translated */
    bool best;
};

struct tolk_log {
    FILE *stream;
    char *path;
};

/* Opens for appending; records behind `last_update` are dropped first. */
int tolk_log_open(struct tolk_log *log, const char *path, int64_t last_update,
                  struct tolk_error *error);
int tolk_log_write(struct tolk_log *log, const struct tolk_log_record *record,
                   struct tolk_error *error);
void tolk_log_close(struct tolk_log *log);

/* All records, in fresh memory; a line that is none (cut by a crash) is passed over. A file that
 * is missing has no record. */
int tolk_log_read(const char *path, struct tolk_log_record **records, size_t *count,
                  struct tolk_error *error);

#endif
