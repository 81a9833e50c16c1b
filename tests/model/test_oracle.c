/* The same weights in `transformers` give the same numbers: tests/oracle/make_fixtures.py made the
 * fixtures. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/decoding.h"
#include "model/floats.h"
#include "model/guide.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "model/transformer.h"

enum { GREEDY_STEPS = 12, GUIDED_LAYER = 1, GUIDED_HEAD = 2 }; /* as in make_fixtures.py */
static const double guided_scale = 0.3;
static const double label_smoothing = 0.1;
static const double absolute_tolerance = 1e-4;
static const double gradient_tolerance = 1e-3; /* of the tensor's largest */
/* The gradient of a key's bias is zero in theory (softmax ignores what is added to all keys), so
 * that there is nothing but rounding to compare. */
static const double gradient_floor = 2e-6;

struct oracle {
    struct tolk_model model;
    struct tolk_safetensors expected;
    struct tolk_batch batch;
    struct tolk_workspace *workspace;
};

static struct tolk_error error;

static const struct tolk_safetensor *stored(const struct oracle *oracle, const char *name)
{
    const struct tolk_safetensor *item = tolk_safetensors_find(&oracle->expected, name);
    ck_assert_msg(item != NULL, "the fixture has no %s", name);
    return item;
}

static size_t size_of(const struct tolk_safetensor *item)
{
    size_t size = 1;
    for (size_t i = 0; i < item->rank; i++) {
        size *= item->shape[i];
    }
    return size;
}

/* A tensor of the fixture, in fresh memory. */
static real *stored_reals(const struct oracle *oracle, const char *name, size_t size)
{
    const struct tolk_safetensor *item = stored(oracle, name);
    ck_assert_msg(size_of(item) == size, "%s: %zu numbers in the fixture, %zu expected", name,
                  size_of(item), size);
    real *values = malloc(size * sizeof *values);
    ck_assert_ptr_nonnull(values);
    tolk_floats_read(values, oracle->expected.data + item->begin, item->dtype, size);
    return values;
}

static int64_t stored_integer(const struct oracle *oracle, const struct tolk_safetensor *item,
                              size_t i)
{
    int64_t value;
    ck_assert_str_eq(item->dtype, "I64");
    memcpy(&value, oracle->expected.data + item->begin + i * sizeof value, sizeof value);
    return value;
}

static int32_t *stored_ids(const struct oracle *oracle, const char *name)
{
    const struct tolk_safetensor *item = stored(oracle, name);
    int32_t *ids = malloc(size_of(item) * sizeof *ids);
    ck_assert_ptr_nonnull(ids);
    for (size_t i = 0; i < size_of(item); i++) {
        ids[i] = (int32_t)stored_integer(oracle, item, i);
    }
    return ids;
}

static size_t *stored_begins(const struct oracle *oracle, const char *name)
{
    const struct tolk_safetensor *item = stored(oracle, name);
    size_t *begins = malloc(size_of(item) * sizeof *begins);
    ck_assert_ptr_nonnull(begins);
    for (size_t i = 0; i < size_of(item); i++) {
        begins[i] = (size_t)stored_integer(oracle, item, i);
    }
    return begins;
}

static void begin(struct oracle *oracle, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", tolk_fixture("oracle"), name);
    ck_assert_msg(tolk_model_load(&oracle->model, path, &error) == 0, "%s", error.message);
    strcat(path, "/expected.safetensors");
    ck_assert_msg(tolk_safetensors_open(&oracle->expected, path, &error) == 0, "%s", error.message);
    oracle->batch = (struct tolk_batch){
        .sentences = size_of(stored(oracle, "source_begin")) - 1,
        .source_begin = stored_begins(oracle, "source_begin"),
        .source = stored_ids(oracle, "source"),
        .target_begin = stored_begins(oracle, "target_begin"),
        .target_input = stored_ids(oracle, "target_input"),
        .target_output = stored_ids(oracle, "target_output"),
    };
    oracle->workspace = tolk_workspace_create(&oracle->model, &error);
    ck_assert_ptr_nonnull(oracle->workspace);
    ck_assert_int_eq(
        tolk_workspace_reserve(oracle->workspace, &oracle->batch, TOLK_TRAINING, &error), 0);
}

static void end(struct oracle *oracle)
{
    tolk_workspace_free(oracle->workspace);
    free((void *)(uintptr_t)oracle->batch.source_begin);
    free((void *)(uintptr_t)oracle->batch.source);
    free((void *)(uintptr_t)oracle->batch.target_begin);
    free((void *)(uintptr_t)oracle->batch.target_input);
    free((void *)(uintptr_t)oracle->batch.target_output);
    tolk_safetensors_close(&oracle->expected);
    tolk_model_free(&oracle->model);
}

