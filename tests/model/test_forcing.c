/* The decoder on packed weights with the target given, against the model itself. */
#include "tests/support/suite.h"

#include <math.h>

#include "model/encoding.h"
#include "model/forcing.h"
#include "model/isa.h"
#include "tests/support/three_sentences.h"

enum { LAYERS = 3, HEADS = 3 };
static const struct tolk_head_set EVERY = {{7, 7, 7}};

static void make(struct tolk_model *model, bool pre_norm)
{
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = 36;
    config.encoder_layers = 2;
    config.decoder_layers = LAYERS;
    config.encoder_attention_heads = config.decoder_attention_heads = HEADS;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 70;
    config.max_position_embeddings = 16;
    config.normalize_before = pre_norm;
    ck_assert_msg(tolk_model_create(model, &config, 1, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) {
        model->values[i] += (real)(0.05 * sin((double)(i * i % 1009)));
    }
}

/* The largest distance between two [target rows, source rows] of a sentence. */
static double apart(const real *a, const real *b, size_t sentence)
{
    const size_t pairs = (target_begin[sentence + 1] - target_begin[sentence]) *
                         (source_begin[sentence + 1] - source_begin[sentence]);
    double most = 0;
    for (size_t i = 0; i < pairs; i++) {
        most = fmax(most, fabs((double)(a[i] - b[i])));
    }
    return most;
}

/* The largest distance of the first `layers` layers' attention from the model's, or of the
 * posterior with all of them. */
static double distance(const struct tolk_model *model, enum tolk_panels_format format,
                       size_t layers)
{
    struct tolk_error error;
    struct tolk_workspace *workspace = tolk_workspace_create(model, &error);
    struct tolk_inference_weights *weights = tolk_inference_weights_make(model, format, &error);
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    struct tolk_forcing *forcing = tolk_forcing_create(weights, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_ATTENTION, &error), 0);
    tolk_transformer_attend(model, &batch, workspace);
    const real *memory = tolk_encoding_run(encoding, &batch, &error);
    ck_assert_msg(memory != NULL, "%s", error.message);
    ck_assert_int_eq(tolk_forcing_run(forcing, memory, &batch, layers, &error), 0);
    double most = 0;
    for (size_t s = 0; s < batch.sentences; s++) {
        for (size_t l = 0; l < layers; l++) {
            for (size_t h = 0; h < HEADS; h++) {
                most =
                    fmax(most, apart(tolk_forcing_attention(forcing, l, s, h),
                                     tolk_workspace_attention(workspace, TOLK_CROSS, l, s, h), s));
            }
        }
    }
    if (layers == LAYERS) {
        tolk_transformer_posterior(model, &batch, &EVERY, workspace);
        tolk_forcing_posterior(forcing, &batch, &EVERY);
        for (size_t s = 0; s < batch.sentences; s++) {
            most = fmax(most, apart(tolk_forcing_posterior_weights(forcing, s),
                                    tolk_workspace_posterior(workspace, s), s));
        }
    }
    tolk_forcing_free(forcing);
    tolk_encoding_free(encoding);
    tolk_inference_weights_free(weights);
    tolk_workspace_free(workspace);
    return most;
}

static void on_each_isa(enum tolk_panels_format format, double least, double most)
{
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count * 2; i++) {
        struct tolk_model model;
        make(&model, i % 2 == 0);
        ck_assert_int_eq(tolk_isa_choose(list[i / 2]->name, NULL), 0);
        for (size_t layers = 1; layers <= LAYERS; layers++) {
            const double off = distance(&model, format, layers);
            ck_assert_msg(off >= least && off <= most, "%s, %zu layers: %g", list[i / 2]->name,
                          layers, off);
        }
        tolk_model_free(&model);
    }
}

START_TEST(attention_is_the_models)
{
    on_each_isa(TOLK_PANELS_REAL, 0, 1e-5);
}
END_TEST

START_TEST(in_8_bit_integers_it_comes_near)
{
    on_each_isa(TOLK_PANELS_INT8, 1e-6, 0.03);
}
END_TEST

START_TEST(a_sentence_beyond_the_positions_is_refused)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true);
    model.config.max_position_embeddings = 3;
    static const size_t short_sources[] = {0, 1, 2, 3};
    const struct tolk_batch long_target = {
        3, short_sources, source, target_begin, target_input, target_output};
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    struct tolk_forcing *forcing = tolk_forcing_create(weights, &error);
    const real *memory = tolk_encoding_run(encoding, &long_target, &error);
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_eq(tolk_forcing_run(forcing, memory, &long_target, 1, &error), -1);
    ck_assert_str_eq(error.message, "a target sentence of 4 pieces, the model has 3 positions");
    tolk_forcing_free(forcing);
    tolk_encoding_free(encoding);
    tolk_inference_weights_free(weights);
    model.config.max_position_embeddings = 16;
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("forcing", attention_is_the_models, in_8_bit_integers_it_comes_near,
           a_sentence_beyond_the_positions_is_refused)
