/* The model directory as a training uses it:
 *
 *     DIR/                           the model, as model/ and tokenizer/ write it
 *     DIR/README.md                  the model card
 *     DIR/training/state.safetensors where the training stands (checkpoint.h)
 *     DIR/training/log.jsonl         what it has seen (log.h)
 *     DIR/training/curves.svg        the same as a picture
 *     DIR/training/lock              held while a training runs (lock.h) */
#ifndef TOLK_TRAIN_FOLDER_H
#define TOLK_TRAIN_FOLDER_H

#include <stdbool.h>

#include "base/error.h"
#include "train/lock.h"

struct tolk_training_folder {
    const char *path;
    char *training;
    char *model;
    char *card;
    char *state;
    char *log;
    char *curves;
    struct tolk_lock lock;
    bool resumes; /* there is a state to go on from */
};

/* Makes what is missing and takes the lock. Errors: another training holds it; a model lies there
 * that no training here left (it would be overwritten; `restart` allows that). */
int tolk_training_folder_open(struct tolk_training_folder *folder, const char *path, bool restart,
                              struct tolk_error *error);

/* Before a new training: removes state, log, curves and model of an earlier one, so that nothing
 * of it can be taken for the new one's. */
int tolk_training_folder_clear(const struct tolk_training_folder *folder, struct tolk_error *error);

void tolk_training_folder_close(struct tolk_training_folder *folder);

#endif
