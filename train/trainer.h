/* The training loop: updates until a limit, validation now and then, the best model kept.
 *
 *     if (tolk_trainer_create(&trainer, &options, &corpus, codec, &folder, &progress, checkpoint,
 *                             &error) == 0) {
 *         status = tolk_trainer_run(&trainer, &error);
 *         tolk_trainer_free(&trainer);
 *     }
 *
 * model.safetensors is the moving average of the weights at the best validation so far;
 * training/state.safetensors is where the training stands. A failure to write either is noted and
 * tried again at the next validation; only at the end it is an error.
 *
 * A new training changes nothing in its folder before all of it is built and planned, so that a
 * command that must fail leaves an earlier training as it was. */
#ifndef TOLK_TRAIN_TRAINER_H
#define TOLK_TRAIN_TRAINER_H

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/corpus.h"
#include "train/divergence.h"
#include "train/folder.h"
#include "train/learner.h"
#include "train/log.h"
#include "train/options.h"
#include "train/progress.h"
#include "train/validation.h"
#include "train/window.h"

struct tolk_trainer {
    const struct tolk_training_options *options;
    const struct tolk_training_corpus *corpus;
    const struct tolk_codec *codec;
    const struct tolk_training_folder *folder;
    struct tolk_progress *progress;
    char *recipe;

    struct tolk_learner learner;
    struct tolk_validator validator;
    struct tolk_log log;

    double begun;          /* of this run, on the clock */
    double seconds_before; /* of the runs before */
    double saved;          /* seconds at which the state was saved last */
    int failures;          /* updates in a row that were not finite */
    bool model_unsaved;    /* a model better than the one in the folder could not be written */
    struct tolk_window window;
    struct tolk_divergence divergence;
};

/* Goes on from `checkpoint`; NULL: a new training, which takes the folder over and saves its
 * tokenizer and first state. */
int tolk_trainer_create(struct tolk_trainer *trainer, const struct tolk_training_options *options,
                        const struct tolk_training_corpus *corpus, const struct tolk_codec *codec,
                        const struct tolk_training_folder *folder, struct tolk_progress *progress,
                        const struct tolk_checkpoint *checkpoint, struct tolk_error *error);
void tolk_trainer_free(struct tolk_trainer *trainer);

/* Until a limit, the patience's end or a signal; then saves. */
int tolk_trainer_run(struct tolk_trainer *trainer, struct tolk_error *error);

#endif
