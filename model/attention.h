/* Multi-head attention (Vaswani et al. 2017, section 3.2): softmax(Q Kᵀ / √d_head) V for each
 * sentence and head. One routine for encoder self-attention, causal self-attention and
 * cross-attention; the projections to and from Q, K, V are linear layers around it. A step of
 * decoding, one query over a cache, is kernels/attend.c. */
#ifndef TOLK_MODEL_ATTENTION_H
#define TOLK_MODEL_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dropout.h"
#include "model/guide.h"
#include "model/real.h"

/* Which rows attend to which, and where q, k and v lie. Head h owns the columns
 * [h · d_model / heads, (h + 1) · d_model / heads) of each. */
struct tolk_attention {
    size_t d_model, heads;
    size_t sentences;
    const size_t *query_begin; /* [sentences + 1], rows of q */
    const size_t *key_begin;   /* [sentences + 1], rows of k and v */
    bool causal;
    const real *q, *k, *v; /* rows ldq, ldk, ldv apart */
    size_t ldq, ldk, ldv;
    /* The weights of sentence s and head h: row-major [queries, keys] at
     * weights + heads · weight_begin[s] + h · queries · keys. */
    real *weights;
    const size_t *weight_begin; /* [sentences + 1], prefix sums of queries · keys */
    struct tolk_dropout_mask mask;
    /* The backward pass adds the gradient of its loss to that of its head; NULL: none. */
    const struct tolk_guide *guide;
    real *scratch; /* tolk_attention_scratch_size() for each thread */
    size_t scratch_size;
};

/* The numbers of scratch that one thread needs for sentences of at most so many queries and keys.
 */
size_t tolk_attention_scratch_size(size_t queries, size_t keys, size_t head_dim);

/* out [query rows, d_model]. */
void tolk_attention_forward(const struct tolk_attention *attention, real *out);

/* From dout [query rows, d_model]: dq, dk, dv, stored, their rows ldq, ldk, ldv apart. */
void tolk_attention_backward(const struct tolk_attention *attention, const real *dout, real *dq,
                             real *dk, real *dv);

#endif
