/* The numbers of each attention head, computed again from those before them. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>

#include "model/tapes.h"
#include "tests/support/three_sentences.h"

enum { SENTENCE = 1, LAYERS = 2, HEADS = 2, D = 12, DIM = D / HEADS, LONGEST = 8 };
static const double CLOSE = 2e-5;

static void make(struct tolk_model *model, bool pre_norm)
{
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = D;
    config.encoder_layers = config.decoder_layers = LAYERS;
    config.encoder_attention_heads = config.decoder_attention_heads = HEADS;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 20;
    config.max_position_embeddings = LONGEST;
    config.normalize_before = pre_norm;
    ck_assert_msg(tolk_model_create(model, &config, 3, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) { /* biases that are not 0 */
        model->values[i] += (real)(0.1 * sin((double)(i * i % 1009)));
    }
}

/* W[row] · x + b[row] */
static double project(const struct tolk_linear *linear, size_t row, const real *x)
{
    double sum = (double)linear->bias[row];
    for (size_t c = 0; c < D; c++) {
        sum += (double)linear->weight[row * D + c] * (double)x[c];
    }
    return sum;
}

static void check_projections(const struct tolk_attention_head *head)
{
    for (size_t c = 0; c < DIM; c++) {
        const size_t row = head->first_row + c;
        for (size_t i = 0; i < head->queries; i++) {
            ck_assert_double_eq_tol((double)head->q[i * head->ldq + c],
                                    project(&head->projections->q, row, head->query_input + i * D),
                                    CLOSE);
        }
        for (size_t j = 0; j < head->keys; j++) {
            ck_assert_double_eq_tol((double)head->k[j * head->ldk + c],
                                    project(&head->projections->k, row, head->key_input + j * D),
                                    CLOSE);
            ck_assert_double_eq_tol((double)head->v[j * head->ldv + c],
                                    project(&head->projections->v, row, head->key_input + j * D),
                                    CLOSE);
        }
    }
}

/* softmax(q Kᵀ / √d_k) V of query i */
static void check_query(const struct tolk_attention_head *head, size_t i)
{
    double weights[LONGEST] = {0};
    double sum = 0;
    const size_t seen = head->causal ? i + 1 : head->keys;
    for (size_t j = 0; j < seen; j++) {
        double score = 0;
        for (size_t c = 0; c < DIM; c++) {
            score += (double)head->q[i * head->ldq + c] * (double)head->k[j * head->ldk + c];
        }
        weights[j] = exp(score / sqrt(DIM));
        sum += weights[j];
    }
    for (size_t j = 0; j < head->keys; j++) {
        weights[j] /= sum;
        ck_assert_double_eq_tol((double)head->weights[i * head->keys + j], weights[j], CLOSE);
    }
    for (size_t c = 0; c < DIM; c++) {
        double z = 0;
        for (size_t j = 0; j < head->keys; j++) {
            z += weights[j] * (double)head->v[j * head->ldv + c];
        }
        ck_assert_double_eq_tol((double)head->z[i * head->ldz + c], z, CLOSE);
    }
}

/* The batch through a fresh model. */
static struct tolk_workspace *run(struct tolk_model *model, bool pre_norm)
{
    struct tolk_error error;
    make(model, pre_norm);
    struct tolk_workspace *const workspace = tolk_workspace_create(model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_INSPECTION, &error), 0);
    tolk_transformer_forward(model, &batch, NULL, workspace);
    return workspace;
}

static void check_model(bool pre_norm)
{
    static const size_t rows[][2] = {{1, 1}, {4, 4}, {4, 1}}; /* queries, keys by kind */
    struct tolk_model model;
    struct tolk_workspace *const workspace = run(&model, pre_norm);
    for (size_t s = 0; s < batch.sentences; s++) {
        for (enum tolk_attention_kind kind = TOLK_ENCODER_SELF; kind <= TOLK_CROSS; kind++) {
            for (size_t i = 0; i < LAYERS * HEADS; i++) {
                const struct tolk_attention_head head =
                    tolk_tapes_head(workspace, kind, i / HEADS, s, i % HEADS);
                ck_assert_uint_eq(head.dim, DIM);
                ck_assert_int_eq(head.causal, kind == TOLK_DECODER_SELF);
                if (s == SENTENCE) {
                    ck_assert_uint_eq(head.queries, rows[kind][0]);
                    ck_assert_uint_eq(head.keys, rows[kind][1]);
                }
                check_projections(&head);
                for (size_t q = 0; q < head.queries; q++) {
                    check_query(&head, q);
                }
            }
        }
    }
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}

START_TEST(heads_of_a_pre_norm_model)
{
    check_model(true);
}
END_TEST

START_TEST(heads_of_a_post_norm_model)
{
    check_model(false);
}
END_TEST

static void check_row(const struct tolk_model *model, const struct tolk_embedded_row *row,
                      int32_t id, size_t position)
{
    for (size_t c = 0; c < D; c++) {
        const double token = (double)model->weights.shared[(size_t)id * D + c];
        const double place = (double)model->positions[position * D + c];
        ck_assert_double_eq_tol((double)row->x[c], sqrt(D) * token + place, CLOSE);
        ck_assert_double_eq_tol((double)(row->scale * row->token[c] + row->position[c]),
                                (double)row->x[c], CLOSE);
    }
}

START_TEST(embedded_rows_are_tokens_and_positions)
{
    struct tolk_model model;
    struct tolk_workspace *const workspace = run(&model, true);
    const struct tolk_embedded_row from = tolk_tapes_source_row(workspace, 2, 1);
    check_row(&model, &from, source[source_begin[2] + 1], 1);
    const struct tolk_embedded_row to = tolk_tapes_target_row(workspace, 1, 3);
    check_row(&model, &to, target_input[target_begin[1] + 3], 3);
    tolk_workspace_free(workspace);
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("tapes", heads_of_a_pre_norm_model, heads_of_a_post_norm_model,
           embedded_rows_are_tokens_and_positions)
