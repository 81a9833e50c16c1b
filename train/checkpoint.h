/* The state of a training in one file, training/state.safetensors, so that it is always of one
 * moment: weights, moving average, both moments (as "model.…" of transformers under the prefixes
 * weights, average, first_moment, second_moment), the cursor and the recipe.
 *
 *     struct tolk_checkpoint checkpoint;
 *     if (tolk_checkpoint_open(&checkpoint, path, &error) != 0) …
 *     … compare checkpoint.recipe with the options, make the model …
 *     tolk_checkpoint_restore(&checkpoint, &state, &error);
 *     tolk_checkpoint_close(&checkpoint);
 *
 * A training that goes on from here gives the same bits as one that was never stopped, as long as
 * --updates and --epochs stay what they were: the learning rate follows the share of them that is
 * used up. With --minutes that share is the clock's, and no two runs are the same. */
#ifndef TOLK_TRAIN_CHECKPOINT_H
#define TOLK_TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "model/parameters.h"
#include "model/real.h"
#include "model/safetensors.h"

/* Where a training stands. */
struct tolk_cursor {
    int64_t update;      /* updates done */
    int64_t step;        /* batches done, those of skipped updates among them; keys the dropout */
    int64_t epoch;       /* from 0 */
    int64_t batch;       /* the next batch of the epoch */
    int64_t tokens;      /* source and target tokens seen */
    int64_t skipped;     /* updates left out because a number was not finite */
    int64_t best_update; /* 0: no validation yet */
    int64_t stale;       /* validations since the best one */
    double best_loss, best_bleu, best_chrf; /* of the best model: a resumed training may judge by
                                               another of them */
    int64_t validated;                      /* the update of the last validation */
    double seconds;                         /* of training, over all runs */
    int64_t vocab_size;
    int64_t corpus_pairs;
    int64_t corpus_hash;
};

/* The four arenas; of one layout. */
struct tolk_training_state {
    const struct tolk_layout *layout;
    real *weights;
    real *average;
    real *first_moment;
    real *second_moment;
};

/* Atomic: on failure an earlier file stays as it was. */
int tolk_checkpoint_save(const char *path, const struct tolk_training_state *state,
                         const struct tolk_cursor *cursor, const char *recipe,
                         struct tolk_error *error);

struct tolk_checkpoint {
    struct tolk_safetensors file;
    const char *path;
    struct tolk_cursor cursor;
    char *recipe;
};

/* Errors: whatever is wrong with the file; a cursor's number that is missing or negative. `path`
 * must outlive the checkpoint. */
int tolk_checkpoint_open(struct tolk_checkpoint *checkpoint, const char *path,
                         struct tolk_error *error);
/* Checks every tensor before it changes the first. Errors name the file and the tensor. */
int tolk_checkpoint_restore(const struct tolk_checkpoint *checkpoint,
                            const struct tolk_training_state *state, struct tolk_error *error);
void tolk_checkpoint_close(struct tolk_checkpoint *checkpoint);

#endif
