#include "model/tapes.h"

#include <assert.h>

#include "model/blocks.h"

/* The parts of a sentence's attention that lie on the tape of one layer. */
static struct tolk_attention_head self_head(const struct tolk_workspace *workspace,
                                            const struct tolk_attention_tape *tape,
                                            const size_t *begin, size_t sentence)
{
    const size_t d = workspace->model->config.d_model;
    const size_t row = begin[sentence];
    const size_t rows = begin[sentence + 1] - row;
    const real *const qkv = tape->q + row * 3 * d;
    return (struct tolk_attention_head){
        .queries = rows,
        .keys = rows,
        .q = qkv,
        .k = qkv + d,
        .v = qkv + 2 * d,
        .ldq = 3 * d,
        .ldk = 3 * d,
        .ldv = 3 * d,
        .z = tape->context + row * d,
        .query_input = tape->input + row * d,
        .key_input = tape->input + row * d,
    };
}

static struct tolk_attention_head cross_head(const struct tolk_workspace *workspace,
                                             const struct tolk_attention_tape *tape,
                                             size_t sentence)
{
    const size_t d = workspace->model->config.d_model;
    const struct tolk_batch *const batch = workspace->batch;
    const size_t target = batch->target_begin[sentence];
    const size_t source = batch->source_begin[sentence];
    const real *const kv = tape->kv + source * 2 * d;
    return (struct tolk_attention_head){
        .queries = batch->target_begin[sentence + 1] - target,
        .keys = batch->source_begin[sentence + 1] - source,
        .q = tape->q + target * d,
        .k = kv,
        .v = kv + d,
        .ldq = d,
        .ldk = 2 * d,
        .ldv = 2 * d,
        .z = tape->context + target * d,
        .query_input = tape->input + target * d,
        .key_input = workspace->encoder_final.out + source * d,
    };
}

struct tolk_attention_head tolk_tapes_head(const struct tolk_workspace *workspace,
                                           enum tolk_attention_kind kind, size_t layer,
                                           size_t sentence, size_t head)
{
    const struct tolk_config *const config = &workspace->model->config;
    const struct tolk_weights *const weights = &workspace->model->weights;
    const struct tolk_batch *const batch = workspace->batch;
    const bool encoder = kind == TOLK_ENCODER_SELF;
    const size_t heads =
        encoder ? config->encoder_attention_heads : config->decoder_attention_heads;
    assert(workspace->keeps_tapes);
    struct tolk_attention_head view;
    if (encoder) {
        view = self_head(workspace, &workspace->encoder[layer].self, batch->source_begin, sentence);
        view.projections = &weights->encoder[layer].self;
    } else if (kind == TOLK_DECODER_SELF) {
        view = self_head(workspace, &workspace->decoder[layer].self, batch->target_begin, sentence);
        view.projections = &weights->decoder[layer].self;
        view.causal = true;
    } else {
        view = cross_head(workspace, &workspace->decoder[layer].cross, sentence);
        view.projections = &weights->decoder[layer].cross;
    }
    view.dim = config->d_model / heads;
    view.first_row = head * view.dim;
    view.q += view.first_row;
    view.k += view.first_row;
    view.v += view.first_row;
    view.z += view.first_row;
    view.ldz = config->d_model;
    view.weights = tolk_workspace_attention(workspace, kind, layer, sentence, head);
    return view;
}

/* Row `at` of the batch, the row-th of its sentence. */
static struct tolk_embedded_row embedded_row(const struct tolk_model *model, const real *embedded,
                                             const int32_t *ids, size_t at, size_t row)
{
    const size_t d = model->config.d_model;
    return (struct tolk_embedded_row){
        .scale = tolk_embedding_scale(&model->config),
        .token = model->weights.shared + (size_t)ids[at] * d,
        .position = model->positions + row * d,
        .x = embedded + at * d,
    };
}

struct tolk_embedded_row tolk_tapes_source_row(const struct tolk_workspace *workspace,
                                               size_t sentence, size_t row)
{
    const struct tolk_batch *const batch = workspace->batch;
    return embedded_row(workspace->model, workspace->encoder_embedded, batch->source,
                        batch->source_begin[sentence] + row, row);
}

struct tolk_embedded_row tolk_tapes_target_row(const struct tolk_workspace *workspace,
                                               size_t sentence, size_t row)
{
    const struct tolk_batch *const batch = workspace->batch;
    return embedded_row(workspace->model, workspace->decoder_embedded, batch->target_input,
                        batch->target_begin[sentence] + row, row);
}
