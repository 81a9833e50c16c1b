/* AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019) over the arena, with clipping by the global
 * norm (Pascanu et al. 2013) and an exponential moving average of the weights, in one pass.
 *
 *     g ← clip · g                     m ← β₁ m + (1 − β₁) g       v ← β₂ v + (1 − β₂) g²
 *     w ← w − η (λ w + m̂ / (sqrt(v̂) + ε))      m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
 *     a ← a + (1 − d) (w − a)          d = min(decay, (1 + t) / (10 + t))
 *
 * λ is 0 for biases and layer norms, the tensors that have one row. The result is the same bits for
 * any number of threads: sums run over fixed pieces of the arena and the pieces' sums in order. */
#ifndef TOLK_TRAIN_OPTIMIZER_H
#define TOLK_TRAIN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/parameters.h"
#include "model/real.h"

struct tolk_optimizer_options {
    double beta1;
    double beta2;
    double epsilon;
    double weight_decay;
    double clip;          /* the largest norm of the gradient; 0: no clipping */
    double average_decay; /* of the moving average; 0: the average is the weights */
};

/* A piece of the arena that lies within one tensor. */
struct tolk_optimizer_piece {
    size_t begin;
    size_t size;
    real decays; /* 1 where weight decay applies, else 0 */
};

struct tolk_optimizer {
    struct tolk_optimizer_options options;
    size_t size;   /* numbers in each arena */
    real *first;   /* m [size] */
    real *second;  /* v [size] */
    real *average; /* a [size]; without a decay it is the values themselves */
    struct tolk_optimizer_piece *pieces;
    double *sums; /* [piece_count] */
    size_t piece_count;
};

/* Zero moments; the average begins as `values`, which must outlive the optimiser. */
int tolk_optimizer_create(struct tolk_optimizer *optimizer, const struct tolk_layout *layout,
                          const struct tolk_optimizer_options *options, real *values,
                          struct tolk_error *error);
void tolk_optimizer_free(struct tolk_optimizer *optimizer);

/* Euclidean norm over the arena; infinite or NaN where a number is. */
double tolk_optimizer_norm(struct tolk_optimizer *optimizer, const real *gradients);

/* Update number `update` (from 1): changes values, moments and average, and leaves the gradients
 * zero for the next batch. `norm` is that of the gradients. */
void tolk_optimizer_update(struct tolk_optimizer *optimizer, uint64_t update, double rate,
                           double norm, real *values, real *gradients);

#endif
