/* The attention of one sentence and one head, on every instruction set, beside double precision. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/attention.h"
#include "tests/support/reference.h"

enum { MOST = 64 }; /* queries, keys, dim */

/* A block in rows wider than it is, and its gradients. */
struct problem {
    struct tolk_attention_block block;
    real *q, *k, *v, *dout, *out, *dq, *dk, *dv, *weights, *scratch;
    size_t ldo;
};

/* `cells[i][j]` and the sum of the magnitudes of what was added up in it. */
struct table {
    double cells[MOST][MOST], magnitudes[MOST][MOST];
};

static void add(struct table *to, size_t i, size_t j, double term, double magnitude)
{
    to->cells[i][j] += term;
    to->magnitudes[i][j] += magnitude;
}

static struct problem problem(size_t queries, size_t keys, size_t dim, bool causal, bool dropping)
{
    const struct tolk_dropout dropout = {5, 6};
    const size_t ld = dim + 3;
    struct problem p = {
        .q = tolk_test_numbers(queries * ld, 1, 1),
        .k = tolk_test_numbers(keys * ld, 1, 2),
        .v = tolk_test_numbers(keys * ld, 1, 3),
        .dout = tolk_test_numbers(queries * ld, 1, 4),
        .out = tolk_test_numbers(queries * ld, 1, 5),
        .dq = tolk_test_numbers(queries * ld, 1, 6),
        .dk = tolk_test_numbers(keys * ld, 1, 7),
        .dv = tolk_test_numbers(keys * ld, 1, 8),
        .weights = tolk_test_numbers(queries * keys, 1, 9),
        .scratch = aligned_alloc(
            64, (tolk_attention_scratch_size(queries, keys, dim) * sizeof(real) + 63) / 64 * 64),
        .ldo = ld,
    };
    ck_assert_ptr_nonnull(p.scratch);
    p.block = (struct tolk_attention_block){
        .queries = queries,
        .keys = keys,
        .dim = dim,
        .causal = causal,
        .q = p.q,
        .k = p.k,
        .v = p.v,
        .ldq = ld,
        .ldk = ld,
        .ldv = ld,
        .weights = p.weights,
        .mask = tolk_dropout_mask(dropping ? &dropout : NULL, 7, 0.25),
        .mask_index = 13,
    };
    return p;
}

static void release(struct problem *p)
{
    free(p->q), free(p->k), free(p->v), free(p->dout), free(p->out);
    free(p->dq), free(p->dk), free(p->dv), free(p->weights), free(p->scratch);
}

static double factor(const struct tolk_attention_block *b, size_t i, size_t j)
{
    return tolk_dropout_factor(b->mask, b->mask_index + (uint32_t)(i * b->keys + j));
}

/* softmax(q kᵀ / √dim) */
static void reference_weights(const struct tolk_attention_block *b, struct table *weights)
{
    memset(weights, 0, sizeof *weights);
    for (size_t i = 0; i < b->queries; i++) {
        const size_t visible = b->causal ? i + 1 : b->keys;
        double sum = 0;
        for (size_t j = 0; j < visible; j++) {
            double score = 0;
            for (size_t c = 0; c < b->dim; c++) {
                score += (double)b->q[i * b->ldq + c] * b->k[j * b->ldk + c];
            }
            weights->cells[i][j] = exp(score / sqrt((double)b->dim));
            sum += weights->cells[i][j];
        }
        for (size_t j = 0; j < visible; j++) {
            weights->cells[i][j] /= sum;
            weights->magnitudes[i][j] = weights->cells[i][j];
        }
    }
}

static void compare(const char *what, const struct table *expected, size_t rows, size_t columns,
                    const real *found, size_t ld)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            tolk_test_near(what, i * columns + j, found[i * ld + j], expected->cells[i][j],
                           expected->magnitudes[i][j], 32);
        }
    }
}