/* The largest distance from the fixture's tensor is at most absolute + relative · its largest. */
static void compare(const struct oracle *oracle, const char *name, const real *found, size_t size,
                    double absolute, double relative)
{
    real *expected = stored_reals(oracle, name, size);
    double largest = 0;
    double distance = 0;
    size_t worst = 0;
    for (size_t i = 0; i < size; i++) {
        const double apart = fabs((double)(found[i] - expected[i]));
        largest = fmax(largest, fabs((double)expected[i]));
        if (!(apart <= distance)) {
            distance = apart;
            worst = i;
        }
    }
    ck_assert_msg(distance <= absolute + relative * largest,
                  "%s/%s[%zu]: expected %g, found %g (largest %g)",
                  oracle->model.config.normalize_before ? "pegasus" : "marian", name, worst,
                  (double)expected[worst], (double)found[worst], largest);
    free(expected);
}

static void check_attention(const struct oracle *oracle, const char *prefix,
                            enum tolk_attention_kind kind, size_t layers, size_t heads)
{
    const struct tolk_batch *batch = &oracle->batch;
    for (size_t layer = 0; layer < layers; layer++) {
        for (size_t s = 0; s < batch->sentences; s++) {
            const size_t source = batch->source_begin[s + 1] - batch->source_begin[s];
            const size_t target = batch->target_begin[s + 1] - batch->target_begin[s];
            const size_t size = (kind == TOLK_ENCODER_SELF ? source : target) *
                                (kind == TOLK_DECODER_SELF ? target : source);
            char name[64];
            snprintf(name, sizeof name, "attention.%s.%zu.%zu", prefix, layer, s);
            real *found = malloc(heads * size * sizeof *found);
            for (size_t head = 0; head < heads; head++) {
                const real *weights =
                    tolk_workspace_attention(oracle->workspace, kind, layer, s, head);
                memcpy(found + head * size, weights, size * sizeof *found);
            }
            compare(oracle, name, found, heads * size, absolute_tolerance, 0);
            free(found);
        }
    }
}

static void check_forward(const struct oracle *oracle)
{
    const struct tolk_config *config = &oracle->model.config;
    const real *memory = tolk_transformer_encode(&oracle->model, &oracle->batch, oracle->workspace);
    compare(oracle, "encoder", memory, tolk_batch_source_rows(&oracle->batch) * config->d_model,
            absolute_tolerance, 0);
    tolk_transformer_forward(&oracle->model, &oracle->batch, NULL, oracle->workspace);
    compare(oracle, "logits", tolk_workspace_logits(oracle->workspace),
            tolk_batch_target_rows(&oracle->batch) * config->vocab_size, absolute_tolerance, 0);
    check_attention(oracle, "encoder", TOLK_ENCODER_SELF, config->encoder_layers,
                    config->encoder_attention_heads);
    check_attention(oracle, "decoder", TOLK_DECODER_SELF, config->decoder_layers,
                    config->decoder_attention_heads);
    check_attention(oracle, "cross", TOLK_CROSS, config->decoder_layers,
                    config->decoder_attention_heads);
}

/* The loss of the oracle's batch, and all gradients against those of the fixture. */
static struct tolk_loss compare_gradients(const struct oracle *oracle)
{
    const struct tolk_model *model = &oracle->model;
    real *arena = calloc(model->layout.size, sizeof *arena);
    struct tolk_weights gradients;
    ck_assert_ptr_nonnull(arena);
    ck_assert_int_eq(tolk_weights_bind(&gradients, &model->config, arena, &error), 0);
    tolk_transformer_forward(model, &oracle->batch, NULL, oracle->workspace);
    const struct tolk_loss loss =
        tolk_transformer_loss(model, &oracle->batch, label_smoothing, oracle->workspace);
    ck_assert_uint_eq(loss.tokens, tolk_batch_target_rows(&oracle->batch));
    tolk_transformer_backward(model, &oracle->batch, NULL, 1.0 / (double)loss.tokens,
                              oracle->workspace, &gradients);
    for (size_t i = 0; i < model->layout.count; i++) {
        const struct tolk_tensor *tensor = &model->layout.tensors[i];
        char name[TOLK_TENSOR_NAME_BYTES + 16];
        snprintf(name, sizeof name, "gradient.%s", tensor->name);
        compare(oracle, name, arena + tensor->offset, tensor->size, gradient_floor,
                gradient_tolerance);
    }
    tolk_weights_free(&gradients);
    free(arena);
    return loss;
}

static void check_gradients(const struct oracle *oracle)
{
    const struct tolk_loss loss = compare_gradients(oracle);
    const real smoothed = (real)loss.smoothed;
    const real negative_log_likelihood = (real)loss.negative_log_likelihood;
    compare(oracle, "smoothed", &smoothed, 1, absolute_tolerance, 0);
    compare(oracle, "negative_log_likelihood", &negative_log_likelihood, 1, absolute_tolerance, 0);
}

