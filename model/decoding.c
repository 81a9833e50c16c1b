#include "model/decoding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/inference_blocks.h"
#include "model/isa.h"
#include "model/kernels/rows.h"

struct layer_cache {
    real *cross_kv;      /* [source rows, 2 d] */
    real *cross_weights; /* [row_limit, heads, source_width], of the last step */
};

/* A row of the cache and how it came there. */
struct place {
    int32_t token;
    int32_t parent; /* its place, or NO_PARENT */
    size_t sentence;
    size_t position; /* in the target, the start token at 0 */
};

enum { NO_PARENT = -1 };

struct tolk_decoding {
    const struct tolk_inference_weights *weights;
    size_t row_limit, step_limit, place_limit;
    const size_t *source_begin; /* the batch's */
    size_t source_width;        /* row lengths of attention weights: over the longest source */
    size_t step_width;          /* and over step_limit */

    struct layer_cache *layers; /* [decoder_layers] */
    real *arena;                /* of everything real */
    size_t arena_size;
    struct tolk_inference_room room;
    real *self_kv;      /* [place_limit, layers, 2 d] */
    real *qkv;          /* [row_limit, 3 d] */
    real *logits;       /* [row_limit + 1, vocab_size], of a step */
    real *self_weights; /* [heads, step_width], of one hypothesis */
    bool flat;          /* of this batch logits are too much alike to be screened */

    struct place *places; /* [place_limit] */
    size_t place_count;
    size_t *order;                  /* [row_limit] places of the rows of the last step */
    size_t step_first;              /* the first of them */
    struct tolk_greatest *greatest; /* [row_limit], of a step */
    /* The places of the past of each row that is evaluated, its own the last: position + 1 of them
     * for each row, one row behind the other. */
    int32_t *history; /* [row_limit · step_limit] */
    size_t row_capacity, history_capacity, place_capacity;
};

/* ---- room ---------------------------------------------------------------------------------------
 */

struct tolk_decoding *tolk_decoding_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error)
{
    struct tolk_decoding *decoding = calloc(1, sizeof *decoding);
    if (decoding != NULL) {
        decoding->weights = weights;
        decoding->layers =
            calloc(weights->model->config.decoder_layers + 1, sizeof *decoding->layers);
    }
    if (decoding == NULL || decoding->layers == NULL) {
        tolk_decoding_free(decoding);
        tolk_error_set(error, "out of memory for decoding");
        return NULL;
    }
    return decoding;
}

static void free_indices(struct tolk_decoding *decoding)
{
    free(decoding->history);
    free(decoding->places);
    free(decoding->order);
    free(decoding->greatest);
    decoding->history = NULL;
    decoding->order = NULL;
    decoding->greatest = NULL;
    decoding->places = NULL;
    decoding->row_capacity = decoding->history_capacity = decoding->place_capacity = 0;
}

void tolk_decoding_free(struct tolk_decoding *decoding)
{
    if (decoding == NULL) {
        return;
    }
    free_indices(decoding);
    free(decoding->arena);
    free(decoding->layers);
    free(decoding);
}

static int reserve_indices(struct tolk_decoding *decoding, size_t rows, size_t steps, size_t places,
                           struct tolk_error *error)
{
    if (rows <= decoding->row_capacity && rows * steps <= decoding->history_capacity &&
        places <= decoding->place_capacity) {
        return 0;
    }
    free_indices(decoding);
    decoding->history = malloc(rows * steps * sizeof *decoding->history);
    decoding->places = malloc(places * sizeof *decoding->places);
    decoding->order = malloc(rows * sizeof *decoding->order);
    decoding->greatest = malloc(rows * sizeof *decoding->greatest);
    if (decoding->history == NULL || decoding->places == NULL || decoding->order == NULL ||
        decoding->greatest == NULL) {
        free_indices(decoding);
        return tolk_error_set(error, "out of memory for %zu hypotheses of %zu steps", rows, steps);
    }
    decoding->row_capacity = rows;
    decoding->history_capacity = rows * steps;
    decoding->place_capacity = places;
    return 0;
}

static size_t longest_source(const struct tolk_batch *batch)
{
    size_t longest = 0;
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t length = batch->source_begin[s + 1] - batch->source_begin[s];
        longest = length > longest ? length : longest;
    }
    return longest;
}

static size_t width_for(size_t keys)
{
    return (keys + TOLK_ATTEND_GRAIN - 1) / TOLK_ATTEND_GRAIN * TOLK_ATTEND_GRAIN;
}

