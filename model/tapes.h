/* What a pass with TOLK_INSPECTION computed in each attention, for who explains it: q, k and v of
 * every position, the weights, and z (Vaswani et al. 2017, equation 1). n is the number of queries,
 * m of keys, d_k the width of a head. */
#ifndef TOLK_MODEL_TAPES_H
#define TOLK_MODEL_TAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/parameters.h"
#include "model/transformer.h"

/* One head of one sentence; rows of q are ldq apart, and so on. */
struct tolk_attention_head {
    size_t queries, keys; /* n, m */
    size_t dim;           /* d_k */
    bool causal;          /* query i sees keys 0 … i alone */
    const real *q;        /* [n, d_k], before the division by √d_k */
    const real *k;        /* [m, d_k] */
    const real *v;        /* [m, d_k] */
    const real *weights;  /* [n, m]: softmax(q Kᵀ / √d_k) */
    const real *z;        /* [n, d_k]: weights · V */
    size_t ldq, ldk, ldv, ldz;
    /* What q, k and v are made of: rows [d_model], d_model apart. q = W_q · query_input + b_q, k
     * and v likewise of key_input. In a pre-norm model these stand behind the layer norm. */
    const real *query_input; /* [n, d_model] */
    const real *key_input;   /* [m, d_model] */
    /* W_q, W_k, W_v: rows [first_row, first_row + d_k) belong to this head. */
    const struct tolk_attention_weights *projections;
    size_t first_row;
};

struct tolk_attention_head tolk_tapes_head(const struct tolk_workspace *workspace,
                                           enum tolk_attention_kind kind, size_t layer,
                                           size_t sentence, size_t head);

/* How row `row` of a sentence enters its stack: x = scale · token + position, [d_model] each. */
struct tolk_embedded_row {
    real scale;           /* √d_model; 1 in a model that does not scale its embeddings */
    const real *token;    /* E[id] */
    const real *position; /* P[row] */
    const real *x;
};

/* Of the encoder, and of the decoder, whose first row is the start token. The batch of the pass
 * must still be there. */
struct tolk_embedded_row tolk_tapes_source_row(const struct tolk_workspace *workspace,
                                               size_t sentence, size_t row);
struct tolk_embedded_row tolk_tapes_target_row(const struct tolk_workspace *workspace,
                                               size_t sentence, size_t row);

#endif
