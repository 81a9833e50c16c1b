#include <jansson.h>
#include <stdlib.h>

#include "model/config.h"
#include "model/config_fields.h"

/* 15 digits: every decimal number that a person wrote comes back as it was written. */
enum { JSON_FLAGS = JSON_INDENT(2) | JSON_REAL_PRECISION(15) };

static json_t *field_value(const struct tolk_field *field, const struct tolk_config *config)
{
    const void *at = (const char *)config + field->offset;
    switch (field->kind) {
    case TOLK_FIELD_SIZE:
        return json_integer((json_int_t) * (const size_t *)at);
    case TOLK_FIELD_ID:
        return json_integer(*(const int32_t *)at);
    case TOLK_FIELD_LAYER:
        return json_integer(*(const int *)at);
    case TOLK_FIELD_NUMBER:
        return json_real(*(const double *)at);
    case TOLK_FIELD_FLAG:
        return json_boolean(*(const bool *)at);
    case TOLK_FIELD_ACTIVATION:
        for (size_t i = 0; i < tolk_activation_name_count; i++) {
            if (tolk_activation_names[i].value == *(const enum tolk_activation *)at) {
                return json_string(tolk_activation_names[i].name);
            }
        }
    }
    return NULL;
}

static const struct tolk_layout_name *layout_of(const struct tolk_config *config)
{
    const struct tolk_layout_name *layout = tolk_layout_names;
    while (layout->normalize_before != config->normalize_before) {
        layout++;
    }
    return layout;
}

/* The functions below return 0, or -1 when there is no memory; json_object_set_new takes a NULL
 * value for an error, too. */

static int add_fields(json_t *root, const struct tolk_config *config)
{
    int failed = 0;
    for (size_t i = 0; i < tolk_field_count; i++) {
        if (tolk_fields[i].kind == TOLK_FIELD_LAYER && config->alignment_layer < 0) {
            continue;
        }
        failed |=
            json_object_set_new(root, tolk_fields[i].key, field_value(&tolk_fields[i], config));
    }
    return failed;
}

static int add_alignment(json_t *root, const struct tolk_config *config)
{
    if (config->alignment_layer < 0) {
        return 0;
    }
    json_t *heads = json_array();
    int failed =
        json_object_set_new(root, "alignment_heads", heads) |
        json_object_set_new(root, "alignment_shift", json_boolean(config->alignment_shift));
    for (size_t i = 0; i < config->alignment_head_count; i++) {
        failed |=
            json_array_append_new(heads, json_integer((json_int_t)config->alignment_heads[i]));
    }
    return failed;
}

/* Takes hold of root. */
static char *text_of(json_t *root, int failed)
{
    char *text = failed ? NULL : json_dumps(root, JSON_FLAGS);
    json_decref(root);
    return text;
}

char *tolk_config_json(const struct tolk_config *config)
{
    const struct tolk_layout_name *layout = layout_of(config);
    json_t *root = json_pack("{s:s, s:[s]}", "model_type", layout->model_type, "architectures",
                             layout->architecture);
    int failed = add_fields(root, config) | add_alignment(root, config);
    for (size_t i = 0; i < tolk_fixed_flag_count; i++) {
        failed |= json_object_set_new(root, tolk_fixed_flags[i].key,
                                      json_boolean(tolk_fixed_flags[i].value));
    }
    failed |= json_object_set_new(root, "normalize_before", json_boolean(layout->normalize_before));
    failed |=
        json_object_set_new(root, "add_final_layer_norm", json_boolean(layout->normalize_before));
    failed |= json_object_set_new(root, "decoder_vocab_size",
                                  json_integer((json_int_t)config->vocab_size));
    failed |= json_object_set_new(root, "forced_eos_token_id", json_integer(config->eos_token_id));
    return text_of(root, failed);
}

char *tolk_config_generation_json(const struct tolk_config *config)
{
    json_t *root =
        json_pack("{s:i, s:i, s:i, s:i, s:[[i]], s:I, s:I, s:f}", "pad_token_id",
                  config->pad_token_id, "eos_token_id", config->eos_token_id,
                  "decoder_start_token_id", config->decoder_start_token_id, "forced_eos_token_id",
                  config->eos_token_id, "bad_words_ids", config->pad_token_id, "max_length",
                  (json_int_t)config->max_position_embeddings, "num_beams",
                  (json_int_t)config->num_beams, "length_penalty", config->length_penalty);
    return text_of(root, root == NULL);
}