/* dropout(weights) v */
static void reference_out(const struct tolk_attention_block *b, const struct table *weights,
                          struct table *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < b->queries; i++) {
        for (size_t j = 0; j < b->keys; j++) {
            for (size_t c = 0; c < b->dim; c++) {
                const double term = weights->cells[i][j] * factor(b, i, j) * b->v[j * b->ldv + c];
                add(out, i, c, term, fabs(term));
            }
        }
    }
}

static void check_forward(const struct tolk_row_kernels *kernels, const struct problem *p)
{
    const struct tolk_attention_block *b = &p->block;
    static struct table weights, out;
    reference_weights(b, &weights);
    reference_out(b, &weights, &out);
    kernels->attention_forward(b, p->out, p->ldo, p->scratch);
    compare("weights", &weights, b->queries, b->keys, b->weights, b->keys);
    compare("out", &out, b->queries, b->dim, p->out, p->ldo);
}

/* The gradient of the scores, before they are divided by √dim: P ∘ (dP - Σ dP ∘ P). */
static void reference_scores(const struct problem *p, const struct table *weights,
                             struct table *scores)
{
    const struct tolk_attention_block *b = &p->block;
    memset(scores, 0, sizeof *scores);
    for (size_t i = 0; i < b->queries; i++) {
        double sum = 0, magnitude = 0;
        for (size_t j = 0; j < b->keys; j++) {
            for (size_t c = 0; c < b->dim; c++) {
                const double term =
                    factor(b, i, j) * p->dout[i * p->ldo + c] * b->v[j * b->ldv + c];
                add(scores, i, j, term, fabs(term));
            }
            sum += scores->cells[i][j] * weights->cells[i][j];
            magnitude += scores->magnitudes[i][j] * weights->cells[i][j];
        }
        for (size_t j = 0; j < b->keys; j++) {
            const double weight = weights->cells[i][j];
            scores->cells[i][j] = weight * (scores->cells[i][j] - sum);
            scores->magnitudes[i][j] = weight * (scores->magnitudes[i][j] + magnitude);
        }
    }
}

static void check_backward(const struct tolk_row_kernels *kernels, const struct problem *p)
{
    const struct tolk_attention_block *b = &p->block;
    static struct table weights, scores, dq, dk, dv;
    const double scale = 1 / sqrt((double)b->dim);
    reference_weights(b, &weights);
    reference_scores(p, &weights, &scores);
    memset(&dq, 0, sizeof dq), memset(&dk, 0, sizeof dk), memset(&dv, 0, sizeof dv);
    for (size_t i = 0; i < b->queries; i++) {
        for (size_t j = 0; j < b->keys; j++) {
            const double score = scores.cells[i][j] * scale;
            const double magnitude = scores.magnitudes[i][j] * scale;
            const double dropped = weights.cells[i][j] * factor(b, i, j);
            for (size_t c = 0; c < b->dim; c++) {
                const double q = b->q[i * b->ldq + c], k = b->k[j * b->ldk + c];
                const double dout = p->dout[i * p->ldo + c];
                add(&dq, i, c, score * k, magnitude * fabs(k));
                add(&dk, j, c, score * q, magnitude * fabs(q));
                add(&dv, j, c, dropped * dout, fabs(dropped * dout));
            }
        }
    }
    kernels->attention_backward(b, p->dout, p->ldo, p->dq, p->dk, p->dv, p->scratch);
    compare("dq", &dq, b->queries, b->dim, p->dq, b->ldq);
    compare("dk", &dk, b->keys, b->dim, p->dk, b->ldk);
    compare("dv", &dv, b->keys, b->dim, p->dv, b->ldv);
}

