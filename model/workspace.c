#include "model/workspace.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/attention.h"
#include "model/layers.h"
#include "model/room.h"

/* ---- the plan of the arena ----------------------------------------------------------------------
 */

/* What the sizes depend on. */
struct shape {
    size_t source_rows, target_rows;
    size_t logit_rows; /* those of the target, or none */
    size_t pairs[3];   /* Σ queries · keys by kind of attention */
    size_t longest_query, longest_key;
};

static void plan_sublayer(struct tolk_room_cut *plan, struct tolk_sublayer_tape *tape, size_t n,
                          size_t d)
{
    tape->normed = tolk_room_take(plan, n * d);
    tape->mean = tolk_room_take(plan, n);
    tape->rstd = tolk_room_take(plan, n);
    tape->sum = tolk_room_take(plan, n * d);
}

static void plan_self_attention(struct tolk_room_cut *plan, struct tolk_attention_tape *tape,
                                size_t n, size_t d)
{
    plan_sublayer(plan, &tape->sublayer, n, d);
    tape->q = tolk_room_take(plan, n * 3 * d);
    tape->context = tolk_room_take(plan, n * d);
}

static void plan_cross_attention(struct tolk_room_cut *plan, struct tolk_attention_tape *tape,
                                 size_t n, size_t d)
{
    plan_sublayer(plan, &tape->sublayer, n, d);
    tape->q = tolk_room_take(plan, n * d);
    tape->context = tolk_room_take(plan, n * d);
}

static void plan_feed_forward(struct tolk_room_cut *plan, struct tolk_feed_forward_tape *tape,
                              size_t n, const struct tolk_config *config, size_t f)
{
    const size_t size = n * tolk_gemm_row_distance(f);
    plan_sublayer(plan, &tape->sublayer, n, config->d_model);
    tape->hidden = tolk_room_take(plan, size);
    tape->before =
        config->activation_function == TOLK_RELU ? tape->hidden : tolk_room_take(plan, size);
}

static void plan_final(struct tolk_room_cut *plan, struct tolk_final_tape *tape, size_t n, size_t d)
{
    tape->normed = tolk_room_take(plan, n * d);
    tape->mean = tolk_room_take(plan, n);
    tape->rstd = tolk_room_take(plan, n);
}

/* Attention weights, and what cross-attention fetches from the source, can be read of every layer,
 * whatever the pass is for. */
static void plan_attention_weights(struct tolk_room_cut *plan, struct tolk_workspace *workspace,
                                   const struct shape *shape)
{
    const struct tolk_config *config = &workspace->model->config;
    const size_t heads = config->decoder_attention_heads;
    for (size_t l = 0; l < config->encoder_layers; l++) {
        workspace->encoder[l].self.weights =
            tolk_room_take(plan, config->encoder_attention_heads * shape->pairs[TOLK_ENCODER_SELF]);
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        struct tolk_decoder_tape *tape = &workspace->decoder[l];
        tape->self.weights = tolk_room_take(plan, heads * shape->pairs[TOLK_DECODER_SELF]);
        tape->cross.weights = tolk_room_take(plan, heads * shape->pairs[TOLK_CROSS]);
        tape->cross.kv = tolk_room_take(
            plan, shape->target_rows > 0 ? shape->source_rows * 2 * config->d_model : 0);
    }
}

/* The backward pass reads the tapes of lower layers, and so does who inspects them. Else a layer
 * takes the room of the one before, whose output it has read when it writes its own. */
