/* The matrices of a model packed for inference: made once, then read by all threads at once.
 *
 *     struct tolk_inference_weights *weights =
 *         tolk_inference_weights_make(&model, TOLK_PANELS_INT8, &error);
 *     struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);   // a thread's own
 *     struct tolk_decoding *decoding = tolk_decoding_create(weights, &error);
 *     …
 *     tolk_inference_weights_free(weights);
 *
 * All linear layers of encoder and decoder and the output projection are packed; embeddings, biases
 * and layer norms are read from the model, which must outlive the weights. */
#ifndef TOLK_MODEL_INFERENCE_H
#define TOLK_MODEL_INFERENCE_H

#include "base/error.h"
#include "model/model.h"
#include "model/panels.h"

struct tolk_attention_panels {
    struct tolk_panels qkv; /* [3 d, d] of self-attention, or q [d, d] of cross-attention */
    struct tolk_panels kv;  /* [2 d, d] of cross-attention */
    struct tolk_panels out; /* [d, d] */
};

struct tolk_feed_forward_panels {
    struct tolk_panels fc1; /* [f, d] */
    struct tolk_panels fc2; /* [d, f] */
};

struct tolk_layer_panels {
    struct tolk_attention_panels self;
    struct tolk_attention_panels cross; /* the decoder's */
    struct tolk_feed_forward_panels feed_forward;
};

struct tolk_inference_weights {
    const struct tolk_model *model;
    enum tolk_panels_format format;
    struct tolk_layer_panels *encoder; /* [encoder_layers] */
    struct tolk_layer_panels *decoder; /* [decoder_layers] */
    struct tolk_panels projection;     /* [vocab_size, d] */
    void *arena;
};

/* Packs for the instruction set in use, on all threads. NULL when there is no memory. */
struct tolk_inference_weights *tolk_inference_weights_make(const struct tolk_model *model,
                                                           enum tolk_panels_format format,
                                                           struct tolk_error *error);
void tolk_inference_weights_free(struct tolk_inference_weights *weights);

/* Packs again after the values of the model changed; nobody may read meanwhile. */
void tolk_inference_weights_refresh(struct tolk_inference_weights *weights);

#endif
