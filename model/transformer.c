/* Forward, loss and backward of the whole model: encoder, decoder, and the output projection that
 * shares its matrix with the embeddings. */
#include "model/transformer.h"

#include <assert.h>
#include <string.h>

#include "model/gemm.h"
#include "model/guide.h"
#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/layers.h"
#include "model/stacks.h"

static struct tolk_pass pass_of(const struct tolk_model *model, const struct tolk_batch *batch,
                                const struct tolk_dropout *dropout,
                                struct tolk_workspace *workspace)
{
    assert(workspace->model == model);
    return (struct tolk_pass){model, batch, dropout, workspace};
}

const real *tolk_transformer_encode(const struct tolk_model *model, const struct tolk_batch *batch,
                                    struct tolk_workspace *workspace)
{
    const struct tolk_pass pass = pass_of(model, batch, NULL, workspace);
    return tolk_encoder_forward(&pass);
}

void tolk_transformer_attend(const struct tolk_model *model, const struct tolk_batch *batch,
                             struct tolk_workspace *workspace)
{
    const struct tolk_pass pass = pass_of(model, batch, NULL, workspace);
    tolk_decoder_forward(&pass, tolk_encoder_forward(&pass));
}

void tolk_transformer_forward(const struct tolk_model *model, const struct tolk_batch *batch,
                              const struct tolk_dropout *dropout, struct tolk_workspace *workspace)
{
    const struct tolk_pass pass = pass_of(model, batch, dropout, workspace);
    const size_t d = model->config.d_model;
    const size_t vocabulary = model->config.vocab_size;
    const real *memory = tolk_encoder_forward(&pass);
    const real *out = tolk_decoder_forward(&pass, memory);
    /* logits[rows, V] = out[rows, d] · Eᵀ[d, V] + b */
    tolk_gemm_in(workspace->precision, TOLK_NT, TOLK_STORE, tolk_batch_target_rows(batch),
                 vocabulary, d, out, d, model->weights.shared, d, model->weights.final_logits_bias,
                 workspace->logits, vocabulary);
}

/* In the order of the rows, as the other losses are summed. */
static void add_guided_loss(const struct tolk_batch *batch, const struct tolk_workspace *workspace,
                            struct tolk_loss *loss)
{
    const struct tolk_guide *guide = batch->guide;
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t keys = batch->source_begin[s + 1] - batch->source_begin[s];
        const size_t first = batch->target_begin[s];
        const real *weights =
            tolk_workspace_attention(workspace, TOLK_CROSS, guide->layer, s, guide->head);
        for (size_t row = first; row < batch->target_begin[s + 1]; row++) {
            loss->guided += tolk_guide_row_loss(guide->begin + row, guide->keys,
                                                weights + (row - first) * keys);
            loss->guided_rows += guide->begin[row + 1] > guide->begin[row];
        }
    }
}

struct tolk_loss tolk_transformer_loss(const struct tolk_model *model,
                                       const struct tolk_batch *batch, double label_smoothing,
                                       struct tolk_workspace *workspace)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
    const size_t rows = tolk_batch_target_rows(batch);
    const size_t vocabulary = model->config.vocab_size;
    struct tolk_loss loss = {.tokens = rows};
#pragma omp parallel for schedule(static)
    for (size_t row = 0; row < rows; row++) {
        const struct tolk_cross_entropy_row one = kernels->cross_entropy(
            vocabulary, workspace->logits + row * vocabulary, (size_t)batch->target_output[row],
            label_smoothing, workspace->training);
        workspace->smoothed[row] = one.smoothed;
        workspace->token_losses[row] = one.negative_log_likelihood;
    }
    /* In the order of the rows, so that the sum does not depend on the threads. */
    for (size_t row = 0; row < rows; row++) {
        loss.smoothed += workspace->smoothed[row];
        loss.negative_log_likelihood += workspace->token_losses[row];
    }
    if (batch->guide != NULL) {
        add_guided_loss(batch, workspace, &loss);
    }
    return loss;
}

struct scaling {
    real scale;
    size_t d;
    real *dout;      /* [rows, d] */
    const real *out; /* [rows, d] */
    real *scaled;    /* [rows, d] */
};

static void apply_scale(const void *context, size_t row, size_t rows, size_t column, size_t columns)
{
    const struct scaling *s = context;
    for (size_t i = row; i < row + rows; i++) {
        for (size_t c = i * s->d + column; c < i * s->d + column + columns; c++) {
            s->dout[c] *= s->scale;
            s->scaled[c] = s->scale * s->out[c];
        }
    }
}

/* The output projection. The scale of the loss enters here: once in the gradient that flows down,
 * once in a copy of the decoder's output for the gradient of the matrix, so that the logits are not
 * touched again. */
static void output_backward(const struct tolk_pass *pass, double scale,
                            struct tolk_weights *gradients)
{
    const struct tolk_model *model = pass->model;
    const struct tolk_backward_room *room = &pass->workspace->backward;
    const size_t d = model->config.d_model;
    const size_t vocabulary = model->config.vocab_size;
    const size_t rows = tolk_batch_target_rows(pass->batch);
    const real *dlogits = pass->workspace->logits;
    const real *out = pass->workspace->decoder_final.out;
    const struct scaling scaling = {(real)scale, d, room->stream, out, room->scaled};
    const struct tolk_gemm_extras scaled = {.finish = apply_scale, .context = &scaling};
    /* dout[rows, d] = scale · dlogits[rows, V] · E[V, d] */
    tolk_gemm_with(&scaled, pass->workspace->precision, TOLK_NN, TOLK_STORE, rows, d, vocabulary,
                   dlogits, vocabulary, model->weights.shared, d, NULL, room->stream, d);
    /* dE[V, d] += dlogitsᵀ[V, rows] · out[rows, d], db[V] += scale · Σ_rows dlogits */
    const struct tolk_gemm_extras of_bias = {.sums = room->bias};
    memset(room->bias, 0, vocabulary * sizeof *room->bias);
    tolk_gemm_with(&of_bias, pass->workspace->precision, TOLK_TN, TOLK_ACCUMULATE, vocabulary, d,
                   rows, dlogits, vocabulary, room->scaled, d, NULL, gradients->shared, d);
    tolk_column_sums(1, vocabulary, room->bias, (real)scale, gradients->final_logits_bias);
}

void tolk_transformer_backward(const struct tolk_model *model, const struct tolk_batch *batch,
                               const struct tolk_dropout *dropout, double scale,
                               struct tolk_workspace *workspace, struct tolk_weights *gradients)
{
    assert(workspace->training);
    const struct tolk_pass pass = pass_of(model, batch, dropout, workspace);
    const struct tolk_backward_room *room = &workspace->backward;
    output_backward(&pass, scale, gradients);
    memset(room->memory, 0,
           tolk_batch_source_rows(batch) * model->config.d_model * sizeof *room->memory);
    tolk_decoder_backward(&pass, workspace->encoder_final.out, room->stream, room->memory,
                          gradients);
    tolk_encoder_backward(&pass, room->memory, gradients);
}
