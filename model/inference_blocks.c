#include "model/inference_blocks.h"

#include <assert.h>

#include "model/attention.h"
#include "model/blocks.h"
#include "model/gemm.h"
#include "model/isa.h"
#include "model/kernels/rows.h"

static const struct tolk_dropout_mask none = {.threshold = 0, .scale = 1};

void tolk_inference_room_take(struct tolk_inference_room *room, struct tolk_room_cut *cut,
                              size_t rows, size_t d, size_t f)
{
    room->stream = tolk_room_take(cut, rows * d);
    room->normed = tolk_room_take(cut, rows * d);
    room->context = tolk_room_take(cut, rows * d);
    room->branch = tolk_room_take(cut, rows * d);
    room->hidden = tolk_room_take(cut, rows * tolk_gemm_row_distance(f));
    room->moments = tolk_room_take(cut, 2 * rows);
}

static void normalise(const struct tolk_layer_norm *norm, size_t rows, size_t d,
                      struct tolk_inference_room *room, real *y)
{
    tolk_isa()->rows->layer_norm_forward(rows, d, room->stream, norm->weight, norm->bias, y,
                                         room->moments, room->moments + rows);
}

const real *tolk_inference_enter(const struct tolk_config *config,
                                 const struct tolk_layer_norm *norm, size_t rows,
                                 struct tolk_inference_room *room)
{
    if (!config->normalize_before) {
        return room->stream;
    }
    normalise(norm, rows, config->d_model, room, room->normed);
    return room->normed;
}

void tolk_inference_leave(const struct tolk_config *config, const struct tolk_layer_norm *norm,
                          size_t rows, struct tolk_inference_room *room)
{
    const size_t d = config->d_model;
    tolk_isa()->rows->residual(rows, d, d, 0, none, room->stream, room->branch, room->stream);
    if (!config->normalize_before) {
        normalise(norm, rows, d, room, room->stream);
    }
}

void tolk_inference_self_attention(const struct tolk_config *config,
                                   const struct tolk_attention_weights *weights,
                                   const struct tolk_attention_panels *panels,
                                   const struct tolk_inference_attention *self,
                                   struct tolk_inference_room *room)
{
    const size_t d = config->d_model;
    const size_t rows = self->begin[self->sentences];
    const real *input = tolk_inference_enter(config, &weights->norm, rows, room);
    tolk_panels_multiply(&panels->qkv, rows, input, d, weights->q.bias, false, self->qkv, 3 * d);
    const struct tolk_attention attention = {
        .d_model = d,
        .heads = self->heads,
        .sentences = self->sentences,
        .query_begin = self->begin,
        .key_begin = self->begin,
        .causal = self->causal,
        .q = self->qkv,
        .k = self->qkv + d,
        .v = self->qkv + 2 * d,
        .ldq = 3 * d,
        .ldk = 3 * d,
        .ldv = 3 * d,
        .weights = self->weights,
        .weight_begin = self->weight_begin,
        .scratch = self->scratch,
        .scratch_size = self->scratch_size,
    };
    tolk_attention_forward(&attention, room->context);
    tolk_panels_multiply(&panels->out, rows, room->context, d, weights->out.bias, false,
                         room->branch, d);
    tolk_inference_leave(config, &weights->norm, rows, room);
}

void tolk_inference_feed_forward(const struct tolk_config *config, size_t f,
                                 const struct tolk_feed_forward_weights *weights,
                                 const struct tolk_feed_forward_panels *panels, size_t rows,
                                 struct tolk_inference_room *room)
{
    const size_t d = config->d_model;
    const size_t ldf = tolk_gemm_row_distance(f);
    const bool relu = config->activation_function == TOLK_RELU;
    const real *input = tolk_inference_enter(config, &weights->norm, rows, room);
    tolk_panels_multiply(&panels->fc1, rows, input, d, weights->fc1.bias, relu, room->hidden, ldf);
    if (!relu) {
        tolk_isa()->rows->activation_forward(config->activation_function, rows, f, ldf, 0, none,
                                             room->hidden, room->hidden);
    }
    if (relu) {
        tolk_panels_multiply_sparse(&panels->fc2, rows, room->hidden, ldf, weights->fc2.bias,
                                    room->branch, d);
    } else {
        tolk_panels_multiply(&panels->fc2, rows, room->hidden, ldf, weights->fc2.bias, false,
                             room->branch, d);
    }
    tolk_inference_leave(config, &weights->norm, rows, room);
}

void tolk_inference_embed(const struct tolk_model *model, size_t row, int32_t id, size_t position,
                          struct tolk_inference_room *room)
{
    const size_t d = model->config.d_model;
    const real scale = tolk_embedding_scale(&model->config);
    assert(id >= 0 && (size_t)id < model->config.vocab_size);
    const real *embedding = model->weights.shared + (size_t)id * d;
    const real *at = model->positions + position * d;
    real *x = room->stream + row * d;
    for (size_t c = 0; c < d; c++) {
        x[c] = scale * embedding[c] + at[c];
    }
}
