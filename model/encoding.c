#include "model/encoding.h"

#include <omp.h>
#include <stdlib.h>

#include "model/attention.h"
#include "model/inference_blocks.h"
#include "model/isa.h"
#include "model/kernels/rows.h"

struct tolk_encoding {
    const struct tolk_inference_weights *weights;
    real *arena;
    size_t arena_size; /* numbers */
    struct tolk_inference_room room;
    real *qkv;               /* [rows, 3 d] */
    real *attention_weights; /* see struct tolk_attention */
    real *scratch;           /* of attention, for each thread */
    size_t scratch_size;
    size_t *weight_begin; /* [sentences + 1] */
    size_t sentence_capacity;
};

struct tolk_encoding *tolk_encoding_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error)
{
    struct tolk_encoding *encoding = calloc(1, sizeof *encoding);
    if (encoding == NULL) {
        tolk_error_set(error, "out of memory for encoding");
        return NULL;
    }
    encoding->weights = weights;
    return encoding;
}

void tolk_encoding_free(struct tolk_encoding *encoding)
{
    if (encoding == NULL) {
        return;
    }
    free(encoding->arena);
    free(encoding->weight_begin);
    free(encoding);
}

/* Where the attention weights of each sentence begin, and the longest sentence. */
static int measure(struct tolk_encoding *encoding, const struct tolk_batch *batch, size_t *longest,
                   struct tolk_error *error)
{
    const size_t positions = encoding->weights->model->config.max_position_embeddings;
    if (batch->sentences > encoding->sentence_capacity || encoding->weight_begin == NULL) {
        free(encoding->weight_begin);
        encoding->weight_begin = malloc((batch->sentences + 1) * sizeof *encoding->weight_begin);
        encoding->sentence_capacity = batch->sentences;
        if (encoding->weight_begin == NULL) {
            return tolk_error_set(error, "out of memory for %zu sentences", batch->sentences);
        }
    }
    encoding->weight_begin[0] = 0;
    *longest = 0;
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t length = batch->source_begin[s + 1] - batch->source_begin[s];
        if (length > positions) {
            return tolk_error_set(error,
                                  "a source sentence of %zu pieces, the model has %zu "
                                  "positions",
                                  length, positions);
        }
        encoding->weight_begin[s + 1] = encoding->weight_begin[s] + length * length;
        *longest = length > *longest ? length : *longest;
    }
    return 0;
}

/* Cuts the arena, or counts where there is none. */
static size_t plan(struct tolk_encoding *encoding, real *arena, const struct tolk_batch *batch,
                   size_t longest)
{
    const struct tolk_config *config = &encoding->weights->model->config;
    const size_t rows = tolk_batch_source_rows(batch);
    const size_t d = config->d_model;
    const size_t heads = config->encoder_attention_heads;
    const size_t threads = omp_in_parallel() ? 1 : (size_t)omp_get_max_threads();
    struct tolk_room_cut cut = {.arena = arena};
    tolk_inference_room_take(&encoding->room, &cut, rows, d, config->encoder_ffn_dim);
    encoding->qkv = tolk_room_take(&cut, rows * 3 * d);
    encoding->attention_weights =
        tolk_room_take(&cut, heads * encoding->weight_begin[batch->sentences]);
    encoding->scratch_size = tolk_attention_scratch_size(longest, longest, d / heads);
    encoding->scratch = tolk_room_take(&cut, threads * encoding->scratch_size);
    return cut.used;
}

static int reserve(struct tolk_encoding *encoding, const struct tolk_batch *batch,
                   struct tolk_error *error)
{
    size_t longest = 0;
    if (measure(encoding, batch, &longest, error) != 0) {
        return -1;
    }
    const size_t size = plan(encoding, NULL, batch, longest);
    if (size > encoding->arena_size) {
        void *arena = NULL;
        free(encoding->arena);
        encoding->arena = NULL;
        encoding->arena_size = 0;
        if (posix_memalign(&arena, 64, size * sizeof(real)) != 0) {
            return tolk_error_set(error, "out of memory: encoding %zu sentences needs %zu bytes",
                                  batch->sentences, size * sizeof(real));
        }
        encoding->arena = arena;
        encoding->arena_size = size;
    }
    plan(encoding, encoding->arena, batch, longest);
    return 0;
}

const real *tolk_encoding_run(struct tolk_encoding *encoding, const struct tolk_batch *batch,
                              struct tolk_error *error)
{
    const struct tolk_inference_weights *weights = encoding->weights;
    const struct tolk_config *config = &weights->model->config;
    if (reserve(encoding, batch, error) != 0) {
        return NULL;
    }
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t begin = batch->source_begin[s];
        for (size_t row = begin; row < batch->source_begin[s + 1]; row++) {
            tolk_inference_embed(weights->model, row, batch->source[row], row - begin,
                                 &encoding->room);
        }
    }
    const struct tolk_inference_attention self = {
        .heads = config->encoder_attention_heads,
        .sentences = batch->sentences,
        .begin = batch->source_begin,
        .qkv = encoding->qkv,
        .weights = encoding->attention_weights,
        .weight_begin = encoding->weight_begin,
        .scratch = encoding->scratch,
        .scratch_size = encoding->scratch_size,
    };
    for (size_t l = 0; l < config->encoder_layers; l++) {
        tolk_inference_self_attention(config, &weights->model->weights.encoder[l].self,
                                      &weights->encoder[l].self, &self, &encoding->room);
        tolk_inference_feed_forward(
            config, config->encoder_ffn_dim, &weights->model->weights.encoder[l].feed_forward,
            &weights->encoder[l].feed_forward, tolk_batch_source_rows(batch), &encoding->room);
    }
    return tolk_inference_enter(config, &weights->model->weights.encoder_norm,
                                tolk_batch_source_rows(batch), &encoding->room);
}
