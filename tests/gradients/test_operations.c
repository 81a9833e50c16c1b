/* Each operation's backward pass against central differences: random inputs and a random cotangent,
 * at several scales, ragged lengths, relative to the largest gradient. */
#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/attention.h"
#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/layers.h"
#include "tests/gradients/differences.h"

static const double scales[] = {0.1, 1, 4};
enum { SCALES = 3 };

/* ---- linear -------------------------------------------------------------------------------------
 */

enum { ROWS = 5, IN = 7, OUT = 3 };

struct linear_case {
    struct tolk_linear linear;
    real *x, *y, *dy;
};

static double linear_value(void *context)
{
    const struct linear_case *c = context;
    tolk_linear_forward(&c->linear, TOLK_REAL, ROWS, IN, OUT, c->x, IN, c->y, OUT, NULL);
    return dot(c->y, c->dy, ROWS * OUT);
}

START_TEST(linear)
{
    for (size_t s = 0; s < SCALES; s++) {
        struct linear_case c = {
            .linear = {random_numbers(OUT * IN, scales[s], 1), random_numbers(OUT, 1, 2)},
            .x = random_numbers(ROWS * IN, scales[s], 3),
            .y = random_numbers(ROWS * OUT, 0, 4),
            .dy = random_numbers(ROWS * OUT, 1, 5),
        };
        struct tolk_linear gradient = {random_numbers(OUT * IN, 0, 6), random_numbers(OUT, 0, 7)};
        real *dx = random_numbers(ROWS * IN, 0, 8);
        tolk_linear_backward(&c.linear, &gradient, TOLK_REAL, ROWS, IN, OUT, c.x, IN, c.dy, OUT,
                             TOLK_STORE, dx, NULL);
        compare("x", linear_value, &c, c.x, dx, ROWS * IN, 1e-3);
        compare("weight", linear_value, &c, c.linear.weight, gradient.weight, OUT * IN, 1e-3);
        compare("bias", linear_value, &c, c.linear.bias, gradient.bias, OUT, 1e-3);
        free(c.linear.weight);
        free(c.linear.bias);
        free(c.x);
        free(c.y);
        free(c.dy);
        free(gradient.weight);
        free(gradient.bias);
        free(dx);
    }
}
END_TEST

/* ---- layer norm ---------------------------------------------------------------------------------
 */

enum { WIDTH = 11 };

struct norm_case {
    struct tolk_layer_norm norm;
    real *x, *y, *mean, *rstd, *dy;
};

static double norm_value(void *context)
{
    const struct norm_case *c = context;
    tolk_layer_norm_forward(&c->norm, ROWS, WIDTH, c->x, c->y, c->mean, c->rstd);
    return dot(c->y, c->dy, ROWS * WIDTH);
}

START_TEST(layer_norm)
{
    for (size_t s = 0; s < SCALES; s++) {
        struct norm_case c = {
            .norm = {random_numbers(WIDTH, 1, 11), random_numbers(WIDTH, 1, 12)},
            .x = random_numbers(ROWS * WIDTH, scales[s], 13),
            .y = random_numbers(ROWS * WIDTH, 0, 14),
            .mean = random_numbers(ROWS, 0, 15),
            .rstd = random_numbers(ROWS, 0, 16),
            .dy = random_numbers(ROWS * WIDTH, 1, 17),
        };
        struct tolk_layer_norm gradient = {random_numbers(WIDTH, 0, 18),
                                           random_numbers(WIDTH, 0, 19)};
        /* Accumulated onto what is there, then in place over dy: both give the same. */
        real *dx = random_numbers(ROWS * WIDTH, 0, 20);
        real *in_place = random_numbers(ROWS * WIDTH, 1, 17);
        real *partial = random_numbers(tolk_partial_sums_size(ROWS, 2 * WIDTH), 1, 18);
        norm_value(&c);
        tolk_layer_norm_backward(&c.norm, &gradient, ROWS, WIDTH, c.x, c.mean, c.rstd, c.dy, true,
                                 dx, partial);
        compare("x", norm_value, &c, c.x, dx, ROWS * WIDTH, scales[s] * 1e-3);
        compare("weight", norm_value, &c, c.norm.weight, gradient.weight, WIDTH, 1e-3);
        compare("bias", norm_value, &c, c.norm.bias, gradient.bias, WIDTH, 1e-3);
        norm_value(&c);
        tolk_layer_norm_backward(&c.norm, &gradient, ROWS, WIDTH, c.x, c.mean, c.rstd, in_place,
                                 false, in_place, partial);
        free(partial);
        for (size_t i = 0; i < ROWS * WIDTH; i++) {
            ck_assert_double_eq_tol(in_place[i], dx[i], 1e-12 * (1 + fabs(dx[i])));
        }
        free(c.norm.weight);
        free(c.norm.bias);
        free(c.x);
        free(c.y);
        free(c.mean);
        free(c.rstd);
        free(c.dy);
        free(gradient.weight);
        free(gradient.bias);
        free(dx);
        free(in_place);
    }
}
END_TEST

