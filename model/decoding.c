#include "model/decoding.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/attention.h"
#include "model/blocks.h"
#include "model/gemm.h"
#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/layers.h"

struct layer_cache {
    real *self_kv;       /* [steps · row_limit, 2 d]: step t wrote the rows t · row_limit … */
    real *cross_kv;      /* [source rows, 2 d] */
    real *cross_weights; /* of the last step, see struct tolk_attention */
};

/* Where a hypothesis stands among those of its sentence. */
struct place {
    size_t group; /* of the rows of one sentence */
    size_t query; /* within the group */
};

struct tolk_decoding {
    const struct tolk_model *model;
    size_t row_limit, step_limit;
    size_t step;
    const size_t *source_begin; /* the batch's */

    struct layer_cache *layers; /* [decoder_layers] */
    real *numbers;              /* the arena of everything real */
    size_t numbers_size;

    /* [row_limit, d] unless said otherwise */
    real *stream, *normed, *q, *context, *branch;
    real *hidden;       /* [row_limit, ffn_dim] */
    real *logits;       /* [row_limit, vocab_size] */
    real *mean, *rstd;  /* [row_limit] */
    real *self_weights; /* [row_limit, heads, step_limit] */
    real *scratch;      /* of attention, for each thread */
    size_t scratch_size;

    /* The cache rows of each hypothesis' past, the newest last: [rows, step + 1], and of the step
     * before. */
    int32_t *history, *past;
    size_t *offsets;      /* the storage of the arrays below */
    size_t *query_begin;  /* [row_limit + 1]: 0, 1, 2, … */
    size_t *self_begin;   /* [row_limit + 1]: entries of history */
    size_t *group_begin;  /* [row_limit + 1]: first row of each group */
    size_t *source_first; /* [row_limit]: the group's source rows */
    size_t *source_last;
    size_t *cross_weight_begin; /* [row_limit + 1] */
    size_t *self_weight_begin;  /* [row_limit + 1] */
    struct place *places;       /* [row_limit] */
    size_t groups;
};

/* ---- room ---------------------------------------------------------------------------------------
 */

struct tolk_decoding *tolk_decoding_create(const struct tolk_model *model, struct tolk_error *error)
{
    struct tolk_decoding *decoding = calloc(1, sizeof *decoding);
    if (decoding != NULL) {
        decoding->model = model;
        decoding->layers = calloc(model->config.decoder_layers + 1, sizeof *decoding->layers);
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
    free(decoding->past);
    free(decoding->offsets);
    free(decoding->places);
    decoding->history = decoding->past = NULL;
    decoding->offsets = NULL;
    decoding->places = NULL;
}

void tolk_decoding_free(struct tolk_decoding *decoding)
{
    if (decoding == NULL) {
        return;
    }
    free_indices(decoding);
    free(decoding->numbers);
    free(decoding->layers);
    free(decoding);
}

static int reserve_indices(struct tolk_decoding *decoding, size_t rows, size_t steps,
                           struct tolk_error *error)
{
    enum { ARRAYS = 7 };
    if (rows <= decoding->row_limit && rows * steps <= decoding->row_limit * decoding->step_limit) {
        return 0;
    }
    free_indices(decoding);
    decoding->history = malloc(rows * steps * sizeof *decoding->history);
    decoding->past = malloc(rows * steps * sizeof *decoding->past);
    decoding->offsets = malloc(ARRAYS * (rows + 1) * sizeof *decoding->offsets);
    decoding->places = malloc(rows * sizeof *decoding->places);
    if (decoding->history == NULL || decoding->past == NULL || decoding->offsets == NULL ||
        decoding->places == NULL) {
        decoding->row_limit = decoding->step_limit = 0;
        return tolk_error_set(error, "out of memory for %zu hypotheses of %zu steps", rows, steps);
    }
    size_t **const arrays[ARRAYS] = {
        &decoding->query_begin,       &decoding->self_begin,  &decoding->group_begin,
        &decoding->source_first,      &decoding->source_last, &decoding->cross_weight_begin,
        &decoding->self_weight_begin,
    };
    for (size_t i = 0; i < ARRAYS; i++) {
        *arrays[i] = decoding->offsets + i * (rows + 1);
    }
    return 0;
}

static real *take(struct tolk_decoding *decoding, size_t *used, size_t numbers)
{
    const size_t line = 64 / sizeof(real);
    real *piece = decoding->numbers != NULL ? decoding->numbers + *used : NULL;
    *used += (numbers + line - 1) / line * line;
    return piece;
}

/* Hands out the arena, or counts where there is none yet. */
static size_t plan(struct tolk_decoding *decoding, const struct tolk_batch *batch)
{
    const struct tolk_config *config = &decoding->model->config;
    const size_t d = config->d_model;
    const size_t heads = config->decoder_attention_heads;
    const size_t rows = decoding->row_limit;
    const size_t steps = decoding->step_limit;
    size_t used = 0;
    size_t longest = 0;
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t length = batch->source_begin[s + 1] - batch->source_begin[s];
        longest = length > longest ? length : longest;
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        struct layer_cache *layer = &decoding->layers[l];
        layer->self_kv = take(decoding, &used, steps * rows * 2 * d);
        layer->cross_kv = take(decoding, &used, tolk_batch_source_rows(batch) * 2 * d);
        layer->cross_weights = take(decoding, &used, rows * heads * longest);
    }
    decoding->stream = take(decoding, &used, rows * d);
    decoding->normed = take(decoding, &used, rows * d);
    decoding->q = take(decoding, &used, rows * d);
    decoding->context = take(decoding, &used, rows * d);
    decoding->branch = take(decoding, &used, rows * d);
    decoding->hidden = take(decoding, &used, rows * config->decoder_ffn_dim);
    decoding->logits = take(decoding, &used, rows * config->vocab_size);
    decoding->mean = take(decoding, &used, rows);
    decoding->rstd = take(decoding, &used, rows);
    decoding->self_weights = take(decoding, &used, rows * heads * steps);
    decoding->scratch_size =
        tolk_attention_scratch_size(rows, longest > steps ? longest : steps, d / heads);
    decoding->scratch =
        take(decoding, &used, decoding->scratch_size * (size_t)omp_get_max_threads());
    return used;
}

