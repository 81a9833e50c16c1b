/* The batches of one epoch: which sentences, in which order, and their rows of tokens.
 *
 *     struct tolk_batches batches = {0};
 *     tolk_batches_plan(&batches, &examples, &options, &key, &error);
 *     for (size_t b = 0; b < batches.count; b++) {
 *         struct tolk_batch batch = tolk_batches_get(&batches, &examples, b);
 *         …
 *     }
 *     tolk_batches_free(&batches);
 *
 * A batch is filled up to a budget of tokens, source and target rows together, which bounds both
 * the work and the memory of a step. Sentences are shuffled, cut into pools, sorted by length
 * within a pool, cut into batches, and the batches are shuffled: sentences of one length stand
 * together, yet another company each epoch. All of it depends on the key alone. */
#ifndef TOLK_TRAIN_BATCHES_H
#define TOLK_TRAIN_BATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "model/batch.h"
#include "train/examples.h"

struct tolk_batches_options {
    size_t budget;     /* source and target rows of a batch */
    size_t max_length; /* a pair with a longer side is left out */
    size_t pool;       /* sentences that are sorted by length together; 0 or 1: no sorting */
    int32_t start_id;  /* what decoding starts from: the pad */
};

struct tolk_batches {
    size_t count;
    size_t *begin;   /* [count + 1], into order */
    size_t *order;   /* sentences, batch behind batch */
    size_t left_out; /* sentences that are too long */

    /* The rows of the batch last asked for. */
    int32_t start_id;
    size_t *source_begin;
    size_t *target_begin;
    int32_t *source;
    int32_t *target_input;
    int32_t *target_output;
};

/* Replaces an earlier plan; begin with {0}. `key` NULL: in the order of the corpus, unsorted.
 * Errors: out of memory; no sentence is short enough. */
int tolk_batches_plan(struct tolk_batches *batches, const struct tolk_examples *examples,
                      const struct tolk_batches_options *options, const struct tolk_random_key *key,
                      struct tolk_error *error);
void tolk_batches_free(struct tolk_batches *batches);

/* Target rows of batch b. */
size_t tolk_batches_target_rows(const struct tolk_batches *batches,
                                const struct tolk_examples *examples, size_t b);

/* Batch b, valid until the next call. */
struct tolk_batch tolk_batches_get(struct tolk_batches *batches,
                                   const struct tolk_examples *examples, size_t b);

#endif