/* Numbers in a row of the cache: keys and values of all layers. */
static size_t cache_width(const struct tolk_config *config)
{
    return config->decoder_layers * 2 * config->d_model;
}

/* Cuts the arena, or counts where there is none. */
static size_t plan(struct tolk_decoding *decoding, real *arena, const struct tolk_batch *batch)
{
    const struct tolk_config *config = &decoding->weights->model->config;
    const size_t d = config->d_model;
    const size_t heads = config->decoder_attention_heads;
    const size_t rows = decoding->row_limit;
    const size_t steps = decoding->step_limit;
    struct tolk_room_cut cut = {.arena = arena};
    decoding->source_width = width_for(longest_source(batch));
    decoding->step_width = width_for(steps);
    for (size_t l = 0; l < config->decoder_layers; l++) {
        struct layer_cache *layer = &decoding->layers[l];
        layer->cross_kv = tolk_room_take(&cut, tolk_batch_source_rows(batch) * 2 * d);
        layer->cross_weights = tolk_room_take(&cut, rows * heads * decoding->source_width);
    }
    tolk_inference_room_take(&decoding->room, &cut, rows, d, config->decoder_ffn_dim);
    decoding->qkv = tolk_room_take(&cut, rows * 3 * d);
    decoding->logits = tolk_room_take(&cut, (rows + 1) * config->vocab_size);
    decoding->self_weights = tolk_room_take(&cut, heads * decoding->step_width);
    /* The cache comes last, and its rows hold all layers, written one behind the other: most
     * hypotheses end long before their last step, and the memory of the rows that are never written
     * is never touched. */
    decoding->self_kv = tolk_room_take(&cut, decoding->place_limit * cache_width(config));
    return cut.used;
}

static int reserve_numbers(struct tolk_decoding *decoding, const struct tolk_batch *batch,
                           struct tolk_error *error)
{
    const size_t size = plan(decoding, NULL, batch);
    if (size > decoding->arena_size) {
        void *arena = NULL;
        free(decoding->arena);
        decoding->arena = NULL;
        decoding->arena_size = 0;
        if (posix_memalign(&arena, 64, size * sizeof(real)) != 0) {
            return tolk_error_set(error, "out of memory: decoding %zu hypotheses needs %zu bytes",
                                  decoding->row_limit, size * sizeof(real));
        }
        decoding->arena = arena;
        decoding->arena_size = size;
    }
    plan(decoding, decoding->arena, batch);
    return 0;
}

int tolk_decoding_begin_tree(struct tolk_decoding *decoding, const real *memory,
                             const struct tolk_batch *batch, size_t rows, size_t steps,
                             size_t places, struct tolk_error *error)
{
    const struct tolk_model *model = decoding->weights->model;
    const size_t d = model->config.d_model;
    if (steps > model->config.max_position_embeddings) {
        return tolk_error_set(error, "%zu decoding steps asked, the model has %zu positions", steps,
                              model->config.max_position_embeddings);
    }
    if (places > INT32_MAX) {
        return tolk_error_set(error, "%zu rows of decoding asked, %d are possible", places,
                              INT32_MAX);
    }
    if (reserve_indices(decoding, rows, steps, places, error) != 0) {
        return -1;
    }
    decoding->row_limit = rows;
    decoding->step_limit = steps;
    decoding->place_limit = places;
    decoding->place_count = decoding->step_first = 0;
    decoding->source_begin = batch->source_begin;
    decoding->flat = false;
    if (reserve_numbers(decoding, batch, error) != 0) {
        return -1;
    }
    for (size_t l = 0; l < model->config.decoder_layers; l++) {
        /* [source rows, 2 d] = memory · [K; V]ᵀ */
        tolk_panels_multiply(&decoding->weights->decoder[l].cross.kv, tolk_batch_source_rows(batch),
                             memory, d, model->weights.decoder[l].cross.k.bias, false,
                             decoding->layers[l].cross_kv, 2 * d);
    }
    return 0;
}

int tolk_decoding_begin(struct tolk_decoding *decoding, const real *memory,
                        const struct tolk_batch *batch, size_t rows, size_t steps,
                        struct tolk_error *error)
{
    return tolk_decoding_begin_tree(decoding, memory, batch, rows, steps, rows * steps, error);
}

/* ---- an evaluation ------------------------------------------------------------------------------
 */