static int reserve_numbers(struct tolk_decoding *decoding, const struct tolk_batch *batch,
                           struct tolk_error *error)
{
    real *kept = decoding->numbers;
    decoding->numbers = NULL;
    const size_t size = plan(decoding, batch);
    decoding->numbers = kept;
    if (size > decoding->numbers_size) {
        free(decoding->numbers);
        decoding->numbers = NULL;
        decoding->numbers_size = 0;
        void *arena = NULL;
        if (posix_memalign(&arena, 64, size * sizeof(real)) != 0) {
            return tolk_error_set(error, "out of memory: decoding %zu hypotheses needs %zu bytes",
                                  decoding->row_limit, size * sizeof(real));
        }
        decoding->numbers = arena;
        decoding->numbers_size = size;
    }
    plan(decoding, batch);
    return 0;
}

int tolk_decoding_begin(struct tolk_decoding *decoding, const real *memory,
                        const struct tolk_batch *batch, size_t rows, size_t steps,
                        struct tolk_error *error)
{
    const struct tolk_model *model = decoding->model;
    const size_t d = model->config.d_model;
    if (steps > model->config.max_position_embeddings) {
        return tolk_error_set(error, "%zu decoding steps asked, the model has %zu positions", steps,
                              model->config.max_position_embeddings);
    }
    if (reserve_indices(decoding, rows, steps, error) != 0) {
        return -1;
    }
    decoding->row_limit = rows;
    decoding->step_limit = steps;
    decoding->step = 0;
    decoding->source_begin = batch->source_begin;
    if (reserve_numbers(decoding, batch, error) != 0) {
        return -1;
    }
    for (size_t l = 0; l < model->config.decoder_layers; l++) {
        /* k and v are neighbours in the arena: [source rows, 2 d] = memory · [K; V]ᵀ */
        tolk_linear_forward(&model->weights.decoder[l].cross.k, TOLK_REAL,
                            tolk_batch_source_rows(batch), d, 2 * d, memory,
                            decoding->layers[l].cross_kv);
    }
    return 0;
}

/* ---- who sees what ------------------------------------------------------------------------------
 */

/* Each hypothesis' past is its parent's, and the cache row that this step writes. */
static void extend_history(struct tolk_decoding *decoding, size_t rows, const size_t *parents)
{
    const size_t step = decoding->step;
    int32_t *swap = decoding->past;
    decoding->past = decoding->history;
    decoding->history = swap;
    for (size_t r = 0; r < rows; r++) {
        int32_t *own = decoding->history + r * (step + 1);
        if (step > 0) {
            memcpy(own, decoding->past + parents[r] * step, step * sizeof *own);
        }
        own[step] = (int32_t)(step * decoding->row_limit + r);
        decoding->query_begin[r] = r;
        decoding->self_begin[r] = r * (step + 1);
        decoding->self_weight_begin[r] = r * (step + 1);
    }
    decoding->query_begin[rows] = rows;
    decoding->self_begin[rows] = rows * (step + 1);
    decoding->self_weight_begin[rows] = rows * (step + 1);
}

