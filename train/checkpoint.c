#include "train/checkpoint.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENAS = 4, NAME_BYTES = TOLK_TENSOR_NAME_BYTES + 16 };

static const char *const REAL_TYPE = sizeof(real) == sizeof(float) ? "F32" : "F64";

/* ---- the table of the cursor's numbers ----------------------------------------------------------
 */

struct field {
    const char *name;
    size_t offset;
    bool whole; /* int64_t, else double */
};

#define AT(field) offsetof(struct tolk_cursor, field)

static const struct field FIELDS[] = {
    {"cursor.update", AT(update), true},
    {"cursor.step", AT(step), true},
    {"cursor.epoch", AT(epoch), true},
    {"cursor.batch", AT(batch), true},
    {"cursor.tokens", AT(tokens), true},
    {"cursor.skipped", AT(skipped), true},
    {"cursor.best_update", AT(best_update), true},
    {"cursor.stale", AT(stale), true},
    {"cursor.best_loss", AT(best_loss), false},
    {"cursor.best_bleu", AT(best_bleu), false},
    {"cursor.best_chrf", AT(best_chrf), false},
    {"cursor.seconds", AT(seconds), false},
    {"cursor.validated", AT(validated), true},
    {"cursor.vocab_size", AT(vocab_size), true},
    {"cursor.corpus_pairs", AT(corpus_pairs), true},
    {"cursor.corpus_hash", AT(corpus_hash), true},
};

enum { FIELD_COUNT = sizeof FIELDS / sizeof FIELDS[0] };

/* ---- writing ------------------------------------------------------------------------------------
 */

static real *arena(const struct tolk_training_state *state, size_t a, const char **prefix)
{
    static const char *const prefixes[ARENAS] = {"weights", "average", "first_moment",
                                                 "second_moment"};
    real *const arenas[ARENAS] = {state->weights, state->average, state->first_moment,
                                  state->second_moment};
    *prefix = prefixes[a];
    return arenas[a];
}

/* The name of tensor t in arena a: "first_moment.model.shared.weight". */
static real *arena_tensor(const struct tolk_training_state *state, size_t a, size_t t,
                          char name[NAME_BYTES])
{
    const char *prefix = NULL;
    real *begin = arena(state, a, &prefix);
    const struct tolk_tensor *tensor = &state->layout->tensors[t];
    snprintf(name, NAME_BYTES, "%.15s.%s", prefix, tensor->name);
    return begin + tensor->offset;
}

int tolk_checkpoint_save(const char *path, const struct tolk_training_state *state,
                         const struct tolk_cursor *cursor, const char *recipe,
                         struct tolk_error *error)
{
    static const size_t one = 1;
    const size_t recipe_size = strlen(recipe);
    const size_t tensors = ARENAS * state->layout->count;
    const size_t count = FIELD_COUNT + 1 + tensors;
    struct tolk_safetensor_source *sources = calloc(count, sizeof *sources);
    char(*names)[NAME_BYTES] = calloc(tensors, sizeof *names);
    int result = -1;
    if (sources == NULL || names == NULL) {
        tolk_error_set(error, "%s: out of memory for its header", path);
        goto out;
    }
    struct tolk_safetensor_source *next = sources;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        *next++ = (struct tolk_safetensor_source){
            FIELDS[f].name, FIELDS[f].whole ? "I64" : "F64",         1,
            &one,           (const char *)cursor + FIELDS[f].offset, 8};
    }
    for (size_t a = 0; a < ARENAS; a++) {
        for (size_t t = 0; t < state->layout->count; t++) {
            char *name = names[a * state->layout->count + t];
            const struct tolk_tensor *tensor = &state->layout->tensors[t];
            const real *values = arena_tensor(state, a, t, name);
            *next++ = (struct tolk_safetensor_source){
                name, REAL_TYPE, tensor->rank, tensor->shape, values, tensor->size * sizeof(real)};
        }
    }
    *next = (struct tolk_safetensor_source){"recipe", "U8", 1, &recipe_size, recipe, recipe_size};
    result = tolk_safetensors_write(path, sources, count, error);
