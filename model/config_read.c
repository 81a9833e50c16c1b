#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/config.h"
#include "model/config_fields.h"

/* What a message shows of a value that does not fit. */
enum { FOUND_BYTES = 64 };

/* A key of the object; NULL where it is absent or null. */
static const json_t *value_of(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    return json_is_null(value) ? NULL : value;
}

static int unexpected(const char *path, const char *key, const char *expected, const json_t *found,
                      struct tolk_error *error)
{
    char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    tolk_error_set(error, "%s: %s: expected %s, found %.*s", path, key, expected, FOUND_BYTES,
                   text != NULL ? text : "nothing");
    free(text);
    return -1;
}

static int read_activation(enum tolk_activation *activation, const json_t *value, const char *path,
                           const char *key, struct tolk_error *error)
{
    for (size_t i = 0; i < tolk_activation_name_count && json_is_string(value); i++) {
        if (strcmp(json_string_value(value), tolk_activation_names[i].name) == 0) {
            *activation = tolk_activation_names[i].value;
            return 0;
        }
    }
    return unexpected(path, key, "relu, swish, silu or gelu", value, error);
}

static int read_field(const struct tolk_field *field, struct tolk_config *config,
                      const json_t *value, const char *path, struct tolk_error *error)
{
    void *at = (char *)config + field->offset;
    const bool integer = json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
                         json_integer_value(value) <= INT32_MAX;
    const json_int_t number = json_integer_value(value);
    switch (field->kind) {
    case TOLK_FIELD_SIZE:
    case TOLK_FIELD_ID:
        if (!integer || number < 0) {
            return unexpected(path, field->key, "an integer from 0 to 2147483647", value, error);
        }
        if (field->kind == TOLK_FIELD_SIZE) {
            *(size_t *)at = (size_t)number;
        } else {
            *(int32_t *)at = (int32_t)number;
        }
        return 0;
    case TOLK_FIELD_LAYER:
        if (!integer) {
            return unexpected(path, field->key, "an integer", value, error);
        }
        *(int *)at = (int)number;
        return 0;
    case TOLK_FIELD_NUMBER:
        if (!json_is_number(value)) {
            return unexpected(path, field->key, "a number", value, error);
        }
        *(double *)at = json_number_value(value);
        return 0;
    case TOLK_FIELD_FLAG:
        if (!json_is_boolean(value)) {
            return unexpected(path, field->key, "true or false", value, error);
        }
        *(bool *)at = json_is_true(value);
        return 0;
    case TOLK_FIELD_ACTIVATION:
        return read_activation(at, value, path, field->key, error);
    }
    return 0;
}

