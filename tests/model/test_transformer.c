/* What must hold for the whole model whatever its weights are. */
#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/decoding.h"
#include "model/isa.h"
#include "model/model.h"
#include "model/transformer.h"
#include "tests/support/three_sentences.h"

static struct tolk_config small(bool normalize_before)
{
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = 32;
    config.encoder_layers = config.decoder_layers = 2;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 64;
    config.max_position_embeddings = 16;
    config.normalize_before = normalize_before;
    return config;
}

static void make(struct tolk_model *model, bool normalize_before)
{
    struct tolk_error error;
    const struct tolk_config config = small(normalize_before);
    ck_assert_msg(tolk_model_create(model, &config, 1, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) {
        model->values[i] +=
            (real)(0.05 * tolk_random_normal(tolk_random_key(9, 1, 1), (uint32_t)i));
    }
}

/* The logits of a batch in fresh memory. */
static real *logits_of(const struct tolk_model *model, const struct tolk_batch *of)
{
    struct tolk_error error;
    const size_t size = tolk_batch_target_rows(of) * VOCABULARY * sizeof(real);
    struct tolk_workspace *workspace = tolk_workspace_create(model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, of, TOLK_FORWARD, &error), 0);
    tolk_transformer_forward(model, of, NULL, workspace);
    real *logits = malloc(size);
    memcpy(logits, tolk_workspace_logits(workspace), size);
    tolk_workspace_free(workspace);
    return logits;
}

static void assert_rows_equal(const real *a, const real *b, size_t rows, double tolerance)
{
    for (size_t i = 0; i < rows * VOCABULARY; i++) {
        ck_assert_double_eq_tol((double)a[i], (double)b[i], tolerance);
    }
}

static void check_future(bool pre_norm)
{
    struct tolk_model model;
    make(&model, pre_norm);
    real *before = logits_of(&model, &batch);
    int32_t changed[TARGET_ROWS];
    memcpy(changed, target_input, sizeof changed);
    changed[6] = 30; /* the last input of the second sentence */
    struct tolk_batch other = batch;
    other.target_input = changed;
    real *after = logits_of(&model, &other);
    ck_assert_mem_eq(before, after, 6 * VOCABULARY * sizeof(real));
    ck_assert_mem_ne(before + 6 * VOCABULARY, after + 6 * VOCABULARY, VOCABULARY * sizeof(real));
    ck_assert_mem_eq(before + 7 * VOCABULARY, after + 7 * VOCABULARY, VOCABULARY * sizeof(real));
    free(before);
    free(after);
    tolk_model_free(&model);
}

START_TEST(future_tokens_change_nothing)
{
    check_future(true);
    check_future(false);
}
END_TEST

START_TEST(a_sentence_is_the_same_alone_and_in_a_batch)
{
    struct tolk_model model;
    make(&model, true);
    real *together = logits_of(&model, &batch);
    for (size_t s = 0; s < batch.sentences; s++) {
        const size_t source_rows[] = {0, source_begin[s + 1] - source_begin[s]};
        const size_t target_rows[] = {0, target_begin[s + 1] - target_begin[s]};
        const struct tolk_batch alone = {
            1,
            source_rows,
            source + source_begin[s],
            target_rows,
            target_input + target_begin[s],
            target_output + target_begin[s],
            NULL,
        };
        real *single = logits_of(&model, &alone);
        assert_rows_equal(single, together + target_begin[s] * VOCABULARY, target_rows[1], 2e-6);
        free(single);
    }
    free(together);
    tolk_model_free(&model);
}
END_TEST