/* The rows of one sentence become the queries of one block of cross-attention. */
static void group_by_sentence(struct tolk_decoding *decoding, size_t rows, const size_t *sentences)
{
    size_t group = 0;
    decoding->groups = 0;
    decoding->cross_weight_begin[0] = 0;
    for (size_t r = 0; r < rows; r++) {
        if (r == 0 || sentences[r] != sentences[r - 1]) {
            group = decoding->groups++;
            decoding->group_begin[group] = r;
            decoding->source_first[group] = decoding->source_begin[sentences[r]];
            decoding->source_last[group] = decoding->source_begin[sentences[r] + 1];
            decoding->cross_weight_begin[group + 1] = decoding->cross_weight_begin[group];
        }
        decoding->places[r] = (struct place){group, r - decoding->group_begin[group]};
        decoding->cross_weight_begin[group + 1] +=
            decoding->source_last[group] - decoding->source_first[group];
    }
    decoding->group_begin[decoding->groups] = rows;
}

/* ---- one step -----------------------------------------------------------------------------------
 */

static void embed(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens)
{
    const struct tolk_model *model = decoding->model;
    const size_t d = model->config.d_model;
    const real scale = tolk_embedding_scale(&model->config);
    const real *position = model->positions + decoding->step * d;
    for (size_t r = 0; r < rows; r++) {
        assert(tokens[r] >= 0 && (size_t)tokens[r] < model->config.vocab_size);
        const real *embedding = model->weights.shared + (size_t)tokens[r] * d;
        for (size_t c = 0; c < d; c++) {
            decoding->stream[r * d + c] = scale * embedding[c] + position[c];
        }
    }
}

/* The two ends of a residual connection, as in sublayer.c but without a tape. */
static const real *enter(struct tolk_decoding *decoding, const struct tolk_layer_norm *norm,
                         size_t rows)
{
    const struct tolk_config *config = &decoding->model->config;
    if (!config->normalize_before) {
        return decoding->stream;
    }
    tolk_layer_norm_forward(norm, rows, config->d_model, decoding->stream, decoding->normed,
                            decoding->mean, decoding->rstd);
    return decoding->normed;
}

static void leave(struct tolk_decoding *decoding, const struct tolk_layer_norm *norm, size_t rows)
{
    const struct tolk_config *config = &decoding->model->config;
    const struct tolk_dropout_mask none = {.threshold = 0, .scale = 1};
    tolk_residual(rows, config->d_model, none, decoding->stream, decoding->branch,
                  decoding->stream);
    if (!config->normalize_before) {
        tolk_layer_norm_forward(norm, rows, config->d_model, decoding->stream, decoding->stream,
                                decoding->mean, decoding->rstd);
    }
}

static void self_attention(struct tolk_decoding *decoding, size_t l, size_t rows)
{
    const struct tolk_config *config = &decoding->model->config;
    const struct tolk_attention_weights *weights = &decoding->model->weights.decoder[l].self;
    const struct layer_cache *cache = &decoding->layers[l];
    const size_t d = config->d_model;
    const real *input = enter(decoding, &weights->norm, rows);
    tolk_linear_forward(&weights->q, TOLK_REAL, rows, d, d, input, decoding->q);
    /* The new keys and values go straight to their place in the cache. */
    tolk_linear_forward(&weights->k, TOLK_REAL, rows, d, 2 * d, input,
                        cache->self_kv + decoding->step * decoding->row_limit * 2 * d);
    const struct tolk_attention attention = {
        .d_model = d,
        .heads = config->decoder_attention_heads,
        .sentences = rows,
        .query_begin = decoding->query_begin,
        .key_begin = decoding->self_begin,
        .key_end = decoding->self_begin + 1,
        .key_rows = decoding->history,
        .q = decoding->q,
        .k = cache->self_kv,
        .v = cache->self_kv + d,
        .ldq = d,
        .ldk = 2 * d,
        .ldv = 2 * d,
        .weights = decoding->self_weights,
        .weight_begin = decoding->self_weight_begin,
        .scratch = decoding->scratch,
        .scratch_size = decoding->scratch_size,
    };
    tolk_attention_forward(&attention, decoding->context);
    tolk_linear_forward(&weights->out, TOLK_REAL, rows, d, d, decoding->context, decoding->branch);
    leave(decoding, &weights->norm, rows);
}