static void plan_layers(struct tolk_room_cut *plan, struct tolk_workspace *workspace,
                        const struct shape *shape)
{
    const struct tolk_config *config = &workspace->model->config;
    const size_t d = config->d_model;
    const size_t ns = shape->source_rows;
    const size_t nt = shape->target_rows;
    const size_t encoder = plan->used;
    for (size_t l = 0; l < config->encoder_layers; l++) {
        struct tolk_encoder_tape *tape = &workspace->encoder[l];
        plan->used = workspace->keeps_tapes ? plan->used : encoder;
        plan_self_attention(plan, &tape->self, ns, d);
        plan_feed_forward(plan, &tape->feed_forward, ns, config, config->encoder_ffn_dim);
    }
    const size_t decoder = plan->used;
    for (size_t l = 0; l < config->decoder_layers && nt > 0; l++) {
        struct tolk_decoder_tape *tape = &workspace->decoder[l];
        plan->used = workspace->keeps_tapes ? plan->used : decoder;
        plan_self_attention(plan, &tape->self, nt, d);
        plan_cross_attention(plan, &tape->cross, nt, d);
        plan_feed_forward(plan, &tape->feed_forward, nt, config, config->decoder_ffn_dim);
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void plan_backward(struct tolk_room_cut *plan, struct tolk_workspace *workspace,
                          const struct shape *shape)
{
    const struct tolk_config *config = &workspace->model->config;
    struct tolk_backward_room *room = &workspace->backward;
    const size_t d = config->d_model;
    const size_t n = larger(shape->source_rows, shape->target_rows);
    room->stream = tolk_room_take(plan, n * d);
    room->branch = tolk_room_take(plan, n * d);
    room->input = tolk_room_take(plan, n * d);
    room->context = tolk_room_take(plan, n * d);
    room->qkv = tolk_room_take(plan, n * 3 * d);
    room->kv = tolk_room_take(plan, shape->source_rows * 2 * d);
    room->hidden =
        tolk_room_take(plan, n * larger(tolk_gemm_row_distance(config->encoder_ffn_dim),
                                        tolk_gemm_row_distance(config->decoder_ffn_dim)));
    room->memory = tolk_room_take(plan, shape->source_rows * d);
    room->scaled = tolk_room_take(plan, shape->target_rows * d);
    room->partial = tolk_room_take(plan, tolk_partial_sums_size(n, 2 * d));
    room->bias = tolk_room_take(plan, config->vocab_size);
}

static void plan_posterior(struct tolk_room_cut *plan, struct tolk_workspace *workspace,
                           const struct shape *shape)
{
    struct tolk_posterior *room = &workspace->posterior;
    const size_t d = workspace->model->config.d_model;
    room->token = tolk_room_take(plan, shape->target_rows * d);
    room->value = tolk_room_take(plan, shape->target_rows * d);
    room->weights = tolk_room_take(plan, shape->pairs[TOLK_CROSS]);
    room->evidence = tolk_room_take(plan, shape->pairs[TOLK_CROSS]);
}

static void plan_all(struct tolk_room_cut *plan, struct tolk_workspace *workspace,
                     const struct shape *shape)
{
    const struct tolk_config *config = &workspace->model->config;
    const size_t d = config->d_model;
    const size_t heads = config->encoder_attention_heads < config->decoder_attention_heads
                             ? config->encoder_attention_heads
                             : config->decoder_attention_heads;
    workspace->encoder_embedded = tolk_room_take(plan, shape->source_rows * d);
    workspace->decoder_embedded = tolk_room_take(plan, shape->target_rows * d);
    plan_attention_weights(plan, workspace, shape);
    plan_layers(plan, workspace, shape);
    plan_final(plan, &workspace->encoder_final, shape->source_rows, d);
    plan_final(plan, &workspace->decoder_final, shape->target_rows, d);
    workspace->logits = tolk_room_take(plan, shape->logit_rows * config->vocab_size);
    workspace->scratch_size = tolk_room_rounded(
        tolk_attention_scratch_size(shape->longest_query, shape->longest_key, d / heads));
    workspace->scratch =
        tolk_room_take(plan, workspace->scratch_size * (size_t)omp_get_max_threads());
    if (workspace->training) {
        plan_backward(plan, workspace, shape);
    } else {
        plan_posterior(plan, workspace, shape);
    }
}

void tolk_workspace_set_precision(struct tolk_workspace *workspace,
                                  enum tolk_gemm_precision precision)
{
    workspace->precision = precision;
}

/* ---- the reservation ----------------------------------------------------------------------------
 */

struct tolk_workspace *tolk_workspace_create(const struct tolk_model *model,
                                             struct tolk_error *error)
{
    struct tolk_workspace *workspace = calloc(1, sizeof *workspace);
    if (workspace != NULL) {
        workspace->model = model;
        workspace->encoder = calloc(model->config.encoder_layers + 1, sizeof *workspace->encoder);
        workspace->decoder = calloc(model->config.decoder_layers + 1, sizeof *workspace->decoder);
    }
    if (workspace == NULL || workspace->encoder == NULL || workspace->decoder == NULL) {
        tolk_workspace_free(workspace);
        tolk_error_set(error, "out of memory for a workspace");
        return NULL;
    }
    return workspace;
}

void tolk_workspace_free(struct tolk_workspace *workspace)
{
    if (workspace == NULL) {
        return;
    }
    free(workspace->arena);
    free(workspace->encoder);
    free(workspace->decoder);
    for (size_t kind = 0; kind < 3; kind++) {
        free(workspace->weight_begin[kind]);
    }
    free(workspace->token_losses);
    free(workspace->smoothed);
    free(workspace);
}

static int reserve_sentences(struct tolk_workspace *workspace, size_t sentences,
                             struct tolk_error *error)
{
    if (sentences + 1 <= workspace->sentence_capacity) {
        return 0;
    }
    for (size_t kind = 0; kind < 3; kind++) {
        size_t *grown = realloc(workspace->weight_begin[kind], (sentences + 1) * sizeof *grown);
        if (grown == NULL) {
            return tolk_error_set(error, "out of memory for %zu sentences", sentences);
        }
        workspace->weight_begin[kind] = grown;
    }
    workspace->sentence_capacity = sentences + 1;
    return 0;
}

static int reserve_losses(struct tolk_workspace *workspace, size_t rows, struct tolk_error *error)
{
    if (rows <= workspace->loss_capacity) {
        return 0;
    }
    free(workspace->token_losses);
    free(workspace->smoothed);
    workspace->token_losses = malloc(rows * sizeof *workspace->token_losses);
    workspace->smoothed = malloc(rows * sizeof *workspace->smoothed);
    workspace->loss_capacity = rows;
    if (workspace->token_losses == NULL || workspace->smoothed == NULL) {
        workspace->loss_capacity = 0;
        return tolk_error_set(error, "out of memory for the losses of %zu tokens", rows);
    }
    return 0;
}

/* Measures the batch and fills the offsets of the attention weights. */
static int measure(struct tolk_workspace *workspace, const struct tolk_batch *batch,
                   struct shape *shape, struct tolk_error *error)
{
    const size_t limit = workspace->model->config.max_position_embeddings;
    *shape = (struct shape){.source_rows = tolk_batch_source_rows(batch)};
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t source = batch->source_begin[s + 1] - batch->source_begin[s];
        const size_t target =
            batch->target_begin != NULL ? batch->target_begin[s + 1] - batch->target_begin[s] : 0;
        const size_t pairs[] = {source * source, target * target, target * source};
        if (larger(source, target) > limit) {
            return tolk_error_set(error, "sentence %zu of the batch has %zu pieces, more than %zu",
                                  s, larger(source, target), limit);
        }
        for (size_t kind = 0; kind < 3; kind++) {
            workspace->weight_begin[kind][s] = shape->pairs[kind];
            shape->pairs[kind] += pairs[kind];
        }
        shape->target_rows += target;
        shape->longest_query = larger(shape->longest_query, larger(source, target));
        shape->longest_key = shape->longest_query;
    }
    for (size_t kind = 0; kind < 3; kind++) {
        workspace->weight_begin[kind][batch->sentences] = shape->pairs[kind];
    }
    return 0;
}

int tolk_workspace_reserve(struct tolk_workspace *workspace, const struct tolk_batch *batch,
                           enum tolk_purpose purpose, struct tolk_error *error)
{
    struct shape shape;
    struct tolk_room_cut plan = {NULL, 0};
    if (reserve_sentences(workspace, batch->sentences, error) != 0 ||
        measure(workspace, batch, &shape, error) != 0 ||
        reserve_losses(workspace, shape.target_rows, error) != 0) {
        return -1;
    }
    shape.logit_rows = purpose == TOLK_ATTENTION ? 0 : shape.target_rows;
    workspace->training = purpose == TOLK_TRAINING;
    workspace->keeps_tapes = workspace->training || purpose == TOLK_INSPECTION;
    workspace->batch = batch;
    plan_all(&plan, workspace, &shape);
    if (plan.used > workspace->arena_size) {
        const size_t bytes = plan.used * sizeof(real);
        free(workspace->arena);
        workspace->arena_size = 0;
        workspace->arena = tolk_memory_take(bytes);
        if (workspace->arena == NULL) {
            return tolk_error_set(error,
                                  "out of memory: a batch of %zu + %zu tokens needs %zu bytes",
                                  shape.source_rows, shape.target_rows, bytes);
        }
        workspace->arena_size = plan.used;
    }
    plan = (struct tolk_room_cut){workspace->arena, 0};
    plan_all(&plan, workspace, &shape);
    return 0;
}

const real *tolk_workspace_logits(const struct tolk_workspace *workspace)
{
    return workspace->logits;
}

const double *tolk_workspace_token_losses(const struct tolk_workspace *workspace)
{
    return workspace->token_losses;
}

const real *tolk_workspace_attention(const struct tolk_workspace *workspace,
                                     enum tolk_attention_kind kind, size_t layer, size_t sentence,
                                     size_t head)
{
    const size_t *begin = workspace->weight_begin[kind];
    const size_t heads = tolk_attention_heads(&workspace->model->config, kind);
    const real *weights = kind == TOLK_ENCODER_SELF   ? workspace->encoder[layer].self.weights
                          : kind == TOLK_DECODER_SELF ? workspace->decoder[layer].self.weights
                                                      : workspace->decoder[layer].cross.weights;
    const size_t pairs = begin[sentence + 1] - begin[sentence];
    return weights + heads * begin[sentence] + head * pairs;
}
