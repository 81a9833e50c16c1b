#include "model/posterior.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/gemm.h"
#include "model/workspace.h"

/* γ of the last layer norm before the output projection. */
static const real *last_gain(const struct tolk_model *model)
{
    const struct tolk_config *const config = &model->config;
    return config->normalize_before
               ? model->weights.decoder_norm.weight
               : model->weights.decoder[config->decoder_layers - 1].feed_forward.norm.weight;
}

/* token[t] = γ ∘ (E[y] − mean) / σ_t, brought to mean 0: the direction in which whatever is added
 * to the residual stream raises y's logit. */
static void token_directions(const struct tolk_model *model, const struct tolk_batch *batch,
                             const struct tolk_posterior *posterior)
{
    const size_t d = model->config.d_model;
    const size_t rows = tolk_batch_target_rows(batch);
    const real *const gain = last_gain(model);
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < rows; t++) {
        const real *const embedding = model->weights.shared + (size_t)batch->target_output[t] * d;
        real *const token = posterior->token + t * d;
        double sum = 0;
        for (size_t c = 0; c < d; c++) {
            token[c] = gain[c] * embedding[c];
            sum += (double)token[c];
        }
        const real mean = (real)(sum / (double)d);
        for (size_t c = 0; c < d; c++) {
            token[c] = (token[c] - mean) * posterior->rstd[t];
        }
    }
}

/* Adds one layer to a sentence: evidence[t, s] += value[t] · v[s], and the prior. */
static void add_layer(const struct tolk_config *config, const struct tolk_batch *batch,
                      const struct tolk_head_set *set, const struct tolk_posterior *posterior,
                      size_t layer, size_t sentence)
{
    const size_t d = config->d_model;
    const size_t heads = config->decoder_attention_heads;
    const size_t dim = d / heads;
    const size_t target = batch->target_begin[sentence];
    const size_t queries = batch->target_begin[sentence + 1] - target;
    const size_t source = batch->source_begin[sentence];
    const size_t keys = batch->source_begin[sentence + 1] - source;
    const size_t at = posterior->weight_begin[sentence];
    const real *const priors = posterior->priors[layer] + heads * at;
    real *const weights = posterior->weights + at;
    for (size_t head = 0; head < heads; head++) {
        if (!tolk_head_set_has(set, layer, head)) {
            continue;
        }
        tolk_gemm(TOLK_NT, TOLK_ACCUMULATE, queries, keys, dim,
                  posterior->value + target * d + head * dim, d,
                  posterior->kv[layer] + source * 2 * d + d + head * dim, 2 * d, NULL,
                  posterior->evidence + at, keys);
        for (size_t p = 0; p < queries * keys; p++) {
            weights[p] += priors[head * queries * keys + p];
        }
    }
}

/* row ← row · exp(clue), of sum 1. The largest clue is taken off first, so that nothing overflows;
 * where all else underflows the prior remains. */
static void weigh_row(size_t keys, real *row, const real *clue)
{
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

static void weigh_sentence(const struct tolk_batch *batch, const struct tolk_posterior *posterior,
                           size_t sentence)
{
    const size_t at = posterior->weight_begin[sentence];
    const size_t queries = batch->target_begin[sentence + 1] - batch->target_begin[sentence];
    const size_t keys = batch->source_begin[sentence + 1] - batch->source_begin[sentence];
    for (size_t t = 0; t < queries; t++) {
        weigh_row(keys, posterior->weights + at + t * keys, posterior->evidence + at + t * keys);
    }
}

void tolk_posterior_run(const struct tolk_model *model, const struct tolk_batch *batch,
                        const struct tolk_head_set *set, const struct tolk_posterior *posterior)
{
    const size_t d = model->config.d_model;
    const size_t rows = tolk_batch_target_rows(batch);
    const size_t pairs = posterior->weight_begin[batch->sentences];
    memset(posterior->weights, 0, pairs * sizeof *posterior->weights);
    memset(posterior->evidence, 0, pairs * sizeof *posterior->evidence);
    token_directions(model, batch, posterior);
    for (size_t layer = 0; layer < model->config.decoder_layers; layer++) {
        if (set->heads[layer] == 0) {
            continue;
        }
        /* value[rows, d] = token[rows, d] · W_O[d, d]: y's logit by what a head fetches */
        tolk_gemm(TOLK_NN, TOLK_STORE, rows, d, d, posterior->token, d,
                  model->weights.decoder[layer].cross.out.weight, d, NULL, posterior->value, d);
#pragma omp parallel for schedule(dynamic)
        for (size_t s = 0; s < batch->sentences; s++) {
            add_layer(&model->config, batch, set, posterior, layer, s);
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t s = 0; s < batch->sentences; s++) {
        weigh_sentence(batch, posterior, s);
    }
}

void tolk_transformer_posterior(const struct tolk_model *model, const struct tolk_batch *batch,
                                const struct tolk_head_set *set, struct tolk_workspace *workspace)
{
    assert(workspace->model == model && workspace->batch == batch && !workspace->training);
    const struct tolk_decoder_tape *const last =
        &workspace->decoder[model->config.decoder_layers - 1];
    const real *priors[TOLK_MAX_LAYERS];
    const real *kv[TOLK_MAX_LAYERS];
    for (size_t l = 0; l < model->config.decoder_layers; l++) {
        priors[l] = workspace->decoder[l].cross.weights;
        kv[l] = workspace->decoder[l].cross.kv;
    }
    struct tolk_posterior posterior = workspace->posterior;
    posterior.priors = priors;
    posterior.kv = kv;
    posterior.weight_begin = workspace->weight_begin[TOLK_CROSS];
    posterior.rstd = model->config.normalize_before ? workspace->decoder_final.rstd
                                                    : last->feed_forward.sublayer.rstd;
    tolk_posterior_run(model, batch, set, &posterior);
}

const real *tolk_workspace_posterior(const struct tolk_workspace *workspace, size_t sentence)
{
    return workspace->posterior.weights + workspace->weight_begin[TOLK_CROSS][sentence];
}