/* Layers share their room where no backward pass comes: the numbers must not tell. */
static void check_purposes(bool pre_norm)
{
    enum { PURPOSES = 4 };
    static const enum tolk_purpose purposes[] = {TOLK_ATTENTION, TOLK_FORWARD, TOLK_INSPECTION,
                                                 TOLK_TRAINING};
    static const size_t rows[][2] = {{5, 5}, {4, 4}, {3, 5}}; /* largest block of each kind */
    struct tolk_error error;
    struct tolk_model model;
    make(&model, pre_norm);
    struct tolk_workspace *workspaces[PURPOSES];
    for (size_t p = 0; p < PURPOSES; p++) {
        workspaces[p] = tolk_workspace_create(&model, &error);
        ck_assert_int_eq(tolk_workspace_reserve(workspaces[p], &batch, purposes[p], &error), 0);
        if (purposes[p] == TOLK_ATTENTION) {
            tolk_transformer_attend(&model, &batch, workspaces[p]);
        } else {
            tolk_transformer_forward(&model, &batch, NULL, workspaces[p]);
        }
    }
    for (size_t p = 1; p < PURPOSES - 1; p++) {
        ck_assert_mem_eq(tolk_workspace_logits(workspaces[p]), tolk_workspace_logits(workspaces[3]),
                         TARGET_ROWS * VOCABULARY * sizeof(real));
    }
    for (enum tolk_attention_kind kind = TOLK_ENCODER_SELF; kind <= TOLK_CROSS; kind++) {
        const size_t sentence = kind == TOLK_DECODER_SELF ? 1 : 0;
        for (size_t layer = 0; layer < 2; layer++) {
            const real *trained = tolk_workspace_attention(workspaces[3], kind, layer, sentence, 1);
            for (size_t p = 0; p < PURPOSES - 1; p++) {
                ck_assert_mem_eq(tolk_workspace_attention(workspaces[p], kind, layer, sentence, 1),
                                 trained, rows[kind][0] * rows[kind][1] * sizeof(real));
            }
        }
    }
    for (size_t p = 0; p < PURPOSES; p++) {
        tolk_workspace_free(workspaces[p]);
    }
    tolk_model_free(&model);
}

START_TEST(every_purpose_gives_the_same_numbers)
{
    check_purposes(true);
    check_purposes(false);
}
END_TEST

/* Steps through the targets of the batch, all three sentences at once while they last. */
static void check_steps(bool pre_norm)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, pre_norm);
    real *forced = logits_of(&model, &batch);
    struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    struct tolk_decoding *decoding = tolk_decoding_create(weights, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_FORWARD, &error), 0);
    const real *memory = tolk_transformer_encode(&model, &batch, workspace);
    ck_assert_int_eq(tolk_decoding_begin(decoding, memory, &batch, 3, 4, &error), 0);
    size_t last[3] = {0, 1, 2}; /* the sentence of each row of the step before */
    size_t last_rows = 3;
    for (size_t step = 0; step < 4; step++) {
        int32_t tokens[3];
        size_t sentences[3], parents[3], rows = 0;
        for (size_t r = 0; r < last_rows; r++) {
            const size_t row = target_begin[last[r]] + step;
            if (row < target_begin[last[r] + 1]) {
                tokens[rows] = target_input[row];
                sentences[rows] = last[r];
                parents[rows++] = r;
            }
        }
        const real *logits = tolk_decoding_step(decoding, rows, tokens, sentences, parents);
        for (size_t r = 0; r < rows; r++) {
            assert_rows_equal(logits + r * VOCABULARY,
                              forced + (target_begin[sentences[r]] + step) * VOCABULARY, 1, 2e-6);
        }
        memcpy(last, sentences, sizeof last);
        last_rows = rows;
    }
    tolk_decoding_free(decoding);
    tolk_inference_weights_free(weights);
    tolk_workspace_free(workspace);
    free(forced);
    tolk_model_free(&model);
}

START_TEST(cached_steps_equal_teacher_forcing)
{
    check_steps(true);
    check_steps(false);
}
END_TEST

