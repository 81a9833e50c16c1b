/* Decoding step by step with a key/value cache: one new row for each hypothesis.
 *
 *     tolk_decoding_begin(decoding, memory, &batch, rows, steps, &error);
 *     for (size_t step = 0; …; step++) {
 *         const real *logits = tolk_decoding_step(decoding, n, tokens, sentences, parents);
 *         … choose the next tokens, and for each the row that it continues …
 *     }
 *
 * Each row gets a *place*: a row of the cache, with its keys and values, and the place that it
 * continues. Places are numbered from 0 in the order in which they are added, so they make a tree,
 * and the past of a row are the places on the way to its root. Continuing, dropping and doubling
 * hypotheses copies no keys nor values. Keys and values of the source are computed once a sentence.
 *
 * A step adds rows and evaluates them. The two halves alone let one pass evaluate a whole tree,
 * rows of several positions, of which some continue others of the same pass:
 *
 *     tolk_decoding_begin_tree(decoding, memory, &batch, rows, steps, places, &error);
 *     tree[0] = tolk_decoding_add(decoding, start, 0, TOLK_DECODING_ROOT);
 *     tree[1] = tolk_decoding_add(decoding, 17, 0, tree[0]);
 *     tree[2] = tolk_decoding_add(decoding, 4, 0, tree[0]);
 *     tolk_decoding_evaluate(decoding, weights, 3, tree, logits);
 *
 * To the bit that gives the logits of step after step: a row's numbers depend on its past alone.
 *
 * An evaluation on the calling thread alone enters no parallel region; large products take all
 * threads unless it is in one already. */
#ifndef TOLK_MODEL_DECODING_H
#define TOLK_MODEL_DECODING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/inference.h"
#include "model/real.h"
#include "model/screening.h"

struct tolk_decoding;

struct tolk_decoding *tolk_decoding_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error);
void tolk_decoding_free(struct tolk_decoding *decoding);

/* Prepares for the sentences of `batch`, whose encoding is `memory` [source rows, d_model]: at most
 * `rows` hypotheses at once and at most `steps` steps (≤ max_position_embeddings). */
int tolk_decoding_begin(struct tolk_decoding *decoding, const real *memory,
                        const struct tolk_batch *batch, size_t rows, size_t steps,
                        struct tolk_error *error);

/* The same for a tree of at most `places` rows in all, of at most `steps` positions; `rows` at most
 * are evaluated at once. */
int tolk_decoding_begin_tree(struct tolk_decoding *decoding, const real *memory,
                             const struct tolk_batch *batch, size_t rows, size_t steps,
                             size_t places, struct tolk_error *error);

/* One step for `rows` hypotheses; those of one sentence stand together. tokens[r] is the last token
 * of hypothesis r (the start token in the first step), sentences[r] the sentence it translates,
 * parents[r] the row of the previous step that it continues (ignored in the first step). Returns
 * logits [rows, vocab_size], valid until the next step. */
const real *tolk_decoding_step(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens,
                               const size_t *sentences, const size_t *parents);

/* The same for a search that wants the greatest logit of each row alone, `barred` left out, by
 * weights with a screening: greatest [rows], valid until the next step. */
const struct tolk_greatest *
tolk_decoding_step_greatest(struct tolk_decoding *decoding, int32_t barred, size_t rows,
                            const int32_t *tokens, const size_t *sentences, const size_t *parents);

/* The parent of a start token. */
#define TOLK_DECODING_ROOT SIZE_MAX

/* Adds a row that translates `sentence` and continues the one at `parent`; returns its place. */
size_t tolk_decoding_add(struct tolk_decoding *decoding, int32_t token, size_t sentence,
                         size_t parent);

/* Evaluates rows by their places, each behind the one that it continues unless that was evaluated
 * before, and writes their logits [rows, weights->outputs]. `weights` are those of the decoding or
 * another packing of the same model: keys and values are then of that packing until the places are
 * evaluated again. */
void tolk_decoding_evaluate(struct tolk_decoding *decoding,
                            const struct tolk_inference_weights *weights, size_t rows,
                            const size_t *places, real *logits);

/* The same by the weights of the decoding, which have a screening: of each row the greatest logit.
 * `room` [rows + 1, vocab_size] holds nothing of use afterwards. */
void tolk_decoding_evaluate_greatest(struct tolk_decoding *decoding, int32_t barred, size_t rows,
                                     const size_t *places, real *room,
                                     struct tolk_greatest *greatest);

/* Cross-attention weights of the last evaluation: [source rows of the sentence of `row`]. */
const real *tolk_decoding_cross_attention(const struct tolk_decoding *decoding, size_t layer,
                                          size_t head, size_t row);

/* log Σ exp x, the normaliser of a row of logits: log p = x − log Σ exp x. NaN when an x is. Safe
 * to call from several threads. */
double tolk_log_sum_exp(const real *x, size_t count);

/* The first place ≥ begin with x > bound, else count. */
size_t tolk_next_above(const real *x, size_t begin, size_t count, real bound);

#endif
