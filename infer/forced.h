/* Force-decoding: the model reads given pairs, and someone reads the model: the log-probability of
 * each target piece and every attention weight.
 *
 * With a hypothesis of the search as the target, these are the numbers of its decoder steps. */
#ifndef TOLK_INFER_FORCED_H
#define TOLK_INFER_FORCED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "infer/packing.h"
#include "model/forcing.h"
#include "model/model.h"
#include "model/transformer.h"

/* The model's room, reused from call to call. */
struct tolk_forcer;

/* With packed `weights` the pairs whose cross-attention alone is read go the shorter way
 * (model/forcing.h); NULL: none does. */
struct tolk_forcer *tolk_forcer_create(const struct tolk_model *model,
                                       const struct tolk_inference_weights *weights,
                                       struct tolk_error *error);
void tolk_forcer_free(struct tolk_forcer *forcer);

/* What one pair left behind, valid during the visit. */
struct tolk_forced {
    size_t pair;                     /* its index in the call */
    const double *log_probabilities; /* [target length]; NULL when not asked for */
    const struct tolk_workspace *workspace;
    const struct tolk_forcing *forcing; /* not NULL: instead of the workspace */
    size_t sentence;                    /* in either */
};

/* Returns 0, or -1 with an error, which ends the force-decoding. */
typedef int tolk_forced_visit(void *context, const struct tolk_forced *forced,
                              struct tolk_error *error);

/* Pairs of sequences, which end with eos and are at most max_position_embeddings long. */
struct tolk_forced_pairs {
    const struct tolk_sequence *sources;
    const struct tolk_sequence *targets;
    size_t count;
    size_t batch_tokens; /* source and target pieces in a batch */
    bool scores;         /* log-probabilities, which cost a product with the whole vocabulary */
    const struct tolk_head_set *posterior; /* whose posterior attention is wanted, NULL: none's */
    /* Not 0: nothing is read but the cross-attention of the first so many decoder layers, or of
     * all when there are fewer. */
    size_t cross_layers;
};

/* Runs the pairs in batches and visits each once, in no particular order and from several threads
 * at once. An error, as in the search: the model gives no number for a score that is asked for. */
int tolk_force_decode(struct tolk_forcer *forcer, const struct tolk_forced_pairs *pairs,
                      tolk_forced_visit *visit, void *context, struct tolk_error *error);

#endif
