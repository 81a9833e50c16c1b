/* Guided alignment (Garg et al. 2019, "Jointly Learning to Align and Translate with Transformer
 * Models"; Chen et al. 2016, "Guided Alignment Training for Topic-Aware Neural Machine
 * Translation"): one head of the decoder's cross-attention learns from links where to look, beside
 * the translation that the whole model learns.
 *
 * With a[t, s] the head's weights before dropout, and row t of the target to look at the n_t > 0
 * source rows S_t:
 *
 *     loss = −Σ_t Σ_s p[t, s] · log a[t, s]          p[t, s] = 1 / n_t for s in S_t, else 0
 *     ∂ loss / ∂ score[t, s] = a[t, s] − p[t, s]     a = softmax(score)
 *
 * A row without any such source row is free: it has no loss. */
#ifndef TOLK_MODEL_GUIDE_H
#define TOLK_MODEL_GUIDE_H

#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

/* For one batch: target row t, counted over all its sentences, looks at the source rows
 * keys[begin[t]] … keys[begin[t + 1]], each once, counted from the first of its own sentence. */
struct tolk_guide {
    size_t layer, head;
    double scale;         /* of this loss in the gradient */
    const size_t *begin;  /* [target rows + 1] */
    const uint32_t *keys; /* [begin[target rows]] */
};

/* One sentence of it for the attention's backward pass; begin NULL: none. */
struct tolk_guide_rows {
    const size_t *begin; /* [queries + 1] */
    const uint32_t *keys;
    real scale;
};

/* −Σ_s p[t, s] · log a[t, s] of one row; `weights` are its a, and begin[0] … begin[1] its keys. A
 * weight too small for a number counts as the smallest. */
double tolk_guide_row_loss(const size_t *begin, const uint32_t *keys, const real *weights);

#endif