/* ---- activations, residual, dropout -------------------------------------------------------------
 */

struct activation_case {
    enum tolk_activation activation;
    struct tolk_dropout_mask mask;
    real *x, *y, *dy;
};

static double activation_value(void *context)
{
    const struct activation_case *c = context;
    tolk_isa()->rows->activation_forward(c->activation, ROWS, WIDTH, WIDTH, 0, c->mask, c->x, c->y);
    return dot(c->y, c->dy, ROWS * WIDTH);
}

START_TEST(activation)
{
    static const enum tolk_activation activations[] = {TOLK_RELU, TOLK_SWISH, TOLK_GELU};
    const struct tolk_dropout dropout = {3, 4};
    for (size_t a = 0; a < 3; a++) {
        for (size_t s = 0; s < SCALES; s++) {
            struct activation_case c = {
                .activation = activations[a],
                .mask = tolk_dropout_mask(s == 0 ? NULL : &dropout, 9, 0.3),
                .x = random_numbers(ROWS * WIDTH, scales[s], 21),
                .y = random_numbers(ROWS * WIDTH, 0, 22),
                .dy = random_numbers(ROWS * WIDTH, 1, 23),
            };
            real *dx = random_numbers(ROWS * WIDTH, 0, 24);
            activation_value(&c);
            tolk_isa()->rows->activation_backward(c.activation, ROWS, WIDTH, WIDTH, 0, c.mask,
                                                  c.activation == TOLK_RELU ? c.y : c.x, c.dy, dx);
            /* A step small enough that no number crosses the kink of ReLU. */
            compare("x", activation_value, &c, c.x, dx, ROWS * WIDTH,
                    c.activation == TOLK_RELU ? 1e-4 : 1e-3);
            free(c.x);
            free(c.y);
            free(c.dy);
            free(dx);
        }
    }
}
END_TEST

START_TEST(residual_with_dropout)
{
    const struct tolk_dropout dropout = {3, 4};
    const struct tolk_dropout_mask mask = tolk_dropout_mask(&dropout, 2, 0.4);
    real *x = random_numbers(ROWS * WIDTH, 1, 31);
    real *branch = random_numbers(ROWS * WIDTH, 1, 32);
    real *y = random_numbers(ROWS * WIDTH, 0, 33);
    real *dropped = random_numbers(ROWS * WIDTH, 0, 34);
    size_t zeros = 0;
    tolk_residual(ROWS, WIDTH, mask, x, branch, y);
    tolk_dropout_apply(ROWS, WIDTH, mask, branch, dropped);
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        /* What flows back through the residual is what went forward: the same mask, the same scale.
         */
        ck_assert_double_eq_tol(y[i], x[i] + dropped[i], 1e-15 * 10);
        ck_assert(dropped[i] == 0 || fabs(dropped[i] - branch[i] / 0.6) < 1e-12);
        zeros += dropped[i] == 0;
    }
    ck_assert_uint_gt(zeros, 0);
    ck_assert_uint_lt(zeros, ROWS * WIDTH);
    free(x);
    free(branch);
    free(y);
    free(dropped);
}
END_TEST

/* ---- attention ----------------------------------------------------------------------------------
 */

