/* Force-decoding: the model reads given pairs, and someone reads the model: the log-probability of
 * each target piece and every attention weight.
 *
 * With a hypothesis of the search as the target, these are the numbers of its decoder steps. */
#ifndef TOLK_INFER_FORCED_H
#define TOLK_INFER_FORCED_H

#include <stddef.h>

#include "base/error.h"
#include "infer/packing.h"
#include "model/model.h"
#include "model/transformer.h"

/* What one pair left behind, valid during the visit. */
struct tolk_forced {
    size_t pair;                     /* its index in the call */
    const double *log_probabilities; /* [target length] */
    const struct tolk_workspace *workspace;
    size_t sentence; /* in the workspace */
};

/* Returns 0, or -1 with an error, which ends the force-decoding. */
typedef int tolk_forced_visit(void *context, const struct tolk_forced *forced,
                              struct tolk_error *error);

/* Runs `count` pairs in batches of at most `batch_tokens` source and target pieces and visits each
 * once, in no particular order. Sequences end with eos and are at most max_position_embeddings
 * long. `workspace` is the model's, reused from call to call. An error, as in the search: the model
 * gives no number. */
int tolk_force_decode(const struct tolk_model *model, struct tolk_workspace *workspace,
                      const struct tolk_sequence *sources, const struct tolk_sequence *targets,
                      size_t count, size_t batch_tokens, tolk_forced_visit *visit, void *context,
                      struct tolk_error *error);

#endif
