/* Decoding step by step with a key/value cache: one new row for each hypothesis.
 *
 *     tolk_decoding_begin(decoding, memory, &batch, rows, steps, &error);
 *     for (size_t step = 0; …; step++) {
 *         const real *logits = tolk_decoding_step(decoding, n, tokens, sentences, parents);
 *         … choose the next tokens, and for each the row that it continues …
 *     }
 *
 * Hypotheses share the cache: a row of keys and values is written once, at the step that made it,
 * and each hypothesis holds the indices of its own past. Continuing, dropping and doubling
 * hypotheses copies indices, never keys or values. Keys and values of the source are computed once
 * a sentence. A step on the calling thread alone enters no parallel region; large products take all
 * threads unless it is in one already. */
#ifndef TOLK_MODEL_DECODING_H
#define TOLK_MODEL_DECODING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/inference.h"
#include "model/real.h"

struct tolk_decoding;

struct tolk_decoding *tolk_decoding_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error);
void tolk_decoding_free(struct tolk_decoding *decoding);

/* Prepares for the sentences of `batch`, whose encoding is `memory` [source rows, d_model]: at most
 * `rows` hypotheses at once and at most `steps` steps (≤ max_position_embeddings). */
int tolk_decoding_begin(struct tolk_decoding *decoding, const real *memory,
                        const struct tolk_batch *batch, size_t rows, size_t steps,
                        struct tolk_error *error);

/* One step for `rows` hypotheses; those of one sentence stand together. tokens[r] is the last token
 * of hypothesis r (the start token in the first step), sentences[r] the sentence it translates,
 * parents[r] the row of the previous step that it continues (ignored in the first step). Returns
 * logits [rows, vocab_size], valid until the next step. */
const real *tolk_decoding_step(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens,
                               const size_t *sentences, const size_t *parents);

/* Cross-attention weights of the last step: [source rows of the sentence of `row`]. */
const real *tolk_decoding_cross_attention(const struct tolk_decoding *decoding, size_t layer,
                                          size_t head, size_t row);

/* log Σ exp x, the normaliser of a row of logits: log p = x − log Σ exp x. NaN when an x is. Safe
 * to call from several threads. */
double tolk_log_sum_exp(const real *x, size_t count);

#endif
