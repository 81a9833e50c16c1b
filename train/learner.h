/* One update after another: batch → encoder → decoder → logits → loss → gradients → optimiser.
 *
 * The learner knows nothing of limits, files and validation (trainer.h). What it does depends on
 * the options, the pairs and the cursor alone, not on the number of threads nor on how often it
 * was stopped. */
#ifndef TOLK_TRAIN_LEARNER_H
#define TOLK_TRAIN_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "model/model.h"
#include "model/transformer.h"
#include "tokenizer/codec.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/examples.h"
#include "train/guidance.h"
#include "train/optimizer.h"
#include "train/options.h"

struct tolk_learner {
    const struct tolk_training_options *options;
    const struct tolk_pairs *pairs;
    const struct tolk_codec *codec;

    struct tolk_model model;
    struct tolk_model averaged; /* the same model with the moving average as its values */
    real *gradients;            /* [model.layout.size] */
    struct tolk_weights gradient_views;
    struct tolk_optimizer optimizer;
    struct tolk_workspace *workspace;

    struct tolk_guidance guidance; /* used where the options have --guided-alignment */
    struct tolk_examples examples;
    struct tolk_batches batches; /* of the epoch */
    int64_t planned;             /* that epoch; -1: none */
    struct tolk_cursor cursor;
};

/* A learner before its first update. Corpus and codec are used, not copied; the pairs have their
 * links where the options are to be guided by them. */
int tolk_learner_create(struct tolk_learner *learner, const struct tolk_training_options *options,
                        const struct tolk_pairs *pairs, const struct tolk_codec *codec,
                        struct tolk_error *error);
void tolk_learner_free(struct tolk_learner *learner);

/* The arenas, as a checkpoint stores them. */
struct tolk_training_state tolk_learner_state(struct tolk_learner *learner);

/* Makes the batches of the cursor's epoch, where that is not done. */
int tolk_learner_plan(struct tolk_learner *learner, struct tolk_error *error);

struct tolk_update {
    bool applied;         /* false: a number was not finite, and the weights are as they were */
    double smoothed_loss; /* means per target token */
    double loss;
    double guided_loss; /* mean per guided target row */
    size_t guided_rows;
    double norm; /* of the gradient, before clipping */
    size_t target_tokens;
    size_t tokens; /* source and target */
};

/* One update of a planned epoch; moves the cursor. */
int tolk_learner_update(struct tolk_learner *learner, double rate, struct tolk_update *update,
                        struct tolk_error *error);

#endif