enum { SENTENCES = 3, HEADS = 2, HEAD_DIM = 5, D = HEADS * HEAD_DIM };
static const size_t query_rows[] = {0, 4, 5, 14};
static const size_t key_rows[] = {0, 3, 10, 11};
static const size_t cross_pairs[] = {0, 12, 19, 28};
static const size_t self_pairs[] = {0, 16, 17, 98};

/* Each sentence: rows that look at one key, at several, at none. */
static const size_t guide_begin[] = {0, 1, 4, 4, 6, 9, 9, 9, 9, 10, 10, 11, 11, 12, 12};
static const uint32_t guide_keys[] = {2, 0, 1, 2, 0, 2, 3, 1, 6, 0, 0, 0};
static const struct tolk_guide guide = {
    .head = 1, .scale = 0.7, .begin = guide_begin, .keys = guide_keys};

struct attention_case {
    struct tolk_attention attention;
    real *q, *k, *v, *out, *dout;
    size_t queries, keys;
};

static double attention_value(void *context)
{
    const struct attention_case *c = context;
    double guided = 0;
    tolk_attention_forward(&c->attention, c->out);
    for (size_t s = 0; s < SENTENCES && c->attention.guide != NULL; s++) {
        const size_t keys = key_rows[s + 1] - key_rows[s];
        const real *weights = c->attention.weights + HEADS * cross_pairs[s] +
                              guide.head * (cross_pairs[s + 1] - cross_pairs[s]);
        for (size_t row = query_rows[s]; row < query_rows[s + 1]; row++, weights += keys) {
            guided += tolk_guide_row_loss(guide_begin + row, guide_keys, weights);
        }
    }
    return dot(c->out, c->dout, c->queries * D) + guide.scale * guided;
}

static void check_attention(bool self, double scale, struct tolk_dropout_mask mask,
                            const struct tolk_guide *guided)
{
    struct attention_case c = {.queries = query_rows[SENTENCES],
                               .keys = self ? query_rows[SENTENCES] : key_rows[SENTENCES]};
    const size_t *keys = self ? query_rows : key_rows;
    const size_t *pairs = self ? self_pairs : cross_pairs;
    c.q = random_numbers(c.queries * D, scale, 41);
    c.k = random_numbers(c.keys * D, scale, 42);
    c.v = random_numbers(c.keys * D, scale, 43);
    c.out = random_numbers(c.queries * D, 0, 44);
    c.dout = random_numbers(c.queries * D, 1, 45);
    c.attention = (struct tolk_attention){
        .d_model = D,
        .heads = HEADS,
        .sentences = SENTENCES,
        .query_begin = query_rows,
        .key_begin = keys,
        .causal = self,
        .q = c.q,
        .k = c.k,
        .v = c.v,
        .ldq = D,
        .ldk = D,
        .ldv = D,
        .weights = random_numbers(HEADS * pairs[SENTENCES], 0, 46),
        .weight_begin = pairs,
        .mask = mask,
        .guide = guided,
        .scratch_size = tolk_attention_scratch_size(9, 9, HEAD_DIM),
    };
    c.attention.scratch =
        random_numbers(c.attention.scratch_size * (size_t)omp_get_max_threads(), 0, 47);
    real *dq = random_numbers(c.queries * D, 0, 48);
    real *dk = random_numbers(c.keys * D, 0, 49);
    real *dv = random_numbers(c.keys * D, 0, 50);
    attention_value(&c);
    tolk_attention_backward(&c.attention, c.dout, dq, dk, dv);
    compare("q", attention_value, &c, c.q, dq, c.queries * D, 1e-3 / (1 + scale));
    compare("k", attention_value, &c, c.k, dk, c.keys * D, 1e-3 / (1 + scale));
    compare("v", attention_value, &c, c.v, dv, c.keys * D, 1e-3);
    free(c.q);
    free(c.k);
    free(c.v);
    free(c.out);
    free(c.dout);
    free(c.attention.weights);
    free(c.attention.scratch);
    free(dq);
    free(dk);
    free(dv);
}

