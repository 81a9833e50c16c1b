/* The model directory as a training uses it:
 *
 *     DIR/                           the model, as model/ and tokenizer/ write it
 *     DIR/README.md                  the model card
 *     DIR/training/state.safetensors where the training stands (checkpoint.h)
 *     DIR/training/log.jsonl         what it has seen (log.h)
 *     DIR/training/curves.svg        the same as a picture
 *     DIR/training/beginning         there until a new training has saved its first state
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
    char *beginning;
    struct tolk_lock lock;
    bool resumes; /* there is a state to go on from */
};

/* Makes what is missing and takes the lock. Errors: another training holds it; a file lies there
 * that a training would overwrite and no training here left (`restart` allows that). */
int tolk_training_folder_open(struct tolk_training_folder *folder, const char *path, bool restart,
                              struct tolk_error *error);

/* A new training begins: says so in a file, then removes state, log, curves and model of an earlier
 * one, so that nothing of it can be taken for the new one's. */
int tolk_training_folder_begin(const struct tolk_training_folder *folder, struct tolk_error *error);

/* The state is there: what lies in the folder is a training's. */
int tolk_training_folder_begun(const struct tolk_training_folder *folder, struct tolk_error *error);

void tolk_training_folder_close(struct tolk_training_folder *folder);

#endif
