#include "model/forcing.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

#include "model/attention.h"
#include "model/inference_blocks.h"

struct tolk_forcing {
    const struct tolk_inference_weights *weights;
    real *arena;
    size_t arena_size; /* numbers */
    struct tolk_inference_room room;
    real *qkv;          /* [target rows, 3 d] */
    real *self_weights; /* of one layer; see struct tolk_attention */
    real *scratch;      /* of attention, for each thread */
    size_t scratch_size;
    struct tolk_posterior posterior;
    real *cross_weights[TOLK_MAX_LAYERS]; /* see struct tolk_attention */
    real *cross_kv[TOLK_MAX_LAYERS];      /* [source rows, 2 d] */
    size_t *weight_begin;                 /* of cross-attention and, behind it, of self-attention */
    size_t *self_begin;                   /* [sentences + 1] each */
    size_t sentence_capacity;
};

struct tolk_forcing *tolk_forcing_create(const struct tolk_inference_weights *weights,
                                         struct tolk_error *error)
{
    struct tolk_forcing *forcing = calloc(1, sizeof *forcing);
    if (forcing == NULL) {
        tolk_error_set(error, "out of memory for force-decoding");
        return NULL;
    }
    forcing->weights = weights;
    return forcing;
}

void tolk_forcing_free(struct tolk_forcing *forcing)
{
    if (forcing == NULL) {
        return;
    }
    free(forcing->arena);
    free(forcing->weight_begin);
    free(forcing);
}

/* ---- room ---------------------------------------------------------------------------------------
 */

static int reserve_offsets(struct tolk_forcing *forcing, size_t sentences, struct tolk_error *error)
{
    if (sentences > forcing->sentence_capacity || forcing->weight_begin == NULL) {
        free(forcing->weight_begin);
        forcing->weight_begin = malloc(2 * (sentences + 1) * sizeof *forcing->weight_begin);
        forcing->sentence_capacity = sentences;
        if (forcing->weight_begin == NULL) {
            return tolk_error_set(error, "out of memory for %zu sentences", sentences);
        }
    }
    forcing->self_begin = forcing->weight_begin + sentences + 1;
    return 0;
}

/* Where the attention weights of each sentence begin, and the longest side of any. */
static int measure(struct tolk_forcing *forcing, const struct tolk_batch *batch, size_t *longest,
                   struct tolk_error *error)
{
    const size_t positions = forcing->weights->model->config.max_position_embeddings;
    size_t cross = 0;
    size_t self = 0;
    *longest = 0;
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t queries = batch->target_begin[s + 1] - batch->target_begin[s];
        const size_t keys = batch->source_begin[s + 1] - batch->source_begin[s];
        if (queries > positions) {
            return tolk_error_set(error,
                                  "a target sentence of %zu pieces, the model has %zu positions",
                                  queries, positions);
        }
        forcing->weight_begin[s] = cross;
        forcing->self_begin[s] = self;
        cross += queries * keys;
        self += queries * queries;
        *longest = queries > *longest ? queries : *longest;
        *longest = keys > *longest ? keys : *longest;
    }
    forcing->weight_begin[batch->sentences] = cross;
    forcing->self_begin[batch->sentences] = self;
    return 0;
}

/* Cuts the arena, or counts where there is none. */
static size_t plan(struct tolk_forcing *forcing, real *arena, const struct tolk_batch *batch,
                   size_t longest, size_t layers)
{
    const struct tolk_config *config = &forcing->weights->model->config;
    const size_t rows = tolk_batch_target_rows(batch);
    const size_t d = config->d_model;
    const size_t heads = config->decoder_attention_heads;
    const size_t threads = omp_in_parallel() ? 1 : (size_t)omp_get_max_threads();
    const size_t cross = forcing->weight_begin[batch->sentences];
    struct tolk_room_cut cut = {.arena = arena};
    tolk_inference_room_take(&forcing->room, &cut, rows, d, config->decoder_ffn_dim);
    forcing->qkv = tolk_room_take(&cut, rows * 3 * d);
    forcing->self_weights = tolk_room_take(&cut, heads * forcing->self_begin[batch->sentences]);
    forcing->scratch_size = tolk_attention_scratch_size(longest, longest, d / heads);
    forcing->scratch = tolk_room_take(&cut, threads * forcing->scratch_size);
    for (size_t l = 0; l < layers; l++) {
        forcing->cross_weights[l] = tolk_room_take(&cut, heads * cross);
        forcing->cross_kv[l] = tolk_room_take(&cut, tolk_batch_source_rows(batch) * 2 * d);
    }
    forcing->posterior.token = tolk_room_take(&cut, rows * d);
    forcing->posterior.value = tolk_room_take(&cut, rows * d);
    forcing->posterior.evidence = tolk_room_take(&cut, cross);
    forcing->posterior.weights = tolk_room_take(&cut, cross);
    return cut.used;
}

static int reserve(struct tolk_forcing *forcing, const struct tolk_batch *batch, size_t layers,
                   struct tolk_error *error)
{
    size_t longest = 0;
    if (reserve_offsets(forcing, batch->sentences, error) != 0 ||
        measure(forcing, batch, &longest, error) != 0) {
        return -1;
    }
    const size_t size = plan(forcing, NULL, batch, longest, layers);
    if (size > forcing->arena_size) {
        void *arena = NULL;
        free(forcing->arena);
        forcing->arena = NULL;
        forcing->arena_size = 0;
        if (posix_memalign(&arena, TOLK_ROOM_LINE * sizeof(real), size * sizeof(real)) != 0) {
            return tolk_error_set(error, "out of memory: force-decoding %zu pairs needs %zu bytes",
                                  batch->sentences, size * sizeof(real));
        }
        forcing->arena = arena;
        forcing->arena_size = size;
    }
    plan(forcing, forcing->arena, batch, longest, layers);
    return 0;
}

