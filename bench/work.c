#include "bench/work.h"

#include <stdint.h>

#include "base/random.h"

struct tolk_config bench_config(char size)
{
    struct tolk_config config = tolk_config_default(BENCH_VOCABULARY);
    config.dropout = config.attention_dropout = config.activation_dropout = 0;
    if (size == 'B') {
        config.d_model = 512;
        config.encoder_attention_heads = config.decoder_attention_heads = 8;
        config.encoder_ffn_dim = config.decoder_ffn_dim = 2048;
        config.encoder_layers = config.decoder_layers = 6;
    }
    return config;
}

struct tolk_batch bench_batch(void)
{
    static size_t begin[BENCH_SENTENCES + 1];
    static int32_t ids[BENCH_SENTENCES * BENCH_LENGTH];
    const struct tolk_random_key key = tolk_random_key(1, 2, 3);
    for (size_t s = 0; s <= BENCH_SENTENCES; s++) {
        begin[s] = s * BENCH_LENGTH;
    }
    for (uint32_t i = 0; i < BENCH_SENTENCES * BENCH_LENGTH; i++) {
        ids[i] = (int32_t)tolk_random_below(key, i, BENCH_VOCABULARY - 1);
    }
    return (struct tolk_batch){BENCH_SENTENCES, begin, ids, begin, ids, ids, NULL};
}

size_t bench_encoder_weights(const struct tolk_config *config)
{
    const size_t d = config->d_model;
    return config->encoder_layers * (4 * d * d + 2 * d * config->encoder_ffn_dim);
}

size_t bench_decoder_weights(const struct tolk_config *config)
{
    const size_t d = config->d_model;
    return config->decoder_layers * (6 * d * d + 2 * d * config->decoder_ffn_dim) +
           config->vocab_size * d;
}

size_t bench_source_weights(const struct tolk_config *config)
{
    return config->decoder_layers * 2 * config->d_model * config->d_model;
}

/* Scores and weighted sums: queries x keys x d_model each. */
static double attention_operations(const struct tolk_config *config, const struct tolk_batch *batch)
{
    double encoder = 0, decoder = 0;
    for (size_t s = 0; s < batch->sentences; s++) {
        const double source = (double)(batch->source_begin[s + 1] - batch->source_begin[s]);
        const double target = (double)(batch->target_begin[s + 1] - batch->target_begin[s]);
        encoder += source * source;
        decoder += target * target + target * source;
    }
    return 4.0 * (double)config->d_model *
           ((double)config->encoder_layers * encoder + (double)config->decoder_layers * decoder);
}

double bench_step_operations(const struct tolk_config *config, const struct tolk_batch *batch)
{
    const double source = (double)tolk_batch_source_rows(batch);
    const double target = (double)tolk_batch_target_rows(batch);
    const size_t of_source = bench_encoder_weights(config) + bench_source_weights(config);
    const double forward =
        2 * (source * (double)of_source + target * (double)bench_decoder_weights(config)) +
        attention_operations(config, batch);
    return 3 * forward;
}

double bench_translation_operations(const struct tolk_config *config, double source, double output,
                                    double beam)
{
    const size_t of_source = bench_encoder_weights(config) + bench_source_weights(config);
    return 2 * (source * (double)of_source + output * beam * (double)bench_decoder_weights(config));
}
