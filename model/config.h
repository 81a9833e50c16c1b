/* The sizes and switches of a model: config.json, with the key names of Hugging Face
 * `transformers`. */
#ifndef TOLK_MODEL_CONFIG_H
#define TOLK_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum tolk_activation { TOLK_RELU, TOLK_SWISH, TOLK_GELU };

enum { TOLK_MAX_HEADS = 64, TOLK_MAX_LAYERS = 64 };

struct tolk_config {
    size_t d_model;
    size_t encoder_layers;
    size_t decoder_layers;
    size_t encoder_attention_heads;
    size_t decoder_attention_heads;
    size_t encoder_ffn_dim;
    size_t decoder_ffn_dim;
    enum tolk_activation activation_function;
    size_t vocab_size;              /* rows of the shared embedding, pad among them */
    size_t max_position_embeddings; /* the longest sentence in pieces, eos included */
    bool normalize_before;     /* pre-norm (Pegasus layout), else post-norm (MarianMT layout) */
    bool scale_embedding;      /* embeddings are multiplied by sqrt(d_model) */
    double dropout;            /* of embeddings and of each sublayer's output */
    double attention_dropout;  /* of attention weights */
    double activation_dropout; /* after the feed-forward's activation */
    int32_t pad_token_id;      /* the last id; its embedding row stays zero */
    int32_t eos_token_id;
    int32_t decoder_start_token_id;
    size_t num_beams;      /* the search that the model suggests */
    double length_penalty; /* exponent of the length by which a hypothesis' score is divided */

    /* The decoder layer and heads whose cross-attention aligns best, as CTranslate2 names them.
     * alignment_layer < 0: not chosen. */
    int alignment_layer;
    size_t alignment_head_count;
    size_t alignment_heads[TOLK_MAX_HEADS];
    /* A key of our own: those heads look for a target word where it is the decoder's input, not its
     * output (Chen et al. 2020). */
    bool alignment_shift;
};

/* A small pre-norm model: d_model 256, 4 heads, feed-forward 1024, 3 + 3 layers, ReLU. */
struct tolk_config tolk_config_default(size_t vocab_size);

/* Reads and checks config.json. Errors name the file, the key, what was expected and what was
 * found: a missing key, a type that does not fit, sizes that do not divide (d_model by the heads),
 * ids outside the vocabulary, a model_type other than pegasus and marian, untied embeddings, an
 * architecture switch that tolk lacks. */
int tolk_config_load(struct tolk_config *config, const char *path, struct tolk_error *error);

/* The text of config.json in fresh memory, with all keys that `transformers` and CTranslate2 read;
 * generation_config.json likewise. NULL when there is no memory. */
char *tolk_config_json(const struct tolk_config *config);
char *tolk_config_generation_json(const struct tolk_config *config);

/* Checks the values against each other; `name` begins the message. */
int tolk_config_check(const struct tolk_config *config, const char *name, struct tolk_error *error);

#endif
