/* One pair under the glass against the same pair force-decoded. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/forced.h"
#include "infer/inspection.h"
#include "tests/support/tiny.h"

enum { VOCABULARY = 12, SOURCE_ROWS = 4, TARGET_ROWS = 5 };
static const int32_t SOURCE[SOURCE_ROWS] = {5, 6, 7, 0};
static const int32_t TARGET[TARGET_ROWS] = {4, 8, 9, 3, 0};
static const struct tolk_sequence FROM = {SOURCE, SOURCE_ROWS};
static const struct tolk_sequence TO = {TARGET, TARGET_ROWS};

/* Every head's weights, and the probability of each target piece. */
static int compare(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    const struct tolk_inspection *const inspection = context;
    const struct tolk_model *const model = tolk_inspection_model(inspection);
    (void)error;
    for (enum tolk_attention_kind kind = TOLK_ENCODER_SELF; kind <= TOLK_CROSS; kind++) {
        for (size_t l = 0; l < tolk_inspection_layers(model, kind); l++) {
            for (size_t h = 0; h < tolk_inspection_heads(model, kind); h++) {
                const struct tolk_attention_head head =
                    tolk_inspection_head(inspection, kind, l, h);
                ck_assert_uint_eq(head.queries,
                                  kind == TOLK_ENCODER_SELF ? SOURCE_ROWS : TARGET_ROWS);
                ck_assert_mem_eq(head.weights,
                                 tolk_workspace_attention(forced->workspace, kind, l, 0, h),
                                 head.queries * head.keys * sizeof(real));
            }
        }
    }
    for (size_t t = 0; t < TARGET_ROWS; t++) {
        const real *const logits = tolk_inspection_logits(inspection, t);
        double sum = 0;
        for (size_t v = 0; v < VOCABULARY; v++) {
            sum += exp((double)logits[v]);
        }
        ck_assert_double_eq_tol((double)logits[TARGET[t]] - log(sum), forced->log_probabilities[t],
                                1e-5);
    }
    return 0;
}

START_TEST(shows_what_force_decoding_computes)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 4);
    struct tolk_inspection *const inspection = tolk_inspection_make(&model, FROM, TO, &error);
    ck_assert_msg(inspection != NULL, "%s", error.message);
    struct tolk_forcer *const forcer = tolk_forcer_create(&model, &error);
    const struct tolk_forced_pairs pairs = {&FROM, &TO, 1, 100, true};
    ck_assert_int_eq(tolk_force_decode(forcer, &pairs, compare, inspection, &error), 0);
    tolk_forcer_free(forcer);
    tolk_inspection_free(inspection);
    tolk_model_free(&model);
}
END_TEST

START_TEST(the_decoder_reads_one_piece_later)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 4);
    struct tolk_inspection *const inspection = tolk_inspection_make(&model, FROM, TO, &error);
    const real *const shared = model.weights.shared;
    const size_t d = model.config.d_model;
    ck_assert_ptr_eq(tolk_inspection_source(inspection, 1).token, shared + (size_t)SOURCE[1] * d);
    ck_assert_ptr_eq(tolk_inspection_target(inspection, 0).token,
                     shared + (size_t)model.config.decoder_start_token_id * d);
    ck_assert_ptr_eq(tolk_inspection_target(inspection, 3).token, shared + (size_t)TARGET[2] * d);
    tolk_inspection_free(inspection);
    tolk_model_free(&model);
}
END_TEST

START_TEST(refuses_damaged_weights)
{
    struct tolk_error error;
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 4);
    model.weights.encoder[0].self.q.weight[0] = (real)NAN;
    ck_assert_ptr_null(tolk_inspection_make(&model, FROM, TO, &error));
    ck_assert_msg(strstr(error.message, "no numbers") != NULL, "%s", error.message);
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("inspection", shows_what_force_decoding_computes, the_decoder_reads_one_piece_later,
           refuses_damaged_weights)