static const size_t shapes[][3] = {{1, 1, 1},  {1, 9, 4},   {3, 5, 7},    {8, 16, 16},
                                   {17, 4, 8}, {13, 33, 5}, {40, 40, 33}, {7, 11, 32}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void forward_and_backward(const struct tolk_row_kernels *kernels)
{
    for (size_t s = 0; s < 4 * SHAPES; s++) {
        const size_t *shape = shapes[s / 4];
        const bool causal = s % 2 == 1;
        struct problem p =
            problem(shape[0], causal ? shape[0] : shape[1], shape[2], causal, s / 2 % 2);
        check_forward(kernels, &p);
        check_backward(kernels, &p);
        release(&p);
    }
}

START_TEST(forward_and_backward_equal_the_reference)
{
    tolk_test_on_each_isa(forward_and_backward);
}
END_TEST

/* Keys in any order, from twice as many rows, as a cache of decoding has them. */
static const int32_t shuffled[MOST] = {3, 0, 7, 1, 1, 5, 9, 2, 4, 6, 8};

/* The rows that `indices` names, one behind the other; NULL: the first ones. */
static real *rows_of(const real *x, size_t count, size_t ld, const int32_t *indices)
{
    real *rows = tolk_test_numbers(count * ld, 0, 1);
    for (size_t j = 0; j < count; j++) {
        memcpy(rows + j * ld, x + (indices != NULL ? (size_t)indices[j] : j) * ld, ld * sizeof *x);
    }
    return rows;
}

/* One query over a cache is a block of one query for each head. */
static void check_attend(const struct tolk_row_kernels *kernels, size_t heads, size_t dim,
                         size_t keys, bool gathered)
{
    const size_t d = heads * dim, ld = d + 3;
    const size_t ldw = (keys + TOLK_ATTEND_GRAIN - 1) / TOLK_ATTEND_GRAIN * TOLK_ATTEND_GRAIN;
    real *q = tolk_test_numbers(d, 1, 1), *out = tolk_test_numbers(d, 1, 2);
    real *k = tolk_test_numbers(2 * keys * ld, 1, 3), *v = tolk_test_numbers(2 * keys * ld, 1, 4);
    real *weights = tolk_test_numbers(heads * ldw, 1, 5);
    const int32_t *const key_rows = gathered ? shuffled : NULL;
    real *keys_seen = rows_of(k, keys, ld, key_rows), *values_seen = rows_of(v, keys, ld, key_rows);
    kernels->attend(&(struct tolk_attend){.heads = heads,
                                          .dim = dim,
                                          .keys = keys,
                                          .q = q,
                                          .k = k,
                                          .v = v,
                                          .ld = ld,
                                          .key_rows = key_rows,
                                          .weights = weights,
                                          .ldw = ldw,
                                          .out = out});
    for (size_t h = 0; h < heads; h++) {
        static struct table expected, sums;
        const struct tolk_attention_block block = {
            .queries = 1,
            .keys = keys,
            .dim = dim,
            .q = q + h * dim,
            .k = keys_seen + h * dim,
            .v = values_seen + h * dim,
            .ldq = d,
            .ldk = ld,
            .ldv = ld,
            .mask = tolk_dropout_mask(NULL, 0, 0),
        };
        reference_weights(&block, &expected);
        reference_out(&block, &expected, &sums);
        compare("weights", &expected, 1, keys, weights + h * ldw, ldw);
        compare("out", &sums, 1, dim, out + h * dim, d);
    }
    free(q), free(out), free(k), free(v), free(weights);
    free(keys_seen), free(values_seen);
}

static void one_query(const struct tolk_row_kernels *kernels)
{
    static const size_t dims[] = {1, 5, 8, 16, 32, 36, 64};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        for (size_t keys = 1; keys <= MOST; keys += 9) {
            check_attend(kernels, 1 + i % 3, dims[i], keys, false);
        }
        check_attend(kernels, 2, dims[i], 11, true);
    }
}

START_TEST(one_query_over_a_cache_equals_the_reference)
{
    tolk_test_on_each_isa(one_query);
}
END_TEST

TOLK_SUITE("attention", forward_and_backward_equal_the_reference,
           one_query_over_a_cache_equals_the_reference)