static int read_fields(struct tolk_config *config, const json_t *root, const char *path,
                       struct tolk_error *error)
{
    for (size_t i = 0; i < tolk_field_count; i++) {
        const json_t *value = value_of(root, tolk_fields[i].key);
        if (value == NULL && tolk_fields[i].required) {
            return tolk_error_set(error, "%s: %s: the key is missing", path, tolk_fields[i].key);
        }
        if (value != NULL && read_field(&tolk_fields[i], config, value, path, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_alignment_heads(struct tolk_config *config, const json_t *root, const char *path,
                                struct tolk_error *error)
{
    const json_t *heads = value_of(root, "alignment_heads");
    const json_t *head;
    size_t i;
    if (heads == NULL) {
        return 0;
    }
    if (!json_is_array(heads) || json_array_size(heads) > TOLK_MAX_HEADS) {
        return unexpected(path, "alignment_heads", "a list of at most 64 heads", heads, error);
    }
    json_array_foreach(heads, i, head)
    {
        if (!json_is_integer(head) || json_integer_value(head) < 0) {
            return unexpected(path, "alignment_heads", "numbers of heads", heads, error);
        }
        config->alignment_heads[i] = (size_t)json_integer_value(head);
    }
    config->alignment_head_count = json_array_size(heads);
    return 0;
}

static int read_alignment_shift(struct tolk_config *config, const json_t *root, const char *path,
                                struct tolk_error *error)
{
    const json_t *shift = value_of(root, "alignment_shift");
    if (shift != NULL && !json_is_boolean(shift)) {
        return unexpected(path, "alignment_shift", "true or false", shift, error);
    }
    config->alignment_shift = json_is_true(shift);
    return 0;
}

static const struct tolk_layout_name *read_layout(const json_t *root, const char *path,
                                                  struct tolk_error *error)
{
    const json_t *type = value_of(root, "model_type");
    const json_t *architectures = value_of(root, "architectures");
    const struct tolk_layout_name *layout = NULL;
    for (size_t i = 0; i < tolk_layout_name_count && json_is_string(type); i++) {
        if (strcmp(json_string_value(type), tolk_layout_names[i].model_type) == 0) {
            layout = &tolk_layout_names[i];
        }
    }
    if (layout == NULL) {
        unexpected(path, "model_type", "pegasus or marian", type, error);
        return NULL;
    }
    if (architectures != NULL) {
        const char *first = json_string_value(json_array_get(architectures, 0));
        if (first == NULL || strcmp(first, layout->architecture) != 0) {
            unexpected(path, "architectures", layout->architecture, architectures, error);
            return NULL;
        }
    }
    return layout;
}

static int check_flag(const json_t *root, const char *key, bool expected, const char *path,
                      struct tolk_error *error)
{
    const json_t *value = value_of(root, key);
    if (value != NULL && !(expected ? json_is_true(value) : json_is_false(value))) {
        return unexpected(path, key, expected ? "true" : "false", value, error);
    }
    return 0;
}

static int check_fixed(const json_t *root, const struct tolk_layout_name *layout,
                       const struct tolk_config *config, const char *path, struct tolk_error *error)
{
    const json_t *decoder_vocab_size = value_of(root, "decoder_vocab_size");
    for (size_t i = 0; i < tolk_fixed_flag_count; i++) {
        if (check_flag(root, tolk_fixed_flags[i].key, tolk_fixed_flags[i].value, path, error) !=
            0) {
            return -1;
        }
    }
    /* Where the norms stand follows from model_type; these must not tell another story. */
    if (check_flag(root, "normalize_before", layout->normalize_before, path, error) != 0 ||
        check_flag(root, "add_final_layer_norm", layout->normalize_before, path, error) != 0) {
        return -1;
    }
    if (decoder_vocab_size != NULL &&
        (!json_is_integer(decoder_vocab_size) ||
         json_integer_value(decoder_vocab_size) != (json_int_t)config->vocab_size)) {
        return unexpected(path, "decoder_vocab_size", "the same as vocab_size", decoder_vocab_size,
                          error);
    }
    return 0;
}

static int read_config(struct tolk_config *config, const json_t *root, const char *path,
                       struct tolk_error *error)
{
    if (!json_is_object(root)) {
        return tolk_error_set(error, "%s: expected a JSON object", path);
    }
    const struct tolk_layout_name *layout = read_layout(root, path, error);
    if (layout == NULL) {
        return -1;
    }
    *config = (struct tolk_config){
        .activation_function = TOLK_GELU,
        .max_position_embeddings = 1024,
        .normalize_before = layout->normalize_before,
        .dropout = 0.1,
        .num_beams = 1,
        .length_penalty = 1.0,
        .alignment_layer = -1,
    };
    if (read_fields(config, root, path, error) != 0 ||
        read_alignment_heads(config, root, path, error) != 0 ||
        read_alignment_shift(config, root, path, error) != 0 ||
        check_fixed(root, layout, config, path, error) != 0) {
        return -1;
    }
    return tolk_config_check(config, path, error);
}

int tolk_config_load(struct tolk_config *config, const char *path, struct tolk_error *error)
{
    struct tolk_file file;
    json_error_t fault;
    int result = -1;
    if (tolk_file_map(&file, path, error) != 0) {
        return -1;
    }
    json_t *root = json_loadb(file.size > 0 ? (const char *)file.bytes : "", file.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (root == NULL) {
        tolk_error_set(error, "%s:%d: expected JSON, found: %s", path, fault.line, fault.text);
        goto out;
    }
    result = read_config(config, root, path, error);
out:
    json_decref(root);
    tolk_file_unmap(&file);
    return result;
}
