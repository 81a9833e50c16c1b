/* Posterior attention, computed again with doubles from its formula. */
#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "model/posterior.h"
#include "model/workspace.h"
#include "tests/support/three_sentences.h"

enum { LAYERS = 2, HEADS = 2, D = 12, DIM = D / HEADS, LONGEST = 8 };
static const double CLOSE = 2e-5;
static const struct tolk_head_set EVERY = {{3, 3}};

static void make(struct tolk_model *model, bool pre_norm)
{
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = D;
    config.encoder_layers = config.decoder_layers = LAYERS;
    config.encoder_attention_heads = config.decoder_attention_heads = HEADS;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 20;
    config.max_position_embeddings = LONGEST;
    config.normalize_before = pre_norm;
    ck_assert_msg(tolk_model_create(model, &config, 3, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) { /* gains that are not 1, biases not 0 */
        model->values[i] += (real)(0.3 * sin((double)(i * i % 1009)));
    }
}

static struct tolk_workspace *attended(const struct tolk_model *model)
{
    struct tolk_error error;
    struct tolk_workspace *workspace = tolk_workspace_create(model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_ATTENTION, &error), 0);
    tolk_transformer_attend(model, &batch, workspace);
    return workspace;
}

/* W_O · (0 … v_s of one head … 0): what the head adds to the stream when it looks at s alone. */
static void fetched(const struct tolk_model *model, size_t layer, size_t head, const real *memory,
                    double *out)
{
    const struct tolk_attention_weights *const cross = &model->weights.decoder[layer].cross;
    double v[DIM];
    for (size_t i = 0; i < DIM; i++) {
        const size_t row = head * DIM + i;
        v[i] = (double)cross->v.bias[row];
        for (size_t c = 0; c < D; c++) {
            v[i] += (double)cross->v.weight[row * D + c] * (double)memory[c];
        }
    }
    for (size_t r = 0; r < D; r++) {
        for (size_t i = 0; i < DIM; i++) {
            out[r] += (double)cross->out.weight[r * D + head * DIM + i] * v[i];
        }
    }
}

/* The last norm makes (addition − mean) · γ / σ of an addition to the stream. */
static double logit_gain(const struct tolk_model *model, const double *addition, int32_t y,
                         double sigma)
{
    double mean = 0, gain = 0;
    for (size_t c = 0; c < D; c++) {
        mean += addition[c] / D;
    }
    for (size_t c = 0; c < D; c++) {
        gain += (addition[c] - mean) * (double)model->weights.decoder_norm.weight[c] *
                (double)model->weights.shared[(size_t)y * D + c] / sigma;
    }
    return gain;
}

static double deviation(const real *stream)
{
    double mean = 0, square = 0;
    for (size_t c = 0; c < D; c++) {
        mean += (double)stream[c] / D;
    }
    for (size_t c = 0; c < D; c++) {
        square += ((double)stream[c] - mean) * ((double)stream[c] - mean) / D;
    }
    return sqrt(square + 1e-5);
}

/* Row t of a sentence by the formula, [keys]. */
static void expected_row(const struct tolk_workspace *workspace, const struct tolk_head_set *set,
                         size_t sentence, size_t t, double *row)
{
    const struct tolk_model *const model = workspace->model;
    const size_t keys = source_begin[sentence + 1] - source_begin[sentence];
    const size_t at = target_begin[sentence] + t;
    const double sigma = deviation(workspace->decoder_final.in + at * D);
    double sum = 0;
    for (size_t s = 0; s < keys; s++) {
        const real *const memory = workspace->encoder_final.out + (source_begin[sentence] + s) * D;
        double prior = 0, addition[D] = {0};
        for (size_t l = 0; l < LAYERS; l++) {
            for (size_t h = 0; h < HEADS; h++) {
                if (tolk_head_set_has(set, l, h)) {
                    prior += (double)tolk_workspace_attention(workspace, TOLK_CROSS, l, sentence,
                                                              h)[t * keys + s];
                    fetched(model, l, h, memory, addition);
                }
            }
        }
        row[s] = prior * exp(logit_gain(model, addition, target_output[at], sigma));
        sum += row[s];
    }
    for (size_t s = 0; s < keys; s++) {
        row[s] /= sum;
    }
}

static void check(const struct tolk_head_set *set)
{
    struct tolk_model model;
    make(&model, true);
    struct tolk_workspace *workspace = attended(&model);
    tolk_transformer_posterior(&model, &batch, set, workspace);
    for (size_t sentence = 0; sentence < batch.sentences; sentence++) {
        const size_t keys = source_begin[sentence + 1] - source_begin[sentence];
        const real *const posterior = tolk_workspace_posterior(workspace, sentence);
        for (size_t t = 0; t < target_begin[sentence + 1] - target_begin[sentence]; t++) {
            double expected[LONGEST];
            expected_row(workspace, set, sentence, t, expected);
            for (size_t s = 0; s < keys; s++) {
                ck_assert_double_eq_tol((double)posterior[t * keys + s], expected[s], CLOSE);
            }
        }
    }
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}

START_TEST(it_is_the_prior_times_what_each_position_adds_to_the_logit)
{
    check(&EVERY);
}
END_TEST

START_TEST(heads_can_be_chosen)
{
    check(&(struct tolk_head_set){{0, 3}});
    check(&(struct tolk_head_set){{2, 1}});
}
END_TEST

/* A position that alone fetches what makes y likely wins, however little was looked at it. */
START_TEST(overwhelming_evidence_is_no_overflow)
{
    struct tolk_model model;
    make(&model, true);
    for (size_t c = 0; c < D; c++) {
        model.weights.decoder_norm.weight[c] *= 1e5F;
    }
    struct tolk_workspace *workspace = attended(&model);
    tolk_transformer_posterior(&model, &batch, &EVERY, workspace);
    const real *const posterior = tolk_workspace_posterior(workspace, 0);
    for (size_t t = 0; t < 3; t++) {
        double sum = 0, most = 0;
        for (size_t s = 0; s < 5; s++) {
            sum += (double)posterior[t * 5 + s];
            most = fmax(most, (double)posterior[t * 5 + s]);
        }
        ck_assert_double_eq_tol(sum, 1, CLOSE);
        ck_assert_double_gt(most, 0.99);
    }
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}
END_TEST

START_TEST(threads_do_not_change_a_bit)
{
    struct tolk_model model;
    real one[5 * 3];
    make(&model, false); /* post-norm runs too */
    for (int threads = 1; threads <= 3; threads += 2) {
        omp_set_num_threads(threads);
        struct tolk_workspace *workspace = attended(&model);
        tolk_transformer_posterior(&model, &batch, &EVERY, workspace);
        if (threads == 1) {
            memcpy(one, tolk_workspace_posterior(workspace, 0), sizeof one);
        }
        ck_assert_mem_eq(one, tolk_workspace_posterior(workspace, 0), sizeof one);
        tolk_workspace_free(workspace);
    }
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("posterior", it_is_the_prior_times_what_each_position_adds_to_the_logit,
           heads_can_be_chosen, overwhelming_evidence_is_no_overflow, threads_do_not_change_a_bit)
