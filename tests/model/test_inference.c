/* The model on packed weights against the model itself. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/decoding.h"
#include "model/encoding.h"
#include "model/isa.h"
#include "model/transformer.h"

enum { VOCABULARY = 41, SOURCE_ROWS = 10, TARGET_ROWS = 8, SENTENCES = 3 };
static const size_t source_begin[] = {0, 5, 6, 10};
static const size_t target_begin[] = {0, 3, 7, 8};
static const int32_t source[] = {3, 7, 7, 2, 0, 0, 9, 4, 3, 0};
static const int32_t target_input[] = {40, 5, 3, 40, 8, 8, 1, 40};
static const struct tolk_batch batch = {SENTENCES,    source_begin, source, target_begin,
                                        target_input, target_input, NULL};

/* dim of a head 64, which vectors divide, or 12, which they do not. */
static void make(struct tolk_model *model, bool normalize_before, size_t d,
                 enum tolk_activation activation)
{
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = d;
    config.encoder_layers = config.decoder_layers = 2;
    config.encoder_attention_heads = config.decoder_attention_heads = 3;
    config.encoder_ffn_dim = 72;
    config.decoder_ffn_dim = 70;
    config.max_position_embeddings = 16;
    config.normalize_before = normalize_before;
    config.activation_function = activation;
    ck_assert_msg(tolk_model_create(model, &config, 1, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) {
        model->values[i] += (real)(0.05 * sin((double)(i * i % 1009)));
    }
}

/* The largest distance between the logits of each step and those of teacher forcing, over the
 * largest logit; and the cross-attention's. */
static double distance(const struct tolk_model *model, enum tolk_panels_format format)
{
    struct tolk_error error;
    struct tolk_workspace *workspace = tolk_workspace_create(model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_FORWARD, &error), 0);
    tolk_transformer_forward(model, &batch, NULL, workspace);
    const real *forced = tolk_workspace_logits(workspace);
    struct tolk_inference_weights *weights = tolk_inference_weights_make(model, format, &error);
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    struct tolk_decoding *decoding = tolk_decoding_create(weights, &error);
    const real *memory = tolk_encoding_run(encoding, &batch, &error);
    ck_assert_msg(memory != NULL, "%s", error.message);
    ck_assert_int_eq(tolk_decoding_begin(decoding, memory, &batch, SENTENCES, 4, &error), 0);
    double worst = 0;
    double largest = 0;
    size_t parents[SENTENCES] = {0, 1, 2};
    for (size_t step = 0; step < 4; step++) {
        int32_t tokens[SENTENCES];
        size_t sentences[SENTENCES];
        size_t now[SENTENCES] = {0};
        size_t rows = 0;
        for (size_t s = 0; s < SENTENCES; s++) {
            if (target_begin[s] + step < target_begin[s + 1]) {
                tokens[rows] = target_input[target_begin[s] + step];
                sentences[rows] = s;
                now[s] = rows;
                parents[rows] = parents[s];
                rows++;
            }
        }
        const real *logits = tolk_decoding_step(decoding, rows, tokens, sentences, parents);
        for (size_t r = 0; r < rows; r++) {
            const size_t s = sentences[r];
            const real *expected = forced + (target_begin[s] + step) * VOCABULARY;
            for (size_t c = 0; c < VOCABULARY; c++) {
                worst = fmax(worst, fabs((double)(logits[r * VOCABULARY + c] - expected[c])));
                largest = fmax(largest, fabs((double)expected[c]));
            }
            const size_t keys = source_begin[s + 1] - source_begin[s];
            const real *attention = tolk_workspace_attention(workspace, TOLK_CROSS, 1, s, 2);
            for (size_t j = 0; j < keys; j++) {
                const double off = (double)(tolk_decoding_cross_attention(decoding, 1, 2, r)[j] -
                                            attention[step * keys + j]);
                ck_assert_double_lt(fabs(off), format == TOLK_PANELS_REAL ? 1e-5 : 0.02);
            }
        }
        memcpy(parents, now, sizeof parents);
    }
    tolk_decoding_free(decoding);
    tolk_encoding_free(encoding);
    tolk_inference_weights_free(weights);
    tolk_workspace_free(workspace);
    return worst / largest;
}