START_TEST(attention_rows_sum_to_one)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true);
    struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_FORWARD, &error), 0);
    tolk_transformer_forward(&model, &batch, NULL, workspace);
    const real *cross = tolk_workspace_attention(workspace, TOLK_CROSS, 1, 1, 2);
    const real *causal = tolk_workspace_attention(workspace, TOLK_DECODER_SELF, 0, 1, 3);
    const size_t queries = 4;
    ck_assert_double_eq_tol((double)cross[0], 1.0, 1e-6); /* the sentence has one source token */
    for (size_t i = 0; i < queries; i++) {
        double sum = 0;
        for (size_t j = 0; j < queries; j++) {
            sum += (double)causal[i * queries + j];
            ck_assert(j <= i || causal[i * queries + j] == 0);
        }
        ck_assert_double_eq_tol(sum, 1.0, 1e-6);
    }
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}
END_TEST

/* A batch large enough that every layer divides its work: gradients of one training step. */
static real *gradients_with(int threads)
{
    enum { MANY = 60, LENGTH = 13 };
    struct tolk_error error;
    struct tolk_model model;
    const struct tolk_dropout dropout = {4, 2};
    static size_t begin[MANY + 1];
    static int32_t ids[MANY * LENGTH];
    for (size_t s = 0; s <= MANY; s++) {
        begin[s] = s * LENGTH;
    }
    for (size_t i = 0; i < MANY * LENGTH; i++) {
        ids[i] = (int32_t)tolk_random_below(tolk_random_key(1, 2, 3), (uint32_t)i, VOCABULARY - 1);
    }
    const struct tolk_batch large = {MANY, begin, ids, begin, ids, ids, NULL};
    omp_set_num_threads(threads);
    make(&model, true);
    struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
    real *values = calloc(model.layout.size, sizeof *values);
    struct tolk_weights gradients;
    ck_assert_int_eq(tolk_weights_bind(&gradients, &model.config, values, &error), 0);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &large, TOLK_TRAINING, &error), 0);
    tolk_transformer_forward(&model, &large, &dropout, workspace);
    tolk_transformer_loss(&model, &large, 0.1, workspace);
    tolk_transformer_backward(&model, &large, &dropout, 0.01, workspace, &gradients);
    tolk_weights_free(&gradients);
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
    return values;
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    struct tolk_model model;
    make(&model, true);
    const size_t size = model.layout.size * sizeof(real);
    tolk_model_free(&model);
    real *one = gradients_with(1);
    for (int threads = 2; threads <= 4; threads++) {
        real *more = gradients_with(threads);
        ck_assert_mem_eq(one, more, size);
        free(more);
    }
    free(one);
}
END_TEST

START_TEST(every_instruction_set_gives_the_same_logits)
{
    struct tolk_error error;
    struct tolk_model model;
    const struct tolk_isa *const *available;
    const size_t count = tolk_isa_available(&available);
    make(&model, true);
    ck_assert_int_eq(tolk_isa_choose(available[0]->name, &error), 0);
    real *baseline = logits_of(&model, &batch);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tolk_isa_choose(available[i]->name, &error), 0);
        real *logits = logits_of(&model, &batch);
        assert_rows_equal(logits, baseline, TARGET_ROWS, 1e-5);
        free(logits);
    }
    free(baseline);
    tolk_model_free(&model);
}
END_TEST

START_TEST(a_sentence_beyond_the_positions_is_an_error)
{
    struct tolk_error error;
    struct tolk_model model;
    make(&model, true);
    const size_t rows[] = {0, 17};
    const int32_t ids[17] = {0};
    const struct tolk_batch long_one = {1, rows, ids, rows, ids, ids, NULL};
    struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &long_one, TOLK_FORWARD, &error), -1);
    ck_assert_str_eq(error.message, "sentence 0 of the batch has 17 pieces, more than 16");
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("transformer", future_tokens_change_nothing, a_sentence_is_the_same_alone_and_in_a_batch,
           every_purpose_gives_the_same_numbers, cached_steps_equal_teacher_forcing,
           attention_rows_sum_to_one, any_number_of_threads_gives_the_same_bits,
           every_instruction_set_gives_the_same_logits, a_sentence_beyond_the_positions_is_an_error)
