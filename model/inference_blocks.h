/* What a layer of the encoder and one of the decoder have in common where nothing is kept for a
 * backward pass (internal to model/): sublayer.c and feed_forward.c on packed weights, on the
 * calling thread alone but for large products. */
#ifndef TOLK_MODEL_INFERENCE_BLOCKS_H
#define TOLK_MODEL_INFERENCE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/inference.h"
#include "model/room.h"

/* Room for the rows of a stack; d is d_model, f the feed-forward width. */
struct tolk_inference_room {
    real *stream;  /* [rows, d]: what layers read and leave */
    real *normed;  /* [rows, d] */
    real *context; /* [rows, d] */
    real *branch;  /* [rows, d] */
    real *hidden;  /* [rows, f], tolk_gemm_row_distance(f) apart */
    real *moments; /* [2, rows], of the layer norms */
};

void tolk_inference_room_take(struct tolk_inference_room *room, struct tolk_room_cut *cut,
                              size_t rows, size_t d, size_t f);

/* The two ends of a residual connection: what the block reads, and stream += room->branch. */
const real *tolk_inference_enter(const struct tolk_config *config,
                                 const struct tolk_layer_norm *norm, size_t rows,
                                 struct tolk_inference_room *room);
void tolk_inference_leave(const struct tolk_config *config, const struct tolk_layer_norm *norm,
                          size_t rows, struct tolk_inference_room *room);

/* Self-attention of whole sentences, whose rows are `begin` of the batch. */
struct tolk_inference_attention {
    size_t heads;
    size_t sentences;
    const size_t *begin; /* [sentences + 1] */
    bool causal;
    real *qkv;                  /* [rows, 3 d] */
    real *weights;              /* see struct tolk_attention */
    const size_t *weight_begin; /* [sentences + 1] */
    real *scratch;              /* tolk_attention_scratch_size() for each thread */
    size_t scratch_size;
};

void tolk_inference_self_attention(const struct tolk_config *config,
                                   const struct tolk_attention_weights *weights,
                                   const struct tolk_attention_panels *panels,
                                   const struct tolk_inference_attention *attention,
                                   struct tolk_inference_room *room);

void tolk_inference_feed_forward(const struct tolk_config *config, size_t f,
                                 const struct tolk_feed_forward_weights *weights,
                                 const struct tolk_feed_forward_panels *panels, size_t rows,
                                 struct tolk_inference_room *room);

/* room->stream[row] = √d · E[id] + P[position]. */
void tolk_inference_embed(const struct tolk_model *model, size_t row, int32_t id, size_t position,
                          struct tolk_inference_room *room);

#endif