static void on_each_model_and_isa(enum tolk_panels_format format, double least, double most)
{
    static const size_t sizes[] = {192, 36};
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count * 4; i++) {
        struct tolk_model model;
        make(&model, i % 2 == 0, sizes[i / 2 % 2], i % 2 == 0 ? TOLK_RELU : TOLK_SWISH);
        ck_assert_int_eq(tolk_isa_choose(list[i / 4]->name, NULL), 0);
        const double off = distance(&model, format);
        ck_assert_msg(off >= least && off <= most, "%s, model %zu: %g", list[i / 4]->name, i % 4,
                      off);
        tolk_model_free(&model);
    }
}

START_TEST(steps_on_packed_weights_are_teacher_forcing)
{
    on_each_model_and_isa(TOLK_PANELS_REAL, 0, 1e-5);
}
END_TEST

START_TEST(steps_in_8_bit_integers_come_near)
{
    on_each_model_and_isa(TOLK_PANELS_INT8, 1e-5, 0.05);
}
END_TEST

START_TEST(a_refresh_takes_over_new_values)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true, 192, TOLK_RELU);
    for (int format = TOLK_PANELS_REAL; format <= TOLK_PANELS_INT8; format++) {
        struct tolk_inference_weights *weights =
            tolk_inference_weights_make(&model, (enum tolk_panels_format)format, &error);
        struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
        const size_t size = SOURCE_ROWS * 192 * sizeof(real);
        real *before = malloc(size);
        real *stale = malloc(size);
        memcpy(before, tolk_encoding_run(encoding, &batch, &error), size);
        real *changed = model.weights.encoder[1].feed_forward.fc2.weight;
        changed[3] += 1;
        memcpy(stale, tolk_encoding_run(encoding, &batch, &error), size);
        ck_assert_mem_eq(before, stale, size);
        tolk_inference_weights_refresh(weights);
        ck_assert(memcmp(before, tolk_encoding_run(encoding, &batch, &error), size) != 0);
        free(before);
        free(stale);
        tolk_encoding_free(encoding);
        tolk_inference_weights_free(weights);
    }
    tolk_model_free(&model);
}
END_TEST

/* The first step of all sentences. */
static const int32_t first_tokens[SENTENCES] = {1, 2, 3};
static const size_t first_sentences[SENTENCES] = {0, 1, 2};

/* All that depends on the source, by such weights: its encoding and the keys of a decoding. */
static struct tolk_decoding *decoding_of(struct tolk_inference_weights *weights)
{
    struct tolk_error error;
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    struct tolk_decoding *decoding = tolk_decoding_create(weights, &error);
    const real *memory = tolk_encoding_run(encoding, &batch, &error);
    ck_assert_int_eq(tolk_decoding_begin(decoding, memory, &batch, SENTENCES, 4, &error), 0);
    tolk_encoding_free(encoding);
    return decoding;
}

static void first_logits(struct tolk_inference_weights *weights, real *logits)
{
    struct tolk_decoding *decoding = decoding_of(weights);
    memcpy(logits,
           tolk_decoding_step(decoding, SENTENCES, first_tokens, first_sentences, first_sentences),
           sizeof(real) * SENTENCES * VOCABULARY);
    tolk_decoding_free(decoding);
}

