/* The gradient of the whole model against central differences, tensor by tensor over the table. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/guide.h"
#include "model/model.h"
#include "model/transformer.h"

/* Three sentences of different lengths, one of a single token. */
static const size_t source_begin[] = {0, 5, 6, 10};
static const size_t target_begin[] = {0, 3, 7, 8};
static const int32_t source[] = {3, 7, 7, 2, 0, 0, 9, 4, 3, 0};
static const int32_t target_input[] = {12, 5, 3, 12, 8, 8, 1, 12};
static const int32_t target_output[] = {5, 3, 0, 8, 8, 1, 0, 0};
static struct tolk_batch batch = {
    .sentences = 3,
    .source_begin = source_begin,
    .source = source,
    .target_begin = target_begin,
    .target_input = target_input,
    .target_output = target_output,
};

/* The first row looks at two source rows, the fifth (of the second sentence) at its only one, the
 * others at none. */
static const size_t guide_begin[] = {0, 2, 2, 2, 2, 3, 3, 3, 3};
static const uint32_t guide_keys[] = {1, 3, 0};
static const struct tolk_guide guide = {
    .layer = 1, .head = 1, .scale = 0.6, .begin = guide_begin, .keys = guide_keys};

static const double smoothing = 0.1;
static const double loss_scale = 0.25;

struct check {
    struct tolk_model model;
    struct tolk_workspace *workspace;
    real *gradient_values;
    struct tolk_weights gradients;
    const struct tolk_dropout *dropout;
};

static double loss_of(struct check *check)
{
    struct tolk_error error;
    ck_assert_int_eq(tolk_workspace_reserve(check->workspace, &batch, TOLK_TRAINING, &error), 0);
    tolk_transformer_forward(&check->model, &batch, check->dropout, check->workspace);
    const struct tolk_loss loss =
        tolk_transformer_loss(&check->model, &batch, smoothing, check->workspace);
    return loss_scale * loss.smoothed + guide.scale * loss.guided;
}

static void begin(struct check *check, const struct tolk_config *config,
                  const struct tolk_dropout *dropout)
{
    struct tolk_error error;
    ck_assert_int_eq(tolk_model_create(&check->model, config, 7, &error), 0);
    /* Biases and norms away from zero and one, so that their gradients matter. */
    for (size_t i = 0; i < check->model.layout.size; i++) {
        check->model.values[i] += 0.1 * tolk_random_normal(tolk_random_key(3, 1, 4), (uint32_t)i);
    }
    check->dropout = dropout;
    check->workspace = tolk_workspace_create(&check->model, &error);
    check->gradient_values = calloc(check->model.layout.size, sizeof(real));
    ck_assert_ptr_nonnull(check->workspace);
    ck_assert_int_eq(tolk_weights_bind(&check->gradients, config, check->gradient_values, &error),
                     0);
    loss_of(check);
    tolk_transformer_backward(&check->model, &batch, dropout, loss_scale, check->workspace,
                              &check->gradients);
}

static void end(struct check *check)
{
    tolk_weights_free(&check->gradients);
    free(check->gradient_values);
    tolk_workspace_free(check->workspace);
    tolk_model_free(&check->model);
}

/* The gradient with respect to one number, by differences of sixth order. */
static double difference(struct check *check, real *value)
{
    const double h = 1e-3;
    const double weights[] = {45.0 / 60, -9.0 / 60, 1.0 / 60};
    const real kept = *value;
    double slope = 0;
    for (int i = 0; i < 3; i++) {
        *value = kept + (i + 1) * h;
        const double above = loss_of(check);
        *value = kept - (i + 1) * h;
        slope += weights[i] * (above - loss_of(check)) / h;
    }
    *value = kept;
    return slope;
}

/* Every tensor; of a large one a deterministic sample. `skip_pad_lookup`: the embedding of pad gets
 * no gradient where it is looked up, by design, so its row is left out. */
static void check_all_tensors(struct check *check)
{
    enum { SAMPLE = 10 };
    const struct tolk_layout *layout = &check->model.layout;
    const size_t d = check->model.config.d_model;
    for (size_t t = 0; t < layout->count; t++) {
        const struct tolk_tensor *tensor = &layout->tensors[t];
        const real *gradient = check->gradient_values + tensor->offset;
        double largest = 0;
        for (size_t i = 0; i < tensor->size; i++) {
            largest = fmax(largest, fabs(gradient[i]));
        }
        ck_assert_msg(largest > 0 || strstr(tensor->name, "k_proj.bias") != NULL,
                      "%s: the gradient is zero", tensor->name);
        largest = fmax(largest, 1e-3);
        const size_t step = tensor->size > SAMPLE ? tensor->size / SAMPLE : 1;
        for (size_t i = 0; i < tensor->size; i += step) {
            if (strcmp(tensor->name, "model.shared.weight") == 0 &&
                i / d == (size_t)check->model.config.pad_token_id) {
                continue;
            }
            const double expected = difference(check, check->model.values + tensor->offset + i);
            ck_assert_msg(fabs(gradient[i] - expected) <= 1e-6 * largest,
                          "%s[%zu]: gradient %.12g, by differences %.12g, largest %.3g",
                          tensor->name, i, gradient[i], expected, largest);
        }
    }
}

static struct tolk_config tiny(void)
{
    struct tolk_config config = tolk_config_default(13);
    config.d_model = 12;
    config.encoder_layers = config.decoder_layers = 2;
    config.encoder_attention_heads = 3;
    config.decoder_attention_heads = 2;
    config.encoder_ffn_dim = 20;
    config.decoder_ffn_dim = 9;
    config.activation_function = TOLK_SWISH;
    config.max_position_embeddings = 8;
    config.dropout = config.attention_dropout = config.activation_dropout = 0;
    return config;
}

START_TEST(pre_norm)
{
    struct check check;
    const struct tolk_config config = tiny();
    begin(&check, &config, NULL);
    check_all_tensors(&check);
    end(&check);
}
END_TEST

START_TEST(post_norm)
{
    struct check check;
    struct tolk_config config = tiny();
    config.normalize_before = false;
    config.activation_function = TOLK_GELU;
    begin(&check, &config, NULL);
    check_all_tensors(&check);
    end(&check);
}
END_TEST

START_TEST(with_dropout)
{
    struct check check;
    const struct tolk_dropout dropout = {.seed = 5, .step = 11};
    struct tolk_config config = tiny();
    config.dropout = 0.2;
    config.attention_dropout = 0.3;
    config.activation_dropout = 0.1;
    begin(&check, &config, &dropout);
    check_all_tensors(&check);
    end(&check);
}
END_TEST

START_TEST(guided)
{
    const struct tolk_dropout dropout = {.seed = 5, .step = 11};
    struct tolk_config config = tiny();
    config.attention_dropout = 0.3;
    batch.guide = &guide;
    for (size_t layout = 0; layout < 2; layout++) {
        struct check check;
        config.normalize_before = layout == 0;
        begin(&check, &config, &dropout);
        check_all_tensors(&check);
        end(&check);
    }
}
END_TEST

TOLK_SUITE("transformer gradients", pre_norm, post_norm, with_dropout, guided)
