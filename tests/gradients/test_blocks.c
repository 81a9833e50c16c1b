/* The blocks of Figure 1, each by itself: embedding, multi-head self-attention (encoder and
 * causal), multi-head cross-attention and feed-forward, with their residual connection, layer norm
 * and dropout. */
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "model/blocks.h"
#include "model/model.h"
#include "model/workspace.h"
#include "tests/gradients/differences.h"

static const size_t source_begin[] = {0, 5, 6, 10};
static const size_t target_begin[] = {0, 3, 7, 8};
static const int32_t source[] = {3, 7, 7, 2, 0, 0, 9, 4, 3, 0}; /* 7 and 3 come twice */
static const int32_t target[] = {12, 5, 3, 12, 8, 8, 1, 12};    /* 12 is pad */
static const struct tolk_batch batch = {.sentences = 3,
                                        .source_begin = source_begin,
                                        .source = source,
                                        .target_begin = target_begin,
                                        .target_input = target,
                                        .target_output = target};
enum { VOCABULARY = 13, D = 12 };

enum kind { EMBEDDING, ENCODER_SELF, CAUSAL_SELF, CROSS, FEED_FORWARD };

struct block {
    enum kind kind;
    struct tolk_model model;
    struct tolk_pass pass;
    struct tolk_dropout dropout;
    real *stream;    /* [rows, D], what enters */
    real *memory;    /* [source rows, D], of cross-attention */
    real *cotangent; /* [rows, D], the gradient of what leaves */
    size_t rows;
    real *gradient_values;
    struct tolk_weights gradients;
};

static const real *forward(struct block *b)
{
    struct tolk_weights *w = &b->model.weights;
    struct tolk_workspace *workspace = b->pass.workspace;
    switch (b->kind) {
    case EMBEDDING:
        tolk_embedding_forward(&b->pass, TOLK_DECODER_STACK, target, target_begin,
                               workspace->decoder_embedded);
        return workspace->decoder_embedded;
    case ENCODER_SELF:
        return tolk_self_attention_forward(
            &b->pass, (struct tolk_site){TOLK_ENCODER_STACK, 0, TOLK_SELF_BLOCK},
            &w->encoder[0].self, &workspace->encoder[0].self, b->stream);
    case CAUSAL_SELF:
        return tolk_self_attention_forward(
            &b->pass, (struct tolk_site){TOLK_DECODER_STACK, 0, TOLK_SELF_BLOCK},
            &w->decoder[0].self, &workspace->decoder[0].self, b->stream);
    case CROSS:
        return tolk_cross_attention_forward(
            &b->pass, (struct tolk_site){TOLK_DECODER_STACK, 0, TOLK_CROSS_BLOCK},
            &w->decoder[0].cross, &workspace->decoder[0].cross, b->stream, b->memory);
    case FEED_FORWARD:
        return tolk_feed_forward_forward(
            &b->pass, (struct tolk_site){TOLK_ENCODER_STACK, 0, TOLK_FEED_FORWARD_BLOCK},
            &w->encoder[0].feed_forward, &workspace->encoder[0].feed_forward, b->stream);
    }
    return NULL;
}

/* `dstream` holds the cotangent and becomes the gradient of the stream. */
static void backward(struct block *b, real *dstream, real *dmemory)
{
    struct tolk_weights *w = &b->model.weights;
    struct tolk_weights *g = &b->gradients;
    struct tolk_workspace *workspace = b->pass.workspace;
    switch (b->kind) {
    case EMBEDDING:
        tolk_embedding_backward(&b->pass, TOLK_DECODER_STACK, target, target_begin, dstream,
                                g->shared);
        break;
    case ENCODER_SELF:
        tolk_self_attention_backward(
            &b->pass, (struct tolk_site){TOLK_ENCODER_STACK, 0, TOLK_SELF_BLOCK},
            &w->encoder[0].self, &g->encoder[0].self, &workspace->encoder[0].self, dstream);
        break;
    case CAUSAL_SELF:
        tolk_self_attention_backward(
            &b->pass, (struct tolk_site){TOLK_DECODER_STACK, 0, TOLK_SELF_BLOCK},
            &w->decoder[0].self, &g->decoder[0].self, &workspace->decoder[0].self, dstream);
        break;
    case CROSS:
        tolk_cross_attention_backward(&b->pass,
                                      (struct tolk_site){TOLK_DECODER_STACK, 0, TOLK_CROSS_BLOCK},
                                      &w->decoder[0].cross, &g->decoder[0].cross,
                                      &workspace->decoder[0].cross, dstream, b->memory, dmemory);
        break;
    case FEED_FORWARD:
        tolk_feed_forward_backward(
            &b->pass, (struct tolk_site){TOLK_ENCODER_STACK, 0, TOLK_FEED_FORWARD_BLOCK},
            &w->encoder[0].feed_forward, &g->encoder[0].feed_forward,
            &workspace->encoder[0].feed_forward, dstream);
        break;
    }
}

