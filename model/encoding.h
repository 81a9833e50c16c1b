/* The encoder on packed weights: what tolk_transformer_encode gives, where no backward pass
 * follows and nobody asks for its attention. */
#ifndef TOLK_MODEL_ENCODING_H
#define TOLK_MODEL_ENCODING_H

#include "base/error.h"
#include "model/batch.h"
#include "model/inference.h"
#include "model/real.h"

/* The room of one thread, reused from batch to batch. */
struct tolk_encoding;

struct tolk_encoding *tolk_encoding_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error);
void tolk_encoding_free(struct tolk_encoding *encoding);

/* Encodes the source side of `batch`: [source rows, d_model], valid until the next run. NULL when
 * there is no memory or a sentence is longer than max_position_embeddings. */
const real *tolk_encoding_run(struct tolk_encoding *encoding, const struct tolk_batch *batch,
                              struct tolk_error *error);

#endif