static void cross_attention(struct tolk_decoding *decoding, size_t l, size_t rows)
{
    const struct tolk_config *config = &decoding->model->config;
    const struct tolk_attention_weights *weights = &decoding->model->weights.decoder[l].cross;
    const struct layer_cache *cache = &decoding->layers[l];
    const size_t d = config->d_model;
    const real *input = enter(decoding, &weights->norm, rows);
    tolk_linear_forward(&weights->q, TOLK_REAL, rows, d, d, input, decoding->q);
    const struct tolk_attention attention = {
        .d_model = d,
        .heads = config->decoder_attention_heads,
        .sentences = decoding->groups,
        .query_begin = decoding->group_begin,
        .key_begin = decoding->source_first,
        .key_end = decoding->source_last,
        .q = decoding->q,
        .k = cache->cross_kv,
        .v = cache->cross_kv + d,
        .ldq = d,
        .ldk = 2 * d,
        .ldv = 2 * d,
        .weights = cache->cross_weights,
        .weight_begin = decoding->cross_weight_begin,
        .scratch = decoding->scratch,
        .scratch_size = decoding->scratch_size,
    };
    tolk_attention_forward(&attention, decoding->context);
    tolk_linear_forward(&weights->out, TOLK_REAL, rows, d, d, decoding->context, decoding->branch);
    leave(decoding, &weights->norm, rows);
}

static void feed_forward(struct tolk_decoding *decoding, size_t l, size_t rows)
{
    const struct tolk_config *config = &decoding->model->config;
    const struct tolk_feed_forward_weights *weights =
        &decoding->model->weights.decoder[l].feed_forward;
    const size_t d = config->d_model;
    const size_t f = config->decoder_ffn_dim;
    const struct tolk_dropout_mask none = {.threshold = 0, .scale = 1};
    const real *input = enter(decoding, &weights->norm, rows);
    tolk_linear_forward(&weights->fc1, TOLK_REAL, rows, d, f, input, decoding->hidden);
    tolk_activation_forward(config->activation_function, rows, f, none, decoding->hidden,
                            decoding->hidden);
    tolk_linear_forward(&weights->fc2, TOLK_REAL, rows, f, d, decoding->hidden, decoding->branch);
    leave(decoding, &weights->norm, rows);
}

const real *tolk_decoding_step(struct tolk_decoding *decoding, size_t rows, const int32_t *tokens,
                               const size_t *sentences, const size_t *parents)
{
    const struct tolk_model *model = decoding->model;
    const size_t d = model->config.d_model;
    assert(rows <= decoding->row_limit && decoding->step < decoding->step_limit);
    extend_history(decoding, rows, parents);
    group_by_sentence(decoding, rows, sentences);
    embed(decoding, rows, tokens);
    for (size_t l = 0; l < model->config.decoder_layers; l++) {
        self_attention(decoding, l, rows);
        cross_attention(decoding, l, rows);
        feed_forward(decoding, l, rows);
    }
    const real *out = enter(decoding, &model->weights.decoder_norm, rows);
    /* logits[rows, V] = out[rows, d] · Eᵀ[d, V] + b */
    tolk_gemm(TOLK_NT, TOLK_STORE, rows, model->config.vocab_size, d, out, d, model->weights.shared,
              d, model->weights.final_logits_bias, decoding->logits, model->config.vocab_size);
    decoding->step++;
    return decoding->logits;
}

const real *tolk_decoding_cross_attention(const struct tolk_decoding *decoding, size_t layer,
                                          size_t head, size_t row)
{
    const struct place place = decoding->places[row];
    const size_t heads = decoding->model->config.decoder_attention_heads;
    const size_t queries =
        decoding->group_begin[place.group + 1] - decoding->group_begin[place.group];
    const size_t keys = decoding->source_last[place.group] - decoding->source_first[place.group];
    return decoding->layers[layer].cross_weights +
           heads * decoding->cross_weight_begin[place.group] + head * queries * keys +
           place.query * keys;
}

double tolk_log_sum_exp(const real *x, size_t count)
{
    return tolk_isa()->rows->log_sum_exp(count, x);
}
