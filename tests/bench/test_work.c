#include <math.h>

#include "bench/work.h"
#include "model/parameters.h"
#include "tests/support/suite.h"

/* The counts that the rates of a training step are divided by, as published with the reference
 * work. */
START_TEST(operations_of_a_step_are_those_of_the_reference_work)
{
    const struct tolk_batch batch = bench_batch();
    const struct tolk_config t = bench_config('T'), b = bench_config('B');
    ck_assert_double_eq_tol(bench_step_operations(&t, &batch) / 1e9, 46.9, 0.05);
    ck_assert_double_eq_tol(bench_step_operations(&b, &batch) / 1e9, 298, 0.5);
}
END_TEST

/* What each token is multiplied with are all weights of the layers and the tied embedding once:
 * the parameters of the model but biases and layer norms. */
START_TEST(weights_are_the_parameters_of_matrices)
{
    struct tolk_error error;
    struct tolk_layout layout;
    const struct tolk_config config = bench_config('T');
    size_t matrices = 0;
    ck_assert_int_eq(tolk_layout_make(&layout, &config, &error), 0);
    for (size_t i = 0; i < layout.count; i++) {
        matrices += layout.tensors[i].rank == 2 && layout.tensors[i].shape[0] > 1
                        ? layout.tensors[i].size
                        : 0;
    }
    tolk_layout_free(&layout);
    ck_assert_uint_eq(bench_encoder_weights(&config) + bench_decoder_weights(&config) +
                          bench_source_weights(&config),
                      matrices);
}
END_TEST

/* A sentence of 10 pieces costs 10 times one of 1 but for the encoder, and a beam multiplies the
 * decoder's part alone. */
START_TEST(a_beam_multiplies_the_decoder)
{
    const struct tolk_config config = bench_config('T');
    const double encoded = bench_translation_operations(&config, 10, 0, 4);
    const double greedy = bench_translation_operations(&config, 10, 10, 1) - encoded;
    const double beam = bench_translation_operations(&config, 10, 10, 4) - encoded;
    ck_assert_double_gt(encoded, 0);
    ck_assert_double_eq_tol(beam / greedy, 4, 1e-12);
}
END_TEST

TOLK_SUITE("work", operations_of_a_step_are_those_of_the_reference_work,
           weights_are_the_parameters_of_matrices, a_beam_multiplies_the_decoder)
