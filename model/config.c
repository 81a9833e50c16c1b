#include "model/config.h"

#include <stdint.h>

#include "model/config_fields.h"

struct tolk_config tolk_config_default(size_t vocab_size)
{
    const int32_t last = (int32_t)vocab_size - 1;
    return (struct tolk_config){
        .d_model = 256,
        .encoder_layers = 3,
        .decoder_layers = 3,
        .encoder_attention_heads = 4,
        .decoder_attention_heads = 4,
        .encoder_ffn_dim = 1024,
        .decoder_ffn_dim = 1024,
        .activation_function = TOLK_RELU,
        .vocab_size = vocab_size,
        .max_position_embeddings = 512,
        .normalize_before = true,
        .scale_embedding = true,
        .dropout = 0.1,
        .pad_token_id = last,
        .eos_token_id = 0,
        .decoder_start_token_id = last,
        .num_beams = 4,
        .length_penalty = 1.0,
        .alignment_layer = -1,
    };
}

static double number_of(const struct tolk_field *field, const struct tolk_config *config)
{
    const void *at = (const char *)config + field->offset;
    switch (field->kind) {
    case TOLK_FIELD_SIZE:
        return (double)*(const size_t *)at;
    case TOLK_FIELD_ID:
        return *(const int32_t *)at;
    case TOLK_FIELD_LAYER:
        return *(const int *)at;
    case TOLK_FIELD_NUMBER:
        return *(const double *)at;
    case TOLK_FIELD_FLAG:
        return *(const bool *)at;
    case TOLK_FIELD_ACTIVATION:
        break;
    }
    return 0;
}

static int check_ranges(const struct tolk_config *config, const char *name,
                        struct tolk_error *error)
{
    for (size_t i = 0; i < tolk_field_count; i++) {
        const double found = number_of(&tolk_fields[i], config);
        if (!(found >= tolk_fields[i].least && found <= tolk_fields[i].most)) {
            return tolk_error_set(error, "%s: %s: expected %.10g to %.10g, found %.10g", name,
                                  tolk_fields[i].key, tolk_fields[i].least, tolk_fields[i].most,
                                  found);
        }
    }
    return 0;
}

static int check_heads(const char *key, size_t heads, const struct tolk_config *config,
                       const char *name, struct tolk_error *error)
{
    if (config->d_model % heads != 0) {
        return tolk_error_set(error, "%s: %s: expected a divisor of d_model %zu, found %zu", name,
                              key, config->d_model, heads);
    }
    return 0;
}

static int check_id(const char *key, int32_t id, const struct tolk_config *config, const char *name,
                    struct tolk_error *error)
{
    if ((size_t)id >= config->vocab_size) {
        return tolk_error_set(error, "%s: %s: expected an id below vocab_size %zu, found %d", name,
                              key, config->vocab_size, id);
    }
    return 0;
}

static int check_alignment(const struct tolk_config *config, const char *name,
                           struct tolk_error *error)
{
    if (config->alignment_layer < 0) {
        return 0;
    }
    if ((size_t)config->alignment_layer >= config->decoder_layers) {
        return tolk_error_set(error,
                              "%s: alignment_layer: expected one below decoder_layers %zu, found "
                              "%d",
                              name, config->decoder_layers, config->alignment_layer);
    }
    if (config->alignment_head_count == 0) {
        return tolk_error_set(error,
                              "%s: alignment_heads: expected heads of the alignment_layer %d, "
                              "found none",
                              name, config->alignment_layer);
    }
    for (size_t i = 0; i < config->alignment_head_count; i++) {
        if (config->alignment_heads[i] >= config->decoder_attention_heads) {
            return tolk_error_set(error,
                                  "%s: alignment_heads: expected heads below "
                                  "decoder_attention_heads %zu, found %zu",
                                  name, config->decoder_attention_heads,
                                  config->alignment_heads[i]);
        }
    }
    return 0;
}

int tolk_config_check(const struct tolk_config *config, const char *name, struct tolk_error *error)
{
    if (check_ranges(config, name, error) != 0) {
        return -1;
    }
    if (config->d_model % 2 != 0) {
        return tolk_error_set(error,
                              "%s: d_model: expected an even number (the positions' sines and "
                              "cosines are its halves), found %zu",
                              name, config->d_model);
    }
    if (check_heads("encoder_attention_heads", config->encoder_attention_heads, config, name,
                    error) != 0 ||
        check_heads("decoder_attention_heads", config->decoder_attention_heads, config, name,
                    error) != 0 ||
        check_id("pad_token_id", config->pad_token_id, config, name, error) != 0 ||
        check_id("eos_token_id", config->eos_token_id, config, name, error) != 0 ||
        check_id("decoder_start_token_id", config->decoder_start_token_id, config, name, error) !=
            0) {
        return -1;
    }
    if (config->pad_token_id == config->eos_token_id) {
        return tolk_error_set(error, "%s: pad_token_id: expected another than eos_token_id %d",
                              name, config->eos_token_id);
    }
    return check_alignment(config, name, error);
}