out:
    free(sources);
    free(names);
    return result;
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static const unsigned char *find(const struct tolk_checkpoint *checkpoint, const char *name,
                                 const char *dtype, size_t rank, const size_t *shape,
                                 struct tolk_error *error)
{
    const struct tolk_safetensor *found = tolk_safetensors_find(&checkpoint->file, name);
    if (found == NULL) {
        tolk_error_set(error, "%s: tensor %s is missing", checkpoint->path, name);
        return NULL;
    }
    if (strcmp(found->dtype, dtype) != 0) {
        tolk_error_set(error, "%s: tensor %s: expected %s, found %s", checkpoint->path, name, dtype,
                       found->dtype);
        return NULL;
    }
    if (found->rank != rank) {
        tolk_error_set(error, "%s: tensor %s: expected %zu dimensions, found %zu", checkpoint->path,
                       name, rank, found->rank);
        return NULL;
    }
    for (size_t i = 0; i < rank; i++) {
        if (found->shape[i] != shape[i]) {
            tolk_error_set(error, "%s: tensor %s: expected %zu in dimension %zu, found %zu",
                           checkpoint->path, name, shape[i], i, found->shape[i]);
            return NULL;
        }
    }
    return checkpoint->file.data + found->begin;
}

static int read_cursor(struct tolk_checkpoint *checkpoint, struct tolk_error *error)
{
    const size_t one = 1;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct field *field = &FIELDS[f];
        char *at = (char *)&checkpoint->cursor + field->offset;
        const unsigned char *bytes =
            find(checkpoint, field->name, field->whole ? "I64" : "F64", 1, &one, error);
        if (bytes == NULL) {
            return -1;
        }
        memcpy(at, bytes, 8);
        const bool fits = field->whole
                              ? *(int64_t *)(void *)at >= 0 || field->offset == AT(corpus_hash)
                              : isfinite(*(double *)(void *)at);
        if (!fits) {
            return tolk_error_set(error, "%s: tensor %s: expected a number from 0, found another",
                                  checkpoint->path, field->name);
        }
    }
    return 0;
}

static int read_recipe(struct tolk_checkpoint *checkpoint, struct tolk_error *error)
{
    const struct tolk_safetensor *found = tolk_safetensors_find(&checkpoint->file, "recipe");
    if (found == NULL || strcmp(found->dtype, "U8") != 0 || found->rank != 1) {
        return tolk_error_set(error, "%s: tensor recipe: expected U8 in one dimension",
                              checkpoint->path);
    }
    const size_t size = found->end - found->begin;
    checkpoint->recipe = calloc(size + 1, 1);
    if (checkpoint->recipe == NULL) {
        return tolk_error_set(error, "%s: out of memory", checkpoint->path);
    }
    memcpy(checkpoint->recipe, checkpoint->file.data + found->begin, size);
    return 0;
}

int tolk_checkpoint_open(struct tolk_checkpoint *checkpoint, const char *path,
                         struct tolk_error *error)
{
    *checkpoint = (struct tolk_checkpoint){.path = path};
    if (tolk_safetensors_open(&checkpoint->file, path, error) != 0) {
        return -1;
    }
    if (read_cursor(checkpoint, error) != 0 || read_recipe(checkpoint, error) != 0) {
        tolk_checkpoint_close(checkpoint);
        return -1;
    }
    return 0;
}

void tolk_checkpoint_close(struct tolk_checkpoint *checkpoint)
{
    tolk_safetensors_close(&checkpoint->file);
    free(checkpoint->recipe);
    checkpoint->recipe = NULL;
}

int tolk_checkpoint_restore(const struct tolk_checkpoint *checkpoint,
                            const struct tolk_training_state *state, struct tolk_error *error)
{
    enum { CHECKING, COPYING, PASSES };
    for (int pass = CHECKING; pass < PASSES; pass++) {
        for (size_t a = 0; a < ARENAS; a++) {
            for (size_t t = 0; t < state->layout->count; t++) {
                const struct tolk_tensor *tensor = &state->layout->tensors[t];
                char name[NAME_BYTES];
                real *values = arena_tensor(state, a, t, name);
                const unsigned char *bytes =
                    find(checkpoint, name, REAL_TYPE, tensor->rank, tensor->shape, error);
                if (bytes == NULL) {
                    return -1;
                }
                if (pass == COPYING) {
                    memcpy(values, bytes, tensor->size * sizeof(real));
                }
            }
        }
    }
    return 0;
}
