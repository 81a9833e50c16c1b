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

#include <stdbool.h>

#include "base/error.h"
#include "model/model.h"
#include "model/panels.h"
#include "model/screening.h"

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

/* What is packed. The rest is packed as it is read (tolk_panels_defer), anew for each product, so
 * that a step of the decoder takes 1.3 times as long for one row and 1.6 times for four. */
enum tolk_inference_packing {
    TOLK_PACKED_ALL,
    TOLK_PACKED_TARGET, /* what each step of the decoder multiplies by, not what multiplies the
                           source, once a sentence */
    TOLK_PACKED_LAYERS, /* of that not the output projection, where it is screened */
    TOLK_PACKED_NONE,
};

struct tolk_inference_weights {
    const struct tolk_model *model;
    enum tolk_panels_format format;
    struct tolk_layer_panels *encoder; /* [encoder_layers]; NULL where they are for drafts */
    struct tolk_layer_panels *decoder; /* [decoder_layers] */
    struct tolk_panels projection;     /* [outputs, d] */
    struct tolk_screening *screening;  /* of the projection, or NULL */
    const real *output_bias;           /* [outputs] */
    size_t outputs;                    /* vocab_size, but where the weights are for drafts: */
    int32_t *output_ids;               /* NULL, or the ids that the projection knows, ascending */
    real *draft_bias;                  /* NULL, or their biases */
    bool partly;                       /* packed; see tolk_inference_weights_complete */
    void *arena;
    void *screening_room; /* of it, or NULL */
};

/* Packs for the instruction set in use, on all threads. NULL when there is no memory. */
struct tolk_inference_weights *tolk_inference_weights_make(const struct tolk_model *model,
                                                           enum tolk_panels_format format,
                                                           struct tolk_error *error);
/* For a program that soon translates one sentence: to pack all takes as long as some ten steps. In
 * 8-bit integers all is packed. */
struct tolk_inference_weights *
tolk_inference_weights_make_partly(const struct tolk_model *model, enum tolk_panels_format format,
                                   enum tolk_inference_packing packing, struct tolk_error *error);
/* Packs what is left, on all threads; nobody may read meanwhile. */
void tolk_inference_weights_complete(struct tolk_inference_weights *weights);

/* For greedy searches, which want the greatest logit of each row alone: prepares to find it by a
 * screening, unless that was done, this build has no 8-bit integers, or there is no memory. Nobody
 * may read meanwhile. */
void tolk_inference_weights_screen(struct tolk_inference_weights *weights);

/* For drafts (infer/draft.h): the decoder alone, and of the vocabulary what it may write. The bias
 * of a piece that never stood in a target sinks with every update, so that in a vocabulary that two
 * languages share the biases make two heaps; the lower is left out. */
struct tolk_inference_weights *tolk_inference_weights_make_draft(const struct tolk_model *model,
                                                                 enum tolk_panels_format format,
                                                                 struct tolk_error *error);

/* Whether they pay: a step of the decoder for one row waits for its weights, which do not stay in a
 * core's cache, and products of 8-bit integers read a quarter of them. */
bool tolk_inference_weights_draftable(const struct tolk_inference_weights *weights);

void tolk_inference_weights_free(struct tolk_inference_weights *weights);

/* Packs again after the values of the model changed; nobody may read meanwhile. Weights for drafts
 * are made anew instead. */
void tolk_inference_weights_refresh(struct tolk_inference_weights *weights);

#endif
