/* Times full training steps of the reference work: a batch of 64 pairs of 16 + 16 tokens.
 *
 *     step [T|B] [repetitions]
 *
 * T: d_model 256, 4 heads, 1024, 3 + 3 layers. B: 512, 8 heads, 2048, 6 + 6. Vocabulary 8,000. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/model.h"
#include "model/transformer.h"

enum { SENTENCES = 64, LENGTH = 16, VOCABULARY = 8000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    if (argc > 1 && strcmp(argv[1], "B") == 0) {
        config.d_model = 512;
        config.encoder_attention_heads = config.decoder_attention_heads = 8;
        config.encoder_ffn_dim = config.decoder_ffn_dim = 2048;
        config.encoder_layers = config.decoder_layers = 6;
    }
    const int repetitions = argc > 2 ? atoi(argv[2]) : 5;
    static size_t begin[SENTENCES + 1];
    static int32_t ids[SENTENCES * LENGTH];
    for (size_t s = 0; s <= SENTENCES; s++) {
        begin[s] = s * LENGTH;
    }
    for (size_t i = 0; i < SENTENCES * LENGTH; i++) {
        ids[i] =
            (int32_t)(tolk_random_below(tolk_random_key(1, 2, 3), (uint32_t)i, VOCABULARY - 1));
    }
    const struct tolk_batch batch = {SENTENCES, begin, ids, begin, ids, ids};
    if (tolk_model_create(&model, &config, 1, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    struct tolk_workspace *workspace = tolk_workspace_create(&model, &error);
    real *values = calloc(model.layout.size, sizeof *values);
    struct tolk_weights gradients;
    tolk_weights_bind(&gradients, &config, values, &error);
    tolk_workspace_reserve(workspace, &batch, TOLK_TRAINING, &error);
    for (int i = 0; i < repetitions; i++) {
        const struct tolk_dropout dropout = {1, (uint64_t)i};
        const double a = now();
        tolk_transformer_forward(&model, &batch, &dropout, workspace);
        const double b = now();
        const struct tolk_loss loss = tolk_transformer_loss(&model, &batch, 0.1, workspace);
        const double c = now();
        tolk_transformer_backward(&model, &batch, &dropout, 1.0 / (double)loss.tokens, workspace,
                                  &gradients);
        const double d = now();
        printf("forward %.1f ms, loss %.1f ms, backward %.1f ms: %.1f ms, %.0f tokens/s\n",
               1e3 * (b - a), 1e3 * (c - b), 1e3 * (d - c), 1e3 * (d - a),
               2.0 * SENTENCES * LENGTH / (d - a));
    }
    return 0;
}