/* The greatest of the first logits by a screening of the same weights; returns the first row's. */
static int32_t check_greatest(struct tolk_inference_weights *weights)
{
    real logits[SENTENCES * VOCABULARY];
    first_logits(weights, logits);
    struct tolk_decoding *decoding = decoding_of(weights);
    const struct tolk_greatest *found = tolk_decoding_step_greatest(
        decoding, -1, SENTENCES, first_tokens, first_sentences, first_sentences);
    for (size_t r = 0; r < SENTENCES; r++) {
        for (size_t id = 0; id < VOCABULARY; id++) {
            ck_assert(logits[r * VOCABULARY + id] <= found[r].logit);
        }
        ck_assert(logits[r * VOCABULARY + (size_t)found[r].id] == found[r].logit);
    }
    const int32_t first = found[0].id;
    tolk_decoding_free(decoding);
    return first;
}

START_TEST(a_refresh_screens_new_values)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true, 192, TOLK_RELU);
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    tolk_inference_weights_screen(weights);
    const int32_t before = check_greatest(weights);
    for (size_t i = 0; i < 192; i++) {
        model.weights.shared[30 * 192 + i] = 3 * model.weights.shared[(size_t)before * 192 + i];
    }
    tolk_inference_weights_refresh(weights);
    ck_assert_int_eq(check_greatest(weights), 30);
    tolk_inference_weights_free(weights);
    tolk_model_free(&model);
}
END_TEST

START_TEST(what_is_packed_later_gives_the_same_bits)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true, 192, TOLK_RELU);
    real expected[SENTENCES * VOCABULARY], found[SENTENCES * VOCABULARY];
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    first_logits(weights, expected);
    tolk_inference_weights_free(weights);
    const enum tolk_inference_packing packings[] = {TOLK_PACKED_TARGET, TOLK_PACKED_LAYERS,
                                                    TOLK_PACKED_NONE};
    for (size_t i = 0; i < 3; i++) {
        weights = tolk_inference_weights_make_partly(&model, TOLK_PANELS_REAL, packings[i], &error);
        const struct tolk_layer_panels *encoder = weights->encoder, *decoder = weights->decoder;
        const bool none = packings[i] == TOLK_PACKED_NONE;
        ck_assert_ptr_nonnull(encoder[1].feed_forward.fc2.deferred);
        ck_assert_ptr_nonnull(decoder[1].cross.kv.deferred);
        ck_assert_int_eq(decoder[1].cross.qkv.deferred != NULL, none);
        ck_assert_int_eq(weights->projection.deferred != NULL, packings[i] != TOLK_PACKED_TARGET);
        first_logits(weights, found);
        ck_assert_mem_eq(found, expected, sizeof found);
        tolk_inference_weights_complete(weights);
        ck_assert_ptr_null(encoder[1].feed_forward.fc2.deferred);
        ck_assert_ptr_null(decoder[1].cross.kv.deferred);
        ck_assert_ptr_null(decoder[1].cross.qkv.deferred);
        ck_assert_ptr_null(weights->projection.deferred);
        first_logits(weights, found);
        ck_assert_mem_eq(found, expected, sizeof found);
        tolk_inference_weights_free(weights);
    }
    tolk_model_free(&model);
}
END_TEST

START_TEST(a_source_longer_than_the_positions_is_an_error)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true, 36, TOLK_RELU);
    const size_t begin[] = {0, 17};
    const int32_t ids[17] = {0};
    const struct tolk_batch long_one = {.sentences = 1, .source_begin = begin, .source = ids};
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    ck_assert_ptr_null(tolk_encoding_run(encoding, &long_one, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "17 pieces, the model has 16"));
    tolk_encoding_free(encoding);
    tolk_inference_weights_free(weights);
    tolk_model_free(&model);
}
END_TEST

/* Twelve rows of two sentences as a tree: the places that they continue, in order of the steps. */
enum { TREE_ROWS = 12, TREE_STEPS = 4, NOWHERE = -1 };
static const int tree_parents[TREE_ROWS] = {NOWHERE, NOWHERE, 0, 0, 1, 2, 2, 3, 4, 6, 5, 8};
static const size_t tree_begin[TREE_STEPS + 1] = {0, 2, 5, 9, 12};

