/* The kernels beside the matrix products: everything that runs over rows of numbers.
 *
 * Each works on rows that the caller gives it, so that model/ can divide the rows (or, where a sum
 * runs over the rows, the columns) among threads; what a row or a column gives does not depend on
 * how they were divided. */
#ifndef TOLK_MODEL_KERNELS_ROWS_H
#define TOLK_MODEL_KERNELS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/dropout.h"
#include "model/guide.h"
#include "model/real.h"

/* Rows of a matrix that are read or written soon. */
struct tolk_rows_ahead {
    const real *rows; /* [count, dim] */
    size_t count, ld;
};
enum { TOLK_ATTENTION_AHEAD = 7 };

/* One sentence and one head of an attention. */
struct tolk_attention_block {
    size_t queries, keys, dim; /* dim: d_model / heads */
    bool causal;               /* query i sees the keys 0 … i */
    const real *q, *k, *v;     /* [queries, dim], [keys, dim], [keys, dim] */
    size_t ldq, ldk, ldv;
    real *weights; /* [queries, keys], before dropout */
    struct tolk_dropout_mask mask;
    uint32_t mask_index; /* of weights[0] */
    struct tolk_guide_rows guide;
    /* What the next block reads and writes: brought into the second-level cache while this one is
     * computed. The rows of a head are a few lines each, which the processor does not foresee. */
    struct tolk_rows_ahead ahead[TOLK_ATTENTION_AHEAD];
    size_t ahead_count;
};

/* One query over the keys of a cache, all heads: head h owns the columns [h · dim, (h + 1) · dim).
 */
struct tolk_attend {
    size_t heads, dim, keys; /* keys ≥ 1 */
    const real *q;           /* [heads · dim] */
    const real *k, *v;       /* rows ld apart */
    size_t ld;
    const int32_t *key_rows; /* NULL, or which rows of k and v the keys are */
    real
        *weights; /* [heads, keys], rows ldw apart: a multiple of TOLK_ATTEND_GRAIN, zeros behind */
    size_t ldw;
    real *out; /* [heads · dim] */
};
enum { TOLK_ATTEND_GRAIN = 64 / sizeof(real) };

struct tolk_cross_entropy_row {
    double smoothed;
    double negative_log_likelihood;
};

/* The factors of one AdamW update, in the type of the numbers; train/optimizer.h has the formula.
 */
struct tolk_adam_step {
    real clip;
    real beta1, beta2;
    real rate;          /* η / (1 − β₁ᵗ) */
    real second_factor; /* 1 / sqrt(1 − β₂ᵗ) */
    real epsilon;
    real decay;   /* η λ */
    real renewal; /* 1 − d */
};

struct tolk_row_kernels {
    /* y = (x - mean) · rstd · weight + bias, rstd = 1 / sqrt(variance + ε) (Ba et al. 2016).
     * x, y [rows, d]; mean, rstd [rows]. */
    void (*layer_norm_forward)(size_t rows, size_t d, const real *x, const real *weight,
                               const real *bias, real *y, real *mean, real *rstd);
    /* dx = (or += when `accumulate`) rstd · (g - mean(g) - x̂ · mean(g ∘ x̂)), g = dy ∘ weight, and
     * dweight += Σ_rows dy ∘ x̂, dbias += Σ_rows dy. dx may be dy. */
    void (*layer_norm_backward)(size_t rows, size_t d, const real *x, const real *weight,
                                const real *mean, const real *rstd, const real *dy, bool accumulate,
                                real *dx, real *dweight, real *dbias);

    /* sums[c] += scale · Σ_rows x[row, c] for the columns [begin, end). */
    void (*column_sums)(size_t rows, size_t ld, size_t begin, size_t end, const real *x, real scale,
                        real *sums);

    /* The next four work on a rectangle of matrices whose rows lie ld apart; `index` is that of its
     * first number, row · ld + column, by which dropout draws.
     * y = x + dropout(branch); y = dropout(x). y may be x or branch. */
    void (*residual)(size_t rows, size_t columns, size_t ld, size_t index,
                     struct tolk_dropout_mask mask, const real *x, const real *branch, real *y);
    void (*dropout)(size_t rows, size_t columns, size_t ld, size_t index,
                    struct tolk_dropout_mask mask, const real *x, real *y);

    /* y = dropout(f(x)); dx = dropout(dy) ∘ f'(x). y may be x, dx may be dy. For ReLU the gradient
     * is given y in the place of x: what is above zero passed both f and the dropout. */
    void (*activation_forward)(enum tolk_activation activation, size_t rows, size_t columns,
                               size_t ld, size_t index, struct tolk_dropout_mask mask,
                               const real *x, real *y);
    void (*activation_backward)(enum tolk_activation activation, size_t rows, size_t columns,
                                size_t ld, size_t index, struct tolk_dropout_mask mask,
                                const real *x, const real *dy, real *dx);

    /* weights = softmax(q kᵀ / √dim), out = dropout(weights) v. */
    void (*attention_forward)(const struct tolk_attention_block *block, real *out, size_t ldo,
                              real *scratch);
    /* dq, dk, dv are stored, not added to; their rows lie ldq, ldk and ldv apart. */
    void (*attention_backward)(const struct tolk_attention_block *block, const real *dout,
                               size_t lddo, real *dq, real *dk, real *dv, real *scratch);

    /* weights = softmax(q kᵀ / √dim), out = weights v, head by head. */
    void (*attend)(const struct tolk_attend *attend);

    /* The label-smoothed cross-entropy of one row. When `gradient`, the logits turn into theirs,
     * softmax(logits) - (1 - ε) · [v = label] - ε / V. */
    struct tolk_cross_entropy_row (*cross_entropy)(size_t columns, real *logits, size_t label,
                                                   double label_smoothing, bool gradient);
    /* log Σ exp x; NaN when an x is. */
    double (*log_sum_exp)(size_t columns, const real *x);
    /* max x, of at least one column; a NaN is passed over but in the first. */
    real (*maximum)(size_t columns, const real *x);
    /* Of each `width` columns, and of those that are left. */
    void (*maxima)(size_t columns, size_t width, const real *x, real *maxima);
    /* The first column ≥ begin whose x is above the bound, else `columns`. */
    size_t (*next_above)(size_t begin, size_t columns, const real *x, real bound);

    /* Σ x², summed in double, in an order that does not depend on the instruction set. */
    double (*sum_of_squares)(size_t size, const real *x);
    /* One update of `size` numbers, the gradients zero after it; `decays` is 1 where weight decay
     * applies, else 0. `average` may be NULL. */
    void (*adam)(const struct tolk_adam_step *step, real decays, size_t size, real *restrict values,
                 real *restrict gradients, real *restrict first, real *restrict second,
                 real *restrict average);
};

extern const struct tolk_row_kernels tolk_row_kernels_baseline;
extern const struct tolk_row_kernels tolk_row_kernels_neon;
extern const struct tolk_row_kernels tolk_row_kernels_avx2;
extern const struct tolk_row_kernels tolk_row_kernels_avx512;

#endif