/* The rows that are evaluated. */
struct rows {
    struct tolk_decoding *decoding;
    const struct tolk_inference_weights *weights;
    size_t count;
    const size_t *places; /* [count] */
};

static const struct place *place_of(const struct rows *rows, size_t r)
{
    return &rows->decoding->places[rows->places[r]];
}

/* The way from the root to each place. */
static void trace_histories(const struct rows *rows)
{
    int32_t *own = rows->decoding->history;
    for (size_t r = 0; r < rows->count; r++) {
        const size_t keys = place_of(rows, r)->position + 1;
        int32_t place = (int32_t)rows->places[r];
        for (size_t key = keys; key > 0; key--) {
            own[key - 1] = place;
            place = rows->decoding->places[place].parent;
        }
        own += keys;
    }
}

static void self_attention(const struct rows *rows, size_t l)
{
    struct tolk_decoding *decoding = rows->decoding;
    const struct tolk_config *config = &decoding->weights->model->config;
    const struct tolk_attention_weights *weights =
        &decoding->weights->model->weights.decoder[l].self;
    const struct tolk_attention_panels *panels = &rows->weights->decoder[l].self;
    const size_t d = config->d_model;
    const size_t ld = cache_width(config);
    const int32_t *history = decoding->history;
    real *cache = decoding->self_kv + l * 2 * d;
    struct tolk_inference_room *room = &decoding->room;
    const real *input = tolk_inference_enter(config, &weights->norm, rows->count, room);
    tolk_panels_multiply(&panels->qkv, rows->count, input, d, weights->q.bias, false, decoding->qkv,
                         3 * d);
    for (size_t r = 0; r < rows->count; r++) {
        const real *q = decoding->qkv + r * 3 * d;
        const size_t keys = place_of(rows, r)->position + 1;
        /* What a row continues stands in front of it. */
        memcpy(cache + rows->places[r] * ld, q + d, 2 * d * sizeof *q);
        tolk_isa()->rows->attend(&(struct tolk_attend){
            .heads = config->decoder_attention_heads,
            .dim = d / config->decoder_attention_heads,
            .keys = keys,
            .q = q,
            .k = cache,
            .v = cache + d,
            .ld = ld,
            .key_rows = history,
            .weights = decoding->self_weights,
            .ldw = decoding->step_width,
            .out = room->context + r * d,
        });
        history += keys;
    }
    tolk_panels_multiply(&panels->out, rows->count, room->context, d, weights->out.bias, false,
                         room->branch, d);
    tolk_inference_leave(config, &weights->norm, rows->count, room);
}

static void cross_attention(const struct rows *rows, size_t l)
{
    struct tolk_decoding *decoding = rows->decoding;
    const struct tolk_config *config = &decoding->weights->model->config;
    const struct tolk_attention_weights *weights =
        &decoding->weights->model->weights.decoder[l].cross;
    const struct tolk_attention_panels *panels = &rows->weights->decoder[l].cross;
    const struct layer_cache *cache = &decoding->layers[l];
    const size_t d = config->d_model;
    const size_t heads = config->decoder_attention_heads;
    struct tolk_inference_room *room = &decoding->room;
    const real *input = tolk_inference_enter(config, &weights->norm, rows->count, room);
    tolk_panels_multiply(&panels->qkv, rows->count, input, d, weights->q.bias, false, decoding->qkv,
                         d);
    for (size_t r = 0; r < rows->count; r++) {
        const size_t sentence = place_of(rows, r)->sentence;
        const size_t begin = decoding->source_begin[sentence];
        tolk_isa()->rows->attend(&(struct tolk_attend){
            .heads = heads,
            .dim = d / heads,
            .keys = decoding->source_begin[sentence + 1] - begin,
            .q = decoding->qkv + r * d,
            .k = cache->cross_kv + begin * 2 * d,
            .v = cache->cross_kv + begin * 2 * d + d,
            .ld = 2 * d,
            .weights = cache->cross_weights + r * heads * decoding->source_width,
            .ldw = decoding->source_width,
            .out = room->context + r * d,
        });
    }
    tolk_panels_multiply(&panels->out, rows->count, room->context, d, weights->out.bias, false,
                         room->branch, d);
    tolk_inference_leave(config, &weights->norm, rows->count, room);
}