START_TEST(attention)
{
    const struct tolk_dropout dropout = {8, 1};
    const struct tolk_dropout_mask none = tolk_dropout_mask(NULL, 0, 0);
    for (size_t s = 0; s < SCALES; s++) {
        check_attention(false, scales[s], none, NULL);
        check_attention(true, scales[s], none, NULL);
        check_attention(false, scales[s], tolk_dropout_mask(&dropout, 3, 0.25), NULL);
        check_attention(false, scales[s], none, &guide);
        check_attention(false, scales[s], tolk_dropout_mask(&dropout, 3, 0.25), &guide);
    }
}
END_TEST

/* ---- cross-entropy ------------------------------------------------------------------------------
 */

struct loss_case {
    real *logits, *copy;
    size_t label;
    double smoothing;
};

static double loss_value(void *context)
{
    const struct loss_case *c = context;
    memcpy(c->copy, c->logits, WIDTH * sizeof *c->copy);
    return tolk_isa()->rows->cross_entropy(WIDTH, c->copy, c->label, c->smoothing, false).smoothed;
}

START_TEST(cross_entropy)
{
    static const double smoothings[] = {0, 0.1};
    for (size_t s = 0; s < SCALES; s++) {
        for (size_t e = 0; e < 2; e++) {
            struct loss_case c = {random_numbers(WIDTH, scales[s], 51),
                                  random_numbers(WIDTH, 0, 52), 4, smoothings[e]};
            real *gradient = random_numbers(WIDTH, 0, 53);
            memcpy(gradient, c.logits, WIDTH * sizeof *gradient);
            tolk_isa()->rows->cross_entropy(WIDTH, gradient, c.label, c.smoothing, true);
            compare("logits", loss_value, &c, c.logits, gradient, WIDTH, 1e-3);
            free(c.logits);
            free(c.copy);
            free(gradient);
        }
    }
}
END_TEST

/* sums = Σ_rows x, x [rows, WIDTH] */
static void check_column_sums(size_t rows, const real *x, const real *sums)
{
    for (size_t c = 0; c < WIDTH; c++) {
        real sum = 0;
        for (size_t row = 0; row < rows; row++) {
            sum += x[row * WIDTH + c];
        }
        ck_assert_double_eq_tol(sums[c], sum, 1e-12 * (1 + fabs(sum)));
    }
}

/* The sums over rows that layer norm takes along, over several blocks of rows. */
START_TEST(sums_of_blocks)
{
    enum { MANY = 2 * TOLK_BLOCK_ROWS + 5 };
    real *x = random_numbers(MANY * WIDTH, 1, 61);
    real *dy = random_numbers(MANY * WIDTH, 1, 62);
    real *y = random_numbers(MANY * WIDTH, 0, 63);
    real *mean = random_numbers(MANY, 0, 64);
    real *rstd = random_numbers(MANY, 0, 65);
    real *partial = random_numbers(tolk_partial_sums_size(MANY, 2 * WIDTH), 1, 66);
    struct tolk_layer_norm norm = {random_numbers(WIDTH, 1, 68), random_numbers(WIDTH, 1, 69)};
    struct tolk_layer_norm gradient = {random_numbers(WIDTH, 0, 70), random_numbers(WIDTH, 0, 71)};
    tolk_layer_norm_forward(&norm, MANY, WIDTH, x, y, mean, rstd);
    tolk_layer_norm_backward(&norm, &gradient, MANY, WIDTH, x, mean, rstd, dy, false, y, partial);
    check_column_sums(MANY, dy, gradient.bias);
    for (size_t row = 0; row < MANY; row++) {
        for (size_t c = 0; c < WIDTH; c++) {
            x[row * WIDTH + c] = dy[row * WIDTH + c] * (x[row * WIDTH + c] - mean[row]) * rstd[row];
        }
    }
    check_column_sums(MANY, x, gradient.weight);
    real *const all[] = {
        x, dy, y, mean, rstd, partial, norm.weight, norm.bias, gradient.weight, gradient.bias};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
    }
}
END_TEST

TOLK_SUITE("operation gradients", linear, layer_norm, activation, sums_of_blocks,
           residual_with_dropout, attention, cross_entropy)
