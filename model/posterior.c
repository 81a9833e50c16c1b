#include "model/posterior.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/gemm.h"
#include "model/workspace.h"

/* The last layer norm before the output projection, and 1 / σ of each target row in it. */
struct last_norm {
    const real *gain; /* γ [d] */
    const real *rstd; /* [target rows] */
};

static struct last_norm last_norm_of(const struct tolk_workspace *workspace)
{
    const struct tolk_config *const config = &workspace->model->config;
    const struct tolk_weights *const weights = &workspace->model->weights;
    const size_t last = config->decoder_layers - 1;
    if (config->normalize_before) {
        return (struct last_norm){weights->decoder_norm.weight, workspace->decoder_final.rstd};
    }
    return (struct last_norm){weights->decoder[last].feed_forward.norm.weight,
                              workspace->decoder[last].feed_forward.sublayer.rstd};
}

/* token[t] = γ ∘ (E[y] − mean) / σ_t, brought to mean 0: the direction in which whatever is added
 * to the residual stream raises y's logit. */
static void token_directions(const struct tolk_model *model, const struct tolk_batch *batch,
                             const struct tolk_workspace *workspace)
{
    const size_t d = model->config.d_model;
    const size_t rows = tolk_batch_target_rows(batch);
    const struct last_norm norm = last_norm_of(workspace);
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < rows; t++) {
        const real *const embedding = model->weights.shared + (size_t)batch->target_output[t] * d;
        real *const token = workspace->posterior.token + t * d;
        double sum = 0;
        for (size_t c = 0; c < d; c++) {
            token[c] = norm.gain[c] * embedding[c];
            sum += (double)token[c];
        }
        const real mean = (real)(sum / (double)d);
        for (size_t c = 0; c < d; c++) {
            token[c] = (token[c] - mean) * norm.rstd[t];
        }
    }
}

/* Adds one layer to a sentence: evidence[t, s] += value[t] · v[s], and the prior. */
static void add_layer(const struct tolk_workspace *workspace, const struct tolk_head_set *set,
                      size_t layer, size_t sentence)
{
    const struct tolk_config *const config = &workspace->model->config;
    const size_t d = config->d_model;
    const size_t dim = d / config->decoder_attention_heads;
    const struct tolk_batch *const batch = workspace->batch;
    const size_t target = batch->target_begin[sentence];
    const size_t queries = batch->target_begin[sentence + 1] - target;
    const size_t source = batch->source_begin[sentence];
    const size_t keys = batch->source_begin[sentence + 1] - source;
    const size_t at = workspace->weight_begin[TOLK_CROSS][sentence];
    real *const weights = workspace->posterior.weights + at;
    for (size_t i = 0; i < set->head_count; i++) {
        const size_t column = set->heads[i] * dim;
        const real *const prior =
            tolk_workspace_attention(workspace, TOLK_CROSS, layer, sentence, set->heads[i]);
        const real *const v = workspace->decoder[layer].cross.kv + source * 2 * d + d + column;
        tolk_gemm(TOLK_NT, TOLK_ACCUMULATE, queries, keys, dim,
                  workspace->posterior.value + target * d + column, d, v, 2 * d, NULL,
                  workspace->posterior.evidence + at, keys);
        for (size_t p = 0; p < queries * keys; p++) {
            weights[p] += prior[p];
        }
    }
}

/* weights ← weights · exp(evidence), each row of sum 1. The largest of the evidence is taken off
 * first, so that nothing overflows; where all else underflows the prior remains. */
static void weigh_rows(size_t queries, size_t keys, real *weights, const real *evidence)
{
    for (size_t t = 0; t < queries; t++) {
        real *const row = weights + t * keys;
        const real *const clue = evidence + t * keys;
        double sum = 0, prior = 0;
        real most = clue[0];
        for (size_t s = 1; s < keys; s++) {
            most = clue[s] > most ? clue[s] : most;
        }
        for (size_t s = 0; s < keys; s++) {
            prior += (double)row[s];
            sum += (double)row[s] * exp((double)(clue[s] - most));
        }
        for (size_t s = 0; s < keys; s++) {
            row[s] = (real)(sum > 0 ? (double)row[s] * exp((double)(clue[s] - most)) / sum
                                    : (double)row[s] / prior);
        }
    }
}

void tolk_transformer_posterior(const struct tolk_model *model, const struct tolk_batch *batch,
                                const struct tolk_head_set *set, struct tolk_workspace *workspace)
{
    assert(workspace->model == model && workspace->batch == batch && !workspace->training);
    const size_t d = model->config.d_model;
    const size_t rows = tolk_batch_target_rows(batch);
    const size_t *const begin = workspace->weight_begin[TOLK_CROSS];
    const struct tolk_posterior_room *const room = &workspace->posterior;
    memset(room->weights, 0, begin[batch->sentences] * sizeof *room->weights);
    memset(room->evidence, 0, begin[batch->sentences] * sizeof *room->evidence);
    token_directions(model, batch, workspace);
    for (size_t i = 0; i < set->layer_count; i++) {
        const size_t layer = set->layers[i];
        /* value[rows, d] = token[rows, d] · W_O[d, d]: y's logit by what a head fetches */
        tolk_gemm_in(workspace->precision, TOLK_NN, TOLK_STORE, rows, d, d, room->token, d,
                     model->weights.decoder[layer].cross.out.weight, d, NULL, room->value, d);
#pragma omp parallel for schedule(dynamic)
        for (size_t s = 0; s < batch->sentences; s++) {
            add_layer(workspace, set, layer, s);
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t s = 0; s < batch->sentences; s++) {
        weigh_rows(batch->target_begin[s + 1] - batch->target_begin[s],
                   batch->source_begin[s + 1] - batch->source_begin[s], room->weights + begin[s],
                   room->evidence + begin[s]);
    }
}

const real *tolk_workspace_posterior(const struct tolk_workspace *workspace, size_t sentence)
{
    return workspace->posterior.weights + workspace->weight_begin[TOLK_CROSS][sentence];
}
