/* Forward, loss and backward of a small model: prints its logits, its loss and its gradients, one
 * number a line, so that a script can compare what two machines compute. */
#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"
#include "model/transformer.h"
#include "tests/support/three_sentences.h"

static const double NOISE = 0.05; /* on the initialisation: no weight, no bias is zero or one */

static void print(const char *what, const real *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s[%zu] %.9g\n", what, i, (double)x[i]);
    }
}

static int step(const struct tolk_model *model, struct tolk_error *error)
{
    const struct tolk_dropout dropout = {1, 2};
    struct tolk_weights gradients = {0};
    int status = -1;
    struct tolk_workspace *workspace = tolk_workspace_create(model, error);
    real *values = calloc(model->layout.size, sizeof *values);
    if (workspace == NULL || values == NULL ||
        tolk_weights_bind(&gradients, &model->config, values, error) != 0 ||
        tolk_workspace_reserve(workspace, &batch, TOLK_TRAINING, error) != 0) {
        goto out;
    }
    tolk_transformer_forward(model, &batch, &dropout, workspace);
    print("logit", tolk_workspace_logits(workspace), (size_t)TARGET_ROWS * VOCABULARY);
    const struct tolk_loss loss = tolk_transformer_loss(model, &batch, 0.1, workspace);
    printf("loss %.9g\n", loss.smoothed);
    tolk_transformer_backward(model, &batch, &dropout, 1, workspace, &gradients);
    print("gradient", values, model->layout.size);
    status = 0;
out:
    tolk_weights_free(&gradients);
    free(values);
    tolk_workspace_free(workspace);
    return status;
}

int main(void)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = 32;
    config.encoder_layers = config.decoder_layers = 2;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 64;
    config.max_position_embeddings = 16;
    if (tolk_model_create(&model, &config, 1, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < model.layout.size; i++) {
        model.values[i] +=
            (real)(NOISE * tolk_random_normal(tolk_random_key(9, 1, 1), (uint32_t)i));
    }
    const int status = step(&model, &error);
    tolk_model_free(&model);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
