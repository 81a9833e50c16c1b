/* The Transformer encoder–decoder (Vaswani et al. 2017, Figure 1): forward, loss, backward.
 *
 *     struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
 *     if (tolk_workspace_reserve(workspace, &batch, TOLK_TRAINING, &error) != 0) …
 *     tolk_transformer_forward(&model, &batch, &dropout, workspace);
 *     struct tolk_loss loss = tolk_transformer_loss(&model, &batch, 0.1, workspace);
 *     tolk_transformer_backward(&model, &batch, &dropout, 1.0 / loss.tokens, workspace, &views);
 *
 * After the reservation nothing here allocates or fails. */
#ifndef TOLK_MODEL_TRANSFORMER_H
#define TOLK_MODEL_TRANSFORMER_H

#include <stddef.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/dropout.h"
#include "model/gemm.h"
#include "model/model.h"
#include "model/parameters.h"
#include "model/real.h"

/* All that a forward pass leaves behind for the backward pass and for who reads the attention. */
struct tolk_workspace;

struct tolk_workspace *tolk_workspace_create(const struct tolk_model *model,
                                             struct tolk_error *error);
void tolk_workspace_free(struct tolk_workspace *workspace);

/* What the matrix products of forward and backward multiply; TOLK_REAL until set. Weights,
 * activations, sums and gradients stay real. */
void tolk_workspace_set_precision(struct tolk_workspace *workspace,
                                  enum tolk_gemm_precision precision);

enum tolk_purpose {
    TOLK_ATTENTION,  /* the encoder, or the attention weights, which all purposes keep */
    TOLK_FORWARD,    /* and the logits and their loss */
    TOLK_INSPECTION, /* and what every layer computed on the way (tapes.h) */
    TOLK_TRAINING,   /* and the backward pass */
};

/* Makes room for a batch of this shape; the room only grows. Errors: out of memory, with the bytes;
 * a sentence longer than max_position_embeddings. Token ids are the caller's to check (assert). */
int tolk_workspace_reserve(struct tolk_workspace *workspace, const struct tolk_batch *batch,
                           enum tolk_purpose purpose, struct tolk_error *error);

/* Runs encoder and decoder with the target given (teacher forcing), up to the logits.
 * dropout NULL: none. */
void tolk_transformer_forward(const struct tolk_model *model, const struct tolk_batch *batch,
                              const struct tolk_dropout *dropout, struct tolk_workspace *workspace);

/* The same without the output projection: attention weights, no logits. */
void tolk_transformer_attend(const struct tolk_model *model, const struct tolk_batch *batch,
                             struct tolk_workspace *workspace);

/* The encoder alone: [source rows, d_model], in the workspace until the next pass. `batch` needs
 * only its source side (target_begin may be NULL in the reservation, too). */
const real *tolk_transformer_encode(const struct tolk_model *model, const struct tolk_batch *batch,
                                    struct tolk_workspace *workspace);

/* Scores before the softmax of the last forward pass, [target rows, vocab_size]; gone after the
 * loss. */
const real *tolk_workspace_logits(const struct tolk_workspace *workspace);

struct tolk_loss {
    double smoothed; /* Σ over the target rows of the label-smoothed cross-entropy */
    double negative_log_likelihood; /* Σ of −log p(target) */
    size_t tokens;                  /* target rows */
    double guided;                  /* Σ of the loss of the batch's guide (guide.h) */
    size_t guided_rows;             /* target rows that have it */
};

/* Label-smoothed cross-entropy (Szegedy et al. 2016, as PyTorch's cross_entropy has it):
 * (1 − ε)·(−log p(y)) + ε/V·Σ_v −log p(v), natural logarithm. Turns the logits into their gradient
 * when the reservation was for training. A guide of the batch has its own loss, which is not part
 * of the others. */
struct tolk_loss tolk_transformer_loss(const struct tolk_model *model,
                                       const struct tolk_batch *batch, double label_smoothing,
                                       struct tolk_workspace *workspace);

/* −log p(target) of each row of the last loss, [target rows]. */
const double *tolk_workspace_token_losses(const struct tolk_workspace *workspace);

/* Adds the gradient of scale · Σ loss to `gradients`, and of guide->scale · Σ the guide's; the same
 * batch and dropout as in forward. */
void tolk_transformer_backward(const struct tolk_model *model, const struct tolk_batch *batch,
                               const struct tolk_dropout *dropout, double scale,
                               struct tolk_workspace *workspace, struct tolk_weights *gradients);

enum tolk_attention_kind { TOLK_ENCODER_SELF, TOLK_DECODER_SELF, TOLK_CROSS };

/* The attention weights of the last forward pass for one sentence: row-major [queries, keys], rows
 * sum to 1 (before dropout). Queries and keys are source or target rows of the sentence by the
 * kind. */
const real *tolk_workspace_attention(const struct tolk_workspace *workspace,
                                     enum tolk_attention_kind kind, size_t layer, size_t sentence,
                                     size_t head);

#endif
