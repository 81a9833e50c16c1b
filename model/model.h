/* A model: its config, its parameters, its fixed positions; as a directory or in memory.
 *
 *     struct tolk_model model;
 *     if (tolk_model_load(&model, "toy.model", &error) != 0) …
 *     printf("%zu parameters\n", model.layout.size);
 *     tolk_model_free(&model);
 *
 * The directory is the Pegasus (pre-norm) or MarianMT (post-norm) layout of `transformers`:
 * config.json, model.safetensors and the tokenizer's files, which model/ does not read. */
#ifndef TOLK_MODEL_MODEL_H
#define TOLK_MODEL_MODEL_H

#include "base/error.h"
#include "base/file.h"
#include "model/config.h"
#include "model/parameters.h"
#include "model/real.h"

struct tolk_model {
    struct tolk_config config;
    struct tolk_layout layout;
    real *values;                /* [layout.size] */
    struct tolk_weights weights; /* views into values */
    real *positions;             /* [max_position_embeddings, d_model], sinusoidal */
    struct tolk_file mapping;    /* where `values` lie in a mapped file, else empty */
    bool unwritten; /* the owner's word that nobody writes to `values`: what is packed elsewhere
                       need not stay in memory (inference.h) */
};

/* A fresh model with initialised parameters. */
int tolk_model_create(struct tolk_model *model, const struct tolk_config *config, uint64_t seed,
                      struct tolk_error *error);

/* Loads a directory. Tensors are found by name and checked by shape; tied copies and stored
 * positions of others are accepted and checked. The values may be a private mapping of the file
 * (written pages are the process' own). Errors name the file and the tensor. */
int tolk_model_load(struct tolk_model *model, const char *folder, struct tolk_error *error);

/* Writes config.json and generation_config.json, then model.safetensors, each atomically. `values`
 * are those of the model, or of another arena of its layout (a moving average). */
int tolk_model_save(const struct tolk_model *model, const real *values, const char *folder,
                    struct tolk_error *error);

void tolk_model_free(struct tolk_model *model);

#endif