/* ---- the layers ---------------------------------------------------------------------------------
 */

static void cross_attention(struct tolk_forcing *forcing, size_t l, const real *memory,
                            const struct tolk_batch *batch, bool weights_only)
{
    const struct tolk_config *config = &forcing->weights->model->config;
    const struct tolk_attention_weights *weights =
        &forcing->weights->model->weights.decoder[l].cross;
    const struct tolk_attention_panels *panels = &forcing->weights->decoder[l].cross;
    const size_t d = config->d_model;
    const size_t rows = tolk_batch_target_rows(batch);
    real *kv = forcing->cross_kv[l];
    struct tolk_inference_room *room = &forcing->room;
    const real *input = tolk_inference_enter(config, &weights->norm, rows, room);
    tolk_panels_multiply(&panels->qkv, rows, input, d, weights->q.bias, false, forcing->qkv, d);
    /* [source rows, 2 d] = memory · [K; V]ᵀ */
    tolk_panels_multiply(&panels->kv, tolk_batch_source_rows(batch), memory, d, weights->k.bias,
                         false, kv, 2 * d);
    const struct tolk_attention attention = {
        .d_model = d,
        .heads = config->decoder_attention_heads,
        .sentences = batch->sentences,
        .query_begin = batch->target_begin,
        .key_begin = batch->source_begin,
        .q = forcing->qkv,
        .k = kv,
        .v = kv + d,
        .ldq = d,
        .ldk = 2 * d,
        .ldv = 2 * d,
        .weights = forcing->cross_weights[l],
        .weight_begin = forcing->weight_begin,
        .scratch = forcing->scratch,
        .scratch_size = forcing->scratch_size,
    };
    tolk_attention_forward(&attention, room->context);
    if (weights_only) {
        return;
    }
    tolk_panels_multiply(&panels->out, rows, room->context, d, weights->out.bias, false,
                         room->branch, d);
    tolk_inference_leave(config, &weights->norm, rows, room);
}

static void embed(struct tolk_forcing *forcing, const struct tolk_batch *batch)
{
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t begin = batch->target_begin[s];
        for (size_t row = begin; row < batch->target_begin[s + 1]; row++) {
            tolk_inference_embed(forcing->weights->model, row, batch->target_input[row],
                                 row - begin, &forcing->room);
        }
    }
}

int tolk_forcing_run(struct tolk_forcing *forcing, const real *memory,
                     const struct tolk_batch *batch, size_t layers, struct tolk_error *error)
{
    const struct tolk_inference_weights *weights = forcing->weights;
    const struct tolk_config *config = &weights->model->config;
    assert(layers <= config->decoder_layers);
    if (reserve(forcing, batch, layers, error) != 0) {
        return -1;
    }
    const struct tolk_inference_attention self = {
        .heads = config->decoder_attention_heads,
        .sentences = batch->sentences,
        .begin = batch->target_begin,
        .causal = true,
        .qkv = forcing->qkv,
        .weights = forcing->self_weights,
        .weight_begin = forcing->self_begin,
        .scratch = forcing->scratch,
        .scratch_size = forcing->scratch_size,
    };
    embed(forcing, batch);
    for (size_t l = 0; l < layers; l++) {
        const bool enough = l + 1 == layers && layers < config->decoder_layers;
        tolk_inference_self_attention(config, &weights->model->weights.decoder[l].self,
                                      &weights->decoder[l].self, &self, &forcing->room);
        cross_attention(forcing, l, memory, batch, enough);
        if (!enough) {
            tolk_inference_feed_forward(
                config, config->decoder_ffn_dim, &weights->model->weights.decoder[l].feed_forward,
                &weights->decoder[l].feed_forward, tolk_batch_target_rows(batch), &forcing->room);
        }
    }
    return 0;
}

const real *tolk_forcing_attention(const struct tolk_forcing *forcing, size_t layer,
                                   size_t sentence, size_t head)
{
    const size_t heads = forcing->weights->model->config.decoder_attention_heads;
    const size_t at = forcing->weight_begin[sentence];
    const size_t pairs = forcing->weight_begin[sentence + 1] - at;
    return forcing->cross_weights[layer] + heads * at + head * pairs;
}

void tolk_forcing_posterior(struct tolk_forcing *forcing, const struct tolk_batch *batch,
                            const struct tolk_head_set *set)
{
    const struct tolk_model *model = forcing->weights->model;
    const size_t rows = tolk_batch_target_rows(batch);
    struct tolk_posterior posterior = forcing->posterior;
    /* A pre-norm model's last norm is still to be taken, a post-norm model's was the last thing
     * that was done; either leaves 1 / σ behind the means. */
    tolk_inference_enter(&model->config, &model->weights.decoder_norm, rows, &forcing->room);
    posterior.priors = (const real *const *)forcing->cross_weights;
    posterior.kv = (const real *const *)forcing->cross_kv;
    posterior.weight_begin = forcing->weight_begin;
    posterior.rstd = forcing->room.moments + rows;
    tolk_posterior_run(model, batch, set, &posterior);
}

const real *tolk_forcing_posterior_weights(const struct tolk_forcing *forcing, size_t sentence)
{
    return forcing->posterior.weights + forcing->weight_begin[sentence];
}