size_t tolk_decoding_add(struct tolk_decoding *decoding, int32_t token, size_t sentence,
                         size_t parent)
{
    const size_t place = decoding->place_count++;
    const bool root = parent == TOLK_DECODING_ROOT;
    assert(place < decoding->place_limit && (root || parent < place));
    decoding->places[place] = (struct place){
        .token = token,
        .parent = root ? NO_PARENT : (int32_t)parent,
        .sentence = sentence,
        .position = root ? 0 : decoding->places[parent].position + 1,
    };
    assert(decoding->places[place].position < decoding->step_limit);
    return place;
}

/* All but the output projection; rows [count, d] of what that multiplies. */
static const real *evaluate_layers(struct tolk_decoding *decoding,
                                   const struct tolk_inference_weights *weights, size_t count,
                                   const size_t *places)
{
    const struct tolk_model *model = weights->model;
    const struct tolk_config *config = &model->config;
    struct tolk_inference_room *room = &decoding->room;
    const struct rows rows = {decoding, weights, count, places};
    assert(count <= decoding->row_limit);
    trace_histories(&rows);
    for (size_t r = 0; r < count; r++) {
        const struct place *place = place_of(&rows, r);
        tolk_inference_embed(model, r, place->token, place->position, room);
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        self_attention(&rows, l);
        cross_attention(&rows, l);
        tolk_inference_feed_forward(config, config->decoder_ffn_dim,
                                    &model->weights.decoder[l].feed_forward,
                                    &weights->decoder[l].feed_forward, count, room);
    }
    return tolk_inference_enter(config, &model->weights.decoder_norm, count, room);
}

void tolk_decoding_evaluate(struct tolk_decoding *decoding,
                            const struct tolk_inference_weights *weights, size_t count,
                            const size_t *places, real *logits)
{
    const real *out = evaluate_layers(decoding, weights, count, places);
    /* logits[rows, V] = out[rows, d] · Eᵀ[d, V] + b */
    tolk_panels_multiply(&weights->projection, count, out, weights->model->config.d_model,
                         weights->output_bias, false, logits, weights->outputs);
}

void tolk_decoding_evaluate_greatest(struct tolk_decoding *decoding, int32_t barred, size_t rows,
                                     const size_t *places, real *room,
                                     struct tolk_greatest *greatest)
{
    const struct tolk_screening *screening = decoding->weights->screening;
    const real *out = evaluate_layers(decoding, decoding->weights, rows, places);
    if (decoding->flat) {
        tolk_screening_find_among_all(screening, rows, out, barred, room, greatest);
    } else {
        decoding->flat = !tolk_screening_find(screening, rows, out, barred, room, greatest);
    }
}

/* The rows of the next step, in decoding->order. */
static void add_step(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens,
                     const size_t *sentences, const size_t *parents)
{
    const size_t before = decoding->step_first;
    const size_t first = decoding->place_count;
    for (size_t r = 0; r < rows; r++) {
        decoding->order[r] =
            tolk_decoding_add(decoding, tokens[r], sentences[r],
                              first == 0 ? TOLK_DECODING_ROOT : before + parents[r]);
    }
    decoding->step_first = first;
}

const real *tolk_decoding_step(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens,
                               const size_t *sentences, const size_t *parents)
{
    add_step(decoding, rows, tokens, sentences, parents);
    tolk_decoding_evaluate(decoding, decoding->weights, rows, decoding->order, decoding->logits);
    return decoding->logits;
}

const struct tolk_greatest *
tolk_decoding_step_greatest(struct tolk_decoding *decoding, int32_t barred, size_t rows,
                            const int32_t *tokens, const size_t *sentences, const size_t *parents)
{
    add_step(decoding, rows, tokens, sentences, parents);
    tolk_decoding_evaluate_greatest(decoding, barred, rows, decoding->order, decoding->logits,
                                    decoding->greatest);
    return decoding->greatest;
}

const real *tolk_decoding_cross_attention(const struct tolk_decoding *decoding, size_t layer,
                                          size_t head, size_t row)
{
    const size_t heads = decoding->weights->model->config.decoder_attention_heads;
    return decoding->layers[layer].cross_weights + (row * heads + head) * decoding->source_width;
}

double tolk_log_sum_exp(const real *x, size_t count)
{
    return tolk_isa()->rows->log_sum_exp(count, x);
}

size_t tolk_next_above(const real *x, size_t begin, size_t count, real bound)
{
    return tolk_isa()->rows->next_above(begin, count, x, bound);
}
