#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/floats.h"
#include "model/model.h"
#include "model/positions.h"
#include "model/safetensors.h"

static const char shared_name[] = "model.shared.weight";

/* Other names of the shared embedding that files of others may hold, beside it or in its place. */
static const char *const tied_names[] = {"model.encoder.embed_tokens.weight",
                                         "model.decoder.embed_tokens.weight", "lm_head.weight"};
enum { TIED_COUNT = sizeof tied_names / sizeof tied_names[0] };

static const char *const position_names[] = {"model.encoder.embed_positions.weight",
                                             "model.decoder.embed_positions.weight"};
enum { POSITION_COUNT = sizeof position_names / sizeof position_names[0] };

/* Positions stored in half precision are this near to ours; those by the formulas of Marian itself
 * and of fairseq are up to 0.09 away. */
static const double position_tolerance = 0.01;

/* What a load looks at. */
struct loading {
    struct tolk_model *model;
    struct tolk_safetensors file;
    const char *path; /* of model.safetensors, for messages */
    struct tolk_error *error;
};

/* ---- matching ------------------------------------------------------------------------------- */

enum { SHAPE_BYTES = 32 * TOLK_SAFETENSORS_MAX_RANK };

/* "[256, 1024]" */
static const char *shape_text(char text[SHAPE_BYTES], const size_t *shape, size_t rank)
{
    size_t used = (size_t)snprintf(text, SHAPE_BYTES, "[");
    for (size_t i = 0; i < rank; i++) {
        used +=
            (size_t)snprintf(text + used, SHAPE_BYTES - used, "%s%zu", i > 0 ? ", " : "", shape[i]);
    }
    snprintf(text + used, SHAPE_BYTES - used, "]");
    return text;
}

static int check_shape(const struct loading *loading, const struct tolk_safetensor *item,
                       const size_t *shape, size_t rank)
{
    char expected[SHAPE_BYTES];
    char found[SHAPE_BYTES];
    if (item->rank != rank || memcmp(item->shape, shape, rank * sizeof *shape) != 0) {
        return tolk_error_set(loading->error,
                              "%s: %s: expected the shape %s by config.json, found %s",
                              loading->path, item->name, shape_text(expected, shape, rank),
                              shape_text(found, item->shape, item->rank));
    }
    return 0;
}

static int check_dtype(const struct loading *loading, const struct tolk_safetensor *item)
{
    if (tolk_floats_know(item->dtype)) {
        return 0;
    }
    return tolk_error_set(loading->error, "%s: %s: expected F32, F16, BF16 or F64, found %s",
                          loading->path, item->name, item->dtype);
}

static const struct tolk_safetensor *find(const struct loading *loading, const char *name)
{
    const struct tolk_safetensor *item = tolk_safetensors_find(&loading->file, name);
    for (size_t i = 0; i < TIED_COUNT && item == NULL && strcmp(name, shared_name) == 0; i++) {
        item = tolk_safetensors_find(&loading->file, tied_names[i]);
    }
    return item;
}

/* Every tensor of the table is in the file with its shape and a type that can be read. This also
 * bounds the size of the arena by the length of the file. */