static double value(void *context)
{
    struct block *b = context;
    return dot(forward(b), b->cotangent, b->rows * D);
}

static void make(struct block *b, enum kind kind, bool normalize_before, bool dropout)
{
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(VOCABULARY);
    config.d_model = D;
    config.encoder_layers = config.decoder_layers = 1;
    config.encoder_attention_heads = config.decoder_attention_heads = 3;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 17;
    config.activation_function = TOLK_SWISH;
    config.max_position_embeddings = 8;
    config.normalize_before = normalize_before;
    config.dropout = config.attention_dropout = config.activation_dropout = 0.2;
    *b = (struct block){.kind = kind, .dropout = {5, 6}};
    ck_assert_int_eq(tolk_model_create(&b->model, &config, 2, &error), 0);
    for (size_t i = 0; i < b->model.layout.size; i++) {
        b->model.values[i] += 0.1 * tolk_random_normal(tolk_random_key(3, 1, 4), (uint32_t)i);
    }
    const bool encoder = kind == ENCODER_SELF || kind == FEED_FORWARD;
    b->rows = encoder ? tolk_batch_source_rows(&batch) : tolk_batch_target_rows(&batch);
    b->stream = random_numbers(b->rows * D, 1, 61);
    b->memory = random_numbers(tolk_batch_source_rows(&batch) * D, 1, 62);
    b->cotangent = random_numbers(b->rows * D, 1, 63);
    b->gradient_values = random_numbers(b->model.layout.size, 0, 64);
    ck_assert_int_eq(tolk_weights_bind(&b->gradients, &config, b->gradient_values, &error), 0);
    b->pass = (struct tolk_pass){&b->model, &batch, dropout ? &b->dropout : NULL,
                                 tolk_workspace_create(&b->model, &error)};
    ck_assert_int_eq(tolk_workspace_reserve(b->pass.workspace, &batch, TOLK_TRAINING, &error), 0);
}

static void destroy(struct block *b)
{
    tolk_workspace_free(b->pass.workspace);
    tolk_weights_free(&b->gradients);
    tolk_model_free(&b->model);
    free(b->stream);
    free(b->memory);
    free(b->cotangent);
    free(b->gradient_values);
}

static void check(enum kind kind, bool normalize_before, bool dropout)
{
    struct block b;
    const double h = 1e-3;
    make(&b, kind, normalize_before, dropout);
    real *dstream = random_numbers(b.rows * D, 1, 63);
    real *dmemory = random_numbers(tolk_batch_source_rows(&batch) * D, 0, 65);
    forward(&b);
    backward(&b, dstream, dmemory);
    if (kind != EMBEDDING) {
        compare("stream", value, &b, b.stream, dstream, b.rows * D, h);
    }
    if (kind == CROSS) {
        compare("memory", value, &b, b.memory, dmemory, tolk_batch_source_rows(&batch) * D, h);
    }
    size_t compared = 0;
    for (size_t t = 0; t < b.model.layout.count; t++) {
        const struct tolk_tensor *tensor = &b.model.layout.tensors[t];
        const real *gradient = b.gradient_values + tensor->offset;
        /* Of the embedding all rows but pad, which gets no gradient by design. */
        const size_t size = kind == EMBEDDING ? (VOCABULARY - 1) * D : tensor->size;
        double largest = 0;
        for (size_t i = 0; i < tensor->size; i++) {
            largest = fmax(largest, fabs(gradient[i]));
        }
        /* Tensors of other blocks have none; that of k's bias is zero but for rounding. */
        if (largest > 1e-9) {
            compare(tensor->name, value, &b, b.model.values + tensor->offset, gradient, size, h);
            compared++;
        }
    }
    const size_t expected[] = {1, 9, 9, 9, 6};
    ck_assert_uint_eq(compared, expected[kind]);
    free(dstream);
    free(dmemory);
    destroy(&b);
}

static void check_both(enum kind kind)
{
    check(kind, true, false);
    check(kind, true, true);
    check(kind, false, true);
}

START_TEST(embedding)
{
    check(EMBEDDING, true, false);
    check(EMBEDDING, true, true);
}
END_TEST

START_TEST(encoder_self_attention)
{
    check_both(ENCODER_SELF);
}
END_TEST

START_TEST(causal_self_attention)
{
    check_both(CAUSAL_SELF);
}
END_TEST

START_TEST(cross_attention)
{
    check_both(CROSS);
}
END_TEST

START_TEST(feed_forward)
{
    check_both(FEED_FORWARD);
}
END_TEST

TOLK_SUITE("block gradients", embedding, encoder_self_attention, causal_self_attention,
           cross_attention, feed_forward)
