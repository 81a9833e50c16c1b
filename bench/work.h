/* The reference work, the same for every program that is measured: a batch of 64 pairs of 16 + 16
 * tokens, a joint vocabulary of 8,000, and two sizes of the model.
 *
 * T: d_model 256, 4 heads, feed-forward 1024, 3 + 3 layers. B: 512, 8 heads, 2048, 6 + 6. */
#ifndef TOLK_BENCH_WORK_H
#define TOLK_BENCH_WORK_H

#include <stddef.h>

#include "model/batch.h"
#include "model/config.h"

enum { BENCH_SENTENCES = 64, BENCH_LENGTH = 16, BENCH_VOCABULARY = 8000 };

/* Of size 'T' or 'B', without dropout. */
struct tolk_config bench_config(char size);

/* Random tokens in static memory, the same at each call. */
struct tolk_batch bench_batch(void);

/* Weights of one encoder layer, of one decoder layer without the keys and values of the source, and
 * of these: what each token is multiplied with. Biases and layer norms are left out. */
size_t bench_encoder_weights(const struct tolk_config *config);
size_t bench_decoder_weights(const struct tolk_config *config);
size_t bench_source_weights(const struct tolk_config *config);

/* Additions and multiplications in the matrix products of a forward and backward pass, attention's
 * among them: 46.9e9 for T, 298e9 for B. The backward pass has twice those of the forward pass. */
double bench_step_operations(const struct tolk_config *config, const struct tolk_batch *batch);

/* The same of a translation: `source` pieces encoded, `output` pieces found by so many hypotheses
 * each. Attention's, which is under 1 %, is left out. */
double bench_translation_operations(const struct tolk_config *config, double source, double output,
                                    double beam);

#endif