/* The logits of the tree by steps, and by one pass of the places of a decoding that drafted them in
 * 8-bit integers first. */
static void grow_tree(const struct tolk_model *model, real *by_steps, real *at_once)
{
    struct tolk_error error;
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(model, TOLK_PANELS_REAL, &error);
    struct tolk_inference_weights *quick =
        tolk_inference_weights_make_draft(model, TOLK_PANELS_INT8, &error);
    struct tolk_encoding *encoding = tolk_encoding_create(weights, &error);
    struct tolk_decoding *steps = tolk_decoding_create(weights, &error);
    struct tolk_decoding *tree = tolk_decoding_create(weights, &error);
    const real *memory = tolk_encoding_run(encoding, &batch, &error);
    ck_assert_int_eq(tolk_decoding_begin(steps, memory, &batch, 4, TREE_STEPS, &error), 0);
    ck_assert_int_eq(
        tolk_decoding_begin_tree(tree, memory, &batch, TREE_ROWS, TREE_STEPS, TREE_ROWS, &error),
        0);
    real *drafted = malloc(TREE_ROWS * VOCABULARY * sizeof *drafted);
    size_t places[TREE_ROWS];
    size_t sentences[TREE_ROWS];
    int32_t tokens[TREE_ROWS];
    size_t before = 0;
    for (size_t step = 0; step < TREE_STEPS; step++) {
        const size_t first = tree_begin[step];
        const size_t rows = tree_begin[step + 1] - first;
        size_t parents[TREE_ROWS];
        for (size_t r = first; r < first + rows; r++) {
            const bool root = tree_parents[r] == NOWHERE;
            tokens[r] = root ? 40 : (int32_t)(3 * r % 38);
            sentences[r] = root ? 2 * r : sentences[tree_parents[r]];
            parents[r - first] = root ? 0 : (size_t)tree_parents[r] - before;
            places[r] = tolk_decoding_add(tree, tokens[r], sentences[r],
                                          root ? TOLK_DECODING_ROOT : places[tree_parents[r]]);
        }
        memcpy(by_steps + first * VOCABULARY,
               tolk_decoding_step(steps, rows, tokens + first, sentences + first, parents),
               rows * VOCABULARY * sizeof *by_steps);
        tolk_decoding_evaluate(tree, quick, rows, places + first, drafted);
        before = first;
    }
    tolk_decoding_evaluate(tree, weights, TREE_ROWS, places, at_once);
    free(drafted);
    tolk_decoding_free(tree);
    tolk_decoding_free(steps);
    tolk_encoding_free(encoding);
    tolk_inference_weights_free(quick);
    tolk_inference_weights_free(weights);
}

START_TEST(a_tree_at_once_gives_the_bits_of_its_steps)
{
    static const size_t sizes[] = {192, 36};
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    const size_t size = TREE_ROWS * VOCABULARY * sizeof(real);
    real *by_steps = malloc(size);
    real *at_once = malloc(size);
    for (size_t i = 0; i < count * 2; i++) {
        struct tolk_model model;
        make(&model, i % 2 == 0, sizes[i % 2], TOLK_RELU);
        ck_assert_int_eq(tolk_isa_choose(list[i / 2]->name, NULL), 0);
        grow_tree(&model, by_steps, at_once);
        ck_assert_msg(memcmp(by_steps, at_once, size) == 0, "%s, model %zu", list[i / 2]->name,
                      i % 2);
        tolk_model_free(&model);
    }
    free(by_steps);
    free(at_once);
}
END_TEST

TOLK_SUITE("inference", steps_on_packed_weights_are_teacher_forcing,
           steps_in_8_bit_integers_come_near, a_refresh_takes_over_new_values,
           a_refresh_screens_new_values, what_is_packed_later_gives_the_same_bits,
           a_tree_at_once_gives_the_bits_of_its_steps,
           a_source_longer_than_the_positions_is_an_error)
