/* The decoder on packed weights with the whole target given (teacher forcing): the cross-attention
 * that tolk_transformer_attend gives, where no backward pass follows, nobody asks for logits, and
 * layers above the ones that are read need not run.
 *
 *     const real *memory = tolk_encoding_run(encoding, &batch, &error);
 *     if (memory == NULL ||
 *         tolk_forcing_run(forcing, memory, &batch, 1, &error) != 0) …     // the first layer alone
 *     const real *weights = tolk_forcing_attention(forcing, 0, sentence, head); */
#ifndef TOLK_MODEL_FORCING_H
#define TOLK_MODEL_FORCING_H

#include <stddef.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/inference.h"
#include "model/posterior.h"
#include "model/real.h"

/* The room of one thread, reused from batch to batch. */
struct tolk_forcing;

struct tolk_forcing *tolk_forcing_create(const struct tolk_inference_weights *weights,
                                         struct tolk_error *error);
void tolk_forcing_free(struct tolk_forcing *forcing);

/* Runs the first `layers` decoder layers over the target side of `batch`, whose encoding is
 * `memory` [source rows, d_model]; the last of them up to its cross-attention, unless it is the
 * model's last. -1 when there is no memory or a sentence is longer than max_position_embeddings. */
int tolk_forcing_run(struct tolk_forcing *forcing, const real *memory,
                     const struct tolk_batch *batch, size_t layers, struct tolk_error *error);

/* Row-major [target rows, source rows] of a sentence, from a layer that the last run reached. */
const real *tolk_forcing_attention(const struct tolk_forcing *forcing, size_t layer,
                                   size_t sentence, size_t head);

/* Posterior attention after a run of all layers over the same batch; then that of one sentence. */
void tolk_forcing_posterior(struct tolk_forcing *forcing, const struct tolk_batch *batch,
                            const struct tolk_head_set *set);
const real *tolk_forcing_posterior_weights(const struct tolk_forcing *forcing, size_t sentence);

#endif
