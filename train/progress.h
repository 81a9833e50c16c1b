/* What a person sees of a training: on a terminal one line that is written over, elsewhere a plain
 * line now and then. */
#ifndef TOLK_TRAIN_PROGRESS_H
#define TOLK_TRAIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tolk_progress {
    FILE *stream;
    bool terminal;
    bool line_open; /* a line that is written over stands on the terminal */
    double shown;   /* seconds at which it was written last */
};

struct tolk_progress_state {
    int64_t update;
    int64_t updates; /* expected in all; 0: unknown */
    int64_t epoch;   /* from 0 */
    double loss;
    double guided_loss; /* NaN: none */
    double tokens_per_second;
    double seconds;      /* of training so far */
    double seconds_left; /* < 0: unknown */
};

void tolk_progress_begin(struct tolk_progress *progress, FILE *stream);

/* After each update; `due` says that a plain line is due. */
void tolk_progress_update(struct tolk_progress *progress, const struct tolk_progress_state *state,
                          bool due);

/* A lasting line: what was read, a validation, a warning. */
void tolk_progress_note(struct tolk_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
