/* One sentence pair under the glass: every number that the model computed for it in a forced pass,
 * which maps, pages and worked examples show.
 *
 *     struct tolk_inspection *inspection =
 *         tolk_inspection_make(&model, tolk_sentence_sequence(&source),
 *                              tolk_sentence_sequence(&target), &error);
 *     const struct tolk_attention_head head = tolk_inspection_head(inspection, TOLK_CROSS, 1, 0);
 *     printf("step 0 looks at piece 2 with weight %g\n", (double)head.weights[0 * head.keys + 2]);
 *     tolk_inspection_free(inspection);
 *
 * Rows are the pieces of a side and then eos. The decoder's row t is the step that writes target
 * piece t: its input is piece t − 1 (the start token at t = 0). */
#ifndef TOLK_INFER_INSPECTION_H
#define TOLK_INFER_INSPECTION_H

#include <stddef.h>

#include "base/error.h"
#include "infer/packing.h"
#include "model/model.h"
#include "model/tapes.h"
#include "model/transformer.h"

struct tolk_inspection;

/* Both sequences end with eos and are at most max_position_embeddings long. NULL with an error when
 * memory is out, or the model gives numbers that are none (NaN or infinite). The model must outlive
 * the inspection; the sequences are copied. */
struct tolk_inspection *tolk_inspection_make(const struct tolk_model *model,
                                             struct tolk_sequence source,
                                             struct tolk_sequence target, struct tolk_error *error);
void tolk_inspection_free(struct tolk_inspection *inspection);

const struct tolk_model *tolk_inspection_model(const struct tolk_inspection *inspection);

/* The layers and heads that a kind of attention has, and what it looks from and to. */
size_t tolk_inspection_layers(const struct tolk_model *model, enum tolk_attention_kind kind);
size_t tolk_inspection_heads(const struct tolk_model *model, enum tolk_attention_kind kind);

/* Weights, q, k, v, z, inputs and projections of one head. */
struct tolk_attention_head tolk_inspection_head(const struct tolk_inspection *inspection,
                                                enum tolk_attention_kind kind, size_t layer,
                                                size_t head);

/* The embedding of a row of the source, or of the decoder's input, with its position. */
struct tolk_embedded_row tolk_inspection_source(const struct tolk_inspection *inspection,
                                                size_t row);
struct tolk_embedded_row tolk_inspection_target(const struct tolk_inspection *inspection,
                                                size_t row);

/* Scores before the softmax of the decoder's row t, [vocab_size]. */
const real *tolk_inspection_logits(const struct tolk_inspection *inspection, size_t row);

/* The pass that this reads, sentence 0 of it: for tolk_word_attention_read. */
const struct tolk_workspace *tolk_inspection_workspace(const struct tolk_inspection *inspection);

#endif