/* The same batch with a guide, from the fixture's other file. */
static void check_guided(struct oracle *oracle)
{
    const struct tolk_safetensors plain = oracle->expected;
    char path[4300];
    snprintf(path, sizeof path, "%s/%s/guided.safetensors", tolk_fixture("oracle"),
             oracle->model.config.normalize_before ? "pegasus" : "marian");
    ck_assert_msg(tolk_safetensors_open(&oracle->expected, path, &error) == 0, "%s", error.message);
    size_t *begins = stored_begins(oracle, "begin");
    uint32_t *keys = (uint32_t *)stored_ids(oracle, "keys");
    const struct tolk_guide guide = {.layer = GUIDED_LAYER,
                                     .head = GUIDED_HEAD,
                                     .scale = guided_scale,
                                     .begin = begins,
                                     .keys = keys};
    oracle->batch.guide = &guide;
    const struct tolk_loss loss = compare_gradients(oracle);
    const real guided = (real)loss.guided;
    compare(oracle, "loss", &guided, 1, absolute_tolerance, 0);
    ck_assert_uint_gt(loss.guided_rows, 0);
    ck_assert_uint_lt(loss.guided_rows, loss.tokens);
    tolk_safetensors_close(&oracle->expected);
    oracle->expected = plain;
    free(begins);
    free(keys);
}

/* The best id but pad. */
static int32_t best_id(const real *logits, const struct tolk_config *config)
{
    int32_t best = config->eos_token_id;
    for (int32_t id = 0; id < (int32_t)config->vocab_size; id++) {
        if (id != config->pad_token_id && logits[id] > logits[best]) {
            best = id;
        }
    }
    return best;
}

/* All sentences side by side; one that ended leaves the batch. */
static void check_greedy(const struct oracle *oracle)
{
    const struct tolk_config *config = &oracle->model.config;
    const size_t sentences = oracle->batch.sentences;
    size_t *begins = stored_begins(oracle, "greedy_begin");
    int32_t *expected = stored_ids(oracle, "greedy");
    int32_t *tokens = malloc(sentences * sizeof *tokens);
    size_t *owners = malloc(sentences * sizeof *owners);
    size_t *parents = malloc(sentences * sizeof *parents);
    size_t rows = sentences;
    const real *memory = tolk_transformer_encode(&oracle->model, &oracle->batch, oracle->workspace);
    struct tolk_inference_weights *weights =
        tolk_inference_weights_make(&oracle->model, TOLK_PANELS_REAL, &error);
    struct tolk_decoding *decoding = tolk_decoding_create(weights, &error);
    ck_assert_ptr_nonnull(decoding);
    ck_assert_int_eq(
        tolk_decoding_begin(decoding, memory, &oracle->batch, sentences, GREEDY_STEPS, &error), 0);
    for (size_t s = 0; s < sentences; s++) {
        tokens[s] = config->decoder_start_token_id;
        owners[s] = s;
        parents[s] = s;
    }
    for (size_t step = 0; step < GREEDY_STEPS && rows > 0; step++) {
        const real *logits = tolk_decoding_step(decoding, rows, tokens, owners, parents);
        size_t kept = 0;
        for (size_t row = 0; row < rows; row++) {
            const size_t s = owners[row];
            const int32_t best = best_id(logits + row * config->vocab_size, config);
            ck_assert_msg(begins[s] + step < begins[s + 1], "sentence %zu is too long", s);
            ck_assert_msg(best == expected[begins[s] + step],
                          "sentence %zu, step %zu: expected %d, found %d", s, step,
                          expected[begins[s] + step], best);
            if (best != config->eos_token_id) {
                tokens[kept] = best;
                owners[kept] = s;
                parents[kept] = row;
                kept++;
            } else {
                ck_assert_uint_eq(begins[s] + step + 1, begins[s + 1]);
            }
        }
        rows = kept;
    }
    tolk_decoding_free(decoding);
    tolk_inference_weights_free(weights);
    free(parents);
    free(owners);
    free(tokens);
    free(expected);
    free(begins);
}

#define ORACLE_TEST(name, check)                                                                   \
    START_TEST(name)                                                                               \
    {                                                                                              \
        static const char *const models[] = {"pegasus", "marian"};                                 \
        for (size_t i = 0; i < 2; i++) {                                                           \
            struct oracle oracle;                                                                  \
            begin(&oracle, models[i]);                                                             \
            check(&oracle);                                                                        \
            end(&oracle);                                                                          \
        }                                                                                          \
    }                                                                                              \
    END_TEST

ORACLE_TEST(forward_agrees, check_forward)
ORACLE_TEST(loss_and_gradients_agree, check_gradients)
ORACLE_TEST(guided_gradients_agree, check_guided)
ORACLE_TEST(greedy_translations_agree, check_greedy)

TOLK_SUITE("oracle", forward_agrees, loss_and_gradients_agree, guided_gradients_agree,
           greedy_translations_agree)