static int check_tensors(const struct loading *loading)
{
    const struct tolk_layout *layout = &loading->model->layout;
    char expected[SHAPE_BYTES];
    for (size_t i = 0; i < layout->count; i++) {
        const struct tolk_tensor *tensor = &layout->tensors[i];
        const struct tolk_safetensor *item = find(loading, tensor->name);
        if (item == NULL) {
            return tolk_error_set(loading->error, "%s: %s: the tensor is missing, expected as %s",
                                  loading->path, tensor->name,
                                  shape_text(expected, tensor->shape, tensor->rank));
        }
        if (check_shape(loading, item, tensor->shape, tensor->rank) != 0 ||
            check_dtype(loading, item) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Names the tensors of the file that the model has no place for. */
static int check_strangers(const struct loading *loading)
{
    enum { LIST_BYTES = 400 };
    char list[LIST_BYTES] = "";
    size_t used = 0;
    size_t count = 0;
    for (size_t i = 0; i < loading->file.count; i++) {
        const char *name = loading->file.items[i].name;
        if (tolk_layout_find(&loading->model->layout, name) != NULL ||
            is_among(name, tied_names, TIED_COUNT) ||
            is_among(name, position_names, POSITION_COUNT)) {
            continue;
        }
        if (used < sizeof list) {
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.80s",
                                     count > 0 ? ", " : "", name);
        }
        count++;
    }
    if (count > 0) {
        return tolk_error_set(loading->error,
                              "%s: expected no tensors beside those of config.json, found %zu: %s",
                              loading->path, count, list);
    }
    return 0;
}

/* Copies of the shared embedding are the same bytes. */
static int check_tied(const struct loading *loading)
{
    const struct tolk_safetensor *shared = find(loading, shared_name);
    for (size_t i = 0; i < TIED_COUNT; i++) {
        const struct tolk_safetensor *item = tolk_safetensors_find(&loading->file, tied_names[i]);
        if (item == NULL || item == shared) {
            continue;
        }
        if (check_shape(loading, item, shared->shape, shared->rank) != 0) {
            return -1;
        }
        if (strcmp(item->dtype, shared->dtype) != 0 ||
            memcmp(loading->file.data + item->begin, loading->file.data + shared->begin,
                   shared->end - shared->begin) != 0) {
            return tolk_error_set(loading->error,
                                  "%s: %s: expected a copy of %s (tied embeddings), found other "
                                  "values",
                                  loading->path, item->name, shared->name);
        }
    }
    return 0;
}

static int check_stored_positions(const struct loading *loading, const char *name)
{
    const struct tolk_model *model = loading->model;
    const size_t shape[2] = {model->config.max_position_embeddings, model->config.d_model};
    const struct tolk_safetensor *item = tolk_safetensors_find(&loading->file, name);
    if (item == NULL) {
        return 0;
    }
    if (check_shape(loading, item, shape, 2) != 0 || check_dtype(loading, item) != 0) {
        return -1;
    }
    const size_t width = (item->end - item->begin) / (shape[0] * shape[1]);
    for (size_t i = 0; i < shape[0] * shape[1]; i++) {
        real stored;
        tolk_floats_read(&stored, loading->file.data + item->begin + i * width, item->dtype, 1);
        if (!(fabs((double)(stored - model->positions[i])) <= position_tolerance)) {
            return tolk_error_set(loading->error,
                                  "%s: %s: expected the sinusoidal position %g at [%zu, %zu], "
                                  "found %g",
                                  loading->path, name, (double)model->positions[i], i / shape[1],
                                  i % shape[1], (double)stored);
        }
    }
    return 0;
}

/* ---- loading -------------------------------------------------------------------------------- */

/* Whether the file's data is the arena, number for number. */
static bool is_arena(const struct loading *loading)
{
    const struct tolk_layout *layout = &loading->model->layout;
    if (loading->file.count != layout->count ||
        (uintptr_t)loading->file.data % _Alignof(real) != 0) {
        return false;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const struct tolk_safetensor *item = &loading->file.items[i];
        const struct tolk_tensor *tensor = &layout->tensors[i];
        if (strcmp(item->name, tensor->name) != 0 || strcmp(item->dtype, tolk_real_dtype) != 0 ||
            item->begin != tensor->offset * sizeof(real)) {
            return false;
        }
    }
    return true;
}

static int take_values(struct loading *loading)
{
    struct tolk_model *model = loading->model;
    if (is_arena(loading)) {
        model->values = (real *)(void *)loading->file.data;
        model->mapping = loading->file.file;
        loading->file.file = (struct tolk_file){NULL, 0};
        return 0;
    }
    model->values = tolk_memory_take(model->layout.size * sizeof *model->values);
    if (model->values == NULL) {
        return tolk_error_set(loading->error, "%s: out of memory for %zu parameters", loading->path,
                              model->layout.size);
    }
    for (size_t i = 0; i < model->layout.count; i++) {
        const struct tolk_tensor *tensor = &model->layout.tensors[i];
        const struct tolk_safetensor *item = find(loading, tensor->name);
        tolk_floats_read(model->values + tensor->offset, loading->file.data + item->begin,
                         item->dtype, tensor->size);
    }
    return 0;
}

static int load_tensors(struct loading *loading)
{
    struct tolk_model *model = loading->model;
    const struct tolk_config *config = &model->config;
    if (tolk_layout_make(&model->layout, config, loading->error) != 0 ||
        check_tensors(loading) != 0 || check_strangers(loading) != 0 || check_tied(loading) != 0) {
        return -1;
    }
    model->positions = tolk_positions_make(config->max_position_embeddings, config->d_model);
    if (model->positions == NULL) {
        return tolk_error_set(loading->error, "%s: out of memory for %zu positions", loading->path,
                              config->max_position_embeddings);
    }
    for (size_t i = 0; i < POSITION_COUNT; i++) {
        if (check_stored_positions(loading, position_names[i]) != 0) {
            return -1;
        }
    }
    if (take_values(loading) != 0) {
        return -1;
    }
    return tolk_weights_bind(&model->weights, config, model->values, loading->error);
}

int tolk_model_load(struct tolk_model *model, const char *folder, struct tolk_error *error)
{
    struct loading loading = {.model = model, .error = error};
    char *config_path = tolk_path_join(folder, "config.json");
    char *path = tolk_path_join(folder, "model.safetensors");
    int result = -1;
    *model = (struct tolk_model){0};
    if (config_path == NULL || path == NULL) {
        tolk_error_set(error, "%s: out of memory", folder);
        goto out;
    }
    loading.path = path;
    if (tolk_config_load(&model->config, config_path, error) != 0 ||
        tolk_safetensors_open(&loading.file, path, error) != 0) {
        goto out;
    }
    result = load_tensors(&loading);
    tolk_safetensors_close(&loading.file);
    if (result != 0) {
        tolk_model_free(model);
    }
out:
    free(path);
    free(config_path);
    return result;
}
