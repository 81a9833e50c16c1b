/* The parameters of the model: one arena of numbers, one table of named tensors over it, and typed
 * views.
 *
 * One walker over the structure (parameters.c) makes the table and binds the views, so that they
 * cannot drift apart. Values, gradients and the optimiser's moments are arenas of the same layout:
 * clipping, the optimiser and zeroing are flat loops over `layout.size` numbers.
 *
 * Names are those of MarianMT and Pegasus in `transformers`; Linear weights are [out, in]. Within
 * one attention the weights of q, k and v stand one behind the other, and so do their biases: as
 * one [3·d_model, d_model] matrix they make one product. The arena has no gaps, so that the data of
 * model.safetensors is the arena. */
#ifndef TOLK_MODEL_PARAMETERS_H
#define TOLK_MODEL_PARAMETERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/config.h"
#include "model/real.h"

enum tolk_init {
    TOLK_INIT_ZERO,
    TOLK_INIT_ONE,
    TOLK_INIT_XAVIER,    /* uniform ±sqrt(6 / (in + out)), Glorot & Bengio 2010 */
    TOLK_INIT_EMBEDDING, /* normal, deviation d_model^-½; the pad row zero */
};

enum { TOLK_TENSOR_NAME_BYTES = 80 };

struct tolk_tensor {
    char name[TOLK_TENSOR_NAME_BYTES];
    size_t rank; /* 1 or 2 */
    size_t shape[2];
    size_t size;   /* numbers */
    size_t offset; /* in numbers, from the arena's begin */
    enum tolk_init init;
};

struct tolk_layout {
    struct tolk_tensor *tensors;
    size_t count;
    size_t size; /* numbers in the arena */
};

/* The table for a checked config. -1 when there is no memory. */
int tolk_layout_make(struct tolk_layout *layout, const struct tolk_config *config,
                     struct tolk_error *error);
void tolk_layout_free(struct tolk_layout *layout);
/* NULL when there is no tensor of that name. */
const struct tolk_tensor *tolk_layout_find(const struct tolk_layout *layout, const char *name);

struct tolk_linear {
    real *weight; /* [out, in] */
    real *bias;   /* [out] */
};

struct tolk_layer_norm {
    real *weight; /* [d_model] */
    real *bias;   /* [d_model] */
};

/* Each block of a layer with the layer norm of its residual connection. */
struct tolk_attention_weights {
    struct tolk_linear q, k, v, out; /* [d_model, d_model] each */
    struct tolk_layer_norm norm;
};

struct tolk_feed_forward_weights {
    struct tolk_linear fc1; /* [ffn_dim, d_model] */
    struct tolk_linear fc2; /* [d_model, ffn_dim] */
    struct tolk_layer_norm norm;
};

struct tolk_encoder_layer {
    struct tolk_attention_weights self;
    struct tolk_feed_forward_weights feed_forward;
};

struct tolk_decoder_layer {
    struct tolk_attention_weights self;
    struct tolk_attention_weights cross;
    struct tolk_feed_forward_weights feed_forward;
};

/* Views into one arena (of values, of gradients, …). */
struct tolk_weights {
    real *shared; /* [vocab_size, d_model]: source and target embedding and output projection */
    real *final_logits_bias;             /* [vocab_size] */
    struct tolk_encoder_layer *encoder;  /* [encoder_layers] */
    struct tolk_decoder_layer *decoder;  /* [decoder_layers] */
    struct tolk_layer_norm encoder_norm; /* pre-norm only, else NULL */
    struct tolk_layer_norm decoder_norm;
};

/* Points the views into `arena` [layout.size]; the views do not own it. */
int tolk_weights_bind(struct tolk_weights *weights, const struct tolk_config *config, real *arena,
                      struct tolk_error *error);
void tolk_weights_free(struct tolk_weights *weights);

/* Fills the arena by the table; depends on (layout, seed) alone. */
void tolk_parameters_initialise(const struct tolk_layout *layout, const struct tolk_config *config,
                                uint64_t seed, real *arena);

#endif
