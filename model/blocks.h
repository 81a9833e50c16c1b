/* The blocks of Figure 1 (internal to model/): a residual connection with its layer norm,
 * multi-head attention with its projections, the position-wise feed-forward, and the embedding. n
 * is the number of rows of the stack, d is d_model. */
#ifndef TOLK_MODEL_BLOCKS_H
#define TOLK_MODEL_BLOCKS_H

#include "model/attention.h"
#include "model/dropout.h"
#include "model/parameters.h"
#include "model/workspace.h"

/* What every block of one pass shares. */
struct tolk_pass {
    const struct tolk_model *model;
    const struct tolk_batch *batch;
    const struct tolk_dropout *dropout; /* NULL: none */
    struct tolk_workspace *workspace;
};

/* Where in the model a block stands; with the step it keys the dropout masks. */
enum tolk_stack { TOLK_ENCODER_STACK, TOLK_DECODER_STACK };
enum tolk_block {
    TOLK_EMBEDDING_BLOCK,
    TOLK_SELF_BLOCK,
    TOLK_CROSS_BLOCK,
    TOLK_FEED_FORWARD_BLOCK
};
struct tolk_site {
    enum tolk_stack stack;
    size_t layer;
    enum tolk_block block;
};

/* The stream enters a block: what the block's function reads, [n, d]. */
const real *tolk_sublayer_enter(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                                struct tolk_sublayer_tape *tape, size_t n, const real *stream);
/* The function's last product, W x + b of x [n, width], ldx apart, joins the stream again; returns
 * the stream after the block, [n, d]. */
const real *tolk_sublayer_leave(const struct tolk_pass *pass, struct tolk_site site,
                                const struct tolk_layer_norm *norm, struct tolk_sublayer_tape *tape,
                                size_t n, const struct tolk_linear *out, size_t width,
                                const real *x, size_t ldx);
/* Backward, in the opposite order. `dstream` is the gradient of the stream, before: behind the
 * block, after: in front of it. _leave_ returns the gradient of the last product, which may be
 * dstream itself and is gone when that changes. */
const real *tolk_sublayer_leave_backward(const struct tolk_pass *pass, struct tolk_site site,
                                         const struct tolk_layer_norm *norm,
                                         struct tolk_layer_norm *gradient,
                                         const struct tolk_sublayer_tape *tape, size_t n,
                                         real *dstream);
void tolk_sublayer_enter_backward(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                                  struct tolk_layer_norm *gradient,
                                  const struct tolk_sublayer_tape *tape, size_t n,
                                  const real *dinput, real *dstream);

/* Self-attention of the stack's rows; returns the stream after it. */
const real *tolk_self_attention_forward(const struct tolk_pass *pass, struct tolk_site site,
                                        const struct tolk_attention_weights *weights,
                                        struct tolk_attention_tape *tape, const real *stream);
void tolk_self_attention_backward(const struct tolk_pass *pass, struct tolk_site site,
                                  const struct tolk_attention_weights *weights,
                                  struct tolk_attention_weights *gradient,
                                  const struct tolk_attention_tape *tape, real *dstream);

/* Cross-attention of target rows to `memory` [source rows, d]; dmemory is added to. */
const real *tolk_cross_attention_forward(const struct tolk_pass *pass, struct tolk_site site,
                                         const struct tolk_attention_weights *weights,
                                         struct tolk_attention_tape *tape, const real *stream,
                                         const real *memory);
void tolk_cross_attention_backward(const struct tolk_pass *pass, struct tolk_site site,
                                   const struct tolk_attention_weights *weights,
                                   struct tolk_attention_weights *gradient,
                                   const struct tolk_attention_tape *tape, real *dstream,
                                   const real *memory, real *dmemory);

/* f(x) = W₂ · activation(W₁ x + b₁) + b₂ (equation 2 of the paper). */
const real *tolk_feed_forward_forward(const struct tolk_pass *pass, struct tolk_site site,
                                      const struct tolk_feed_forward_weights *weights,
                                      struct tolk_feed_forward_tape *tape, const real *stream);
void tolk_feed_forward_backward(const struct tolk_pass *pass, struct tolk_site site,
                                const struct tolk_feed_forward_weights *weights,
                                struct tolk_feed_forward_weights *gradient,
                                const struct tolk_feed_forward_tape *tape, real *dstream);

/* out = dropout(√d · E[id] + P[position]), the position counted from the sentence's first row.
 * ids [begin[sentences]], out the same rows. */
void tolk_embedding_forward(const struct tolk_pass *pass, enum tolk_stack stack, const int32_t *ids,
                            const size_t *begin, real *out);
/* dE[id] += √d · dropout(dout); the pad row gets nothing. dout is overwritten. */
void tolk_embedding_backward(const struct tolk_pass *pass, enum tolk_stack stack,
                             const int32_t *ids, const size_t *begin, real *dout, real *dshared);

/* The factor √d_model of the embeddings, or 1 where the config has none. */
real tolk_embedding_scale(const struct tolk_config *config);

/* Sites of dropout inside one block. */
enum tolk_dropout_place { TOLK_DROP_OUTPUT, TOLK_DROP_ATTENTION, TOLK_DROP_ACTIVATION };
struct tolk_dropout_mask tolk_site_mask(const struct tolk_pass *pass, struct tolk_site site,
                                        enum tolk_dropout_place place);

#endif
