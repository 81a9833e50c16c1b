/* Posterior attention: which source position a target token came from, once the token is known.
 *
 * Attention is settled before its token is: at step t the decoder looks where it may find something
 * to write, often at several words. With the token y given, Bayes' rule makes a posterior of that
 * prior (posterior attention: Shankar & Sarawagi, "Posterior Attention Models for Sequence to
 * Sequence Learning", 2019, eq. 2):
 *
 *     P(s | y) ∝ a(t, s) · exp(c(t, s))
 *
 *     a(t, s) = the attention of step t to position s, averaged over the heads
 *     c(t, s) = Σ_heads (γ ∘ (E[y] − its mean)) · W_O v_s / σ_t
 *
 * c is what y's logit would gain if all those heads looked at s alone and nothing but the last
 * layer norm (gain γ; deviation σ_t as in this pass) stood between them and the output: direct
 * logit attribution (Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021). It
 * needs no training and has no constant to choose. Pre-norm models are meant; in a post-norm model
 * more layer norms stand between, which are left out. */
#ifndef TOLK_MODEL_POSTERIOR_H
#define TOLK_MODEL_POSTERIOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/transformer.h"

/* Some heads of the decoder's cross-attention: bit h of heads[l] is head h of layer l. */
struct tolk_head_set {
    uint64_t heads[TOLK_MAX_LAYERS];
};

static inline void tolk_head_set_add(struct tolk_head_set *set, size_t layer, size_t head)
{
    set->heads[layer] |= UINT64_C(1) << head;
}

static inline bool tolk_head_set_has(const struct tolk_head_set *set, size_t layer, size_t head)
{
    return (set->heads[layer] >> head & 1) != 0;
}

/* What a pass of the decoder left behind, and room for the posterior; d is d_model. The weights of
 * all heads are laid out as struct tolk_attention says, those of one head and sentence as
 * [target rows, source rows]. */
struct tolk_posterior {
    const real *const *priors; /* [decoder_layers]: cross-attention weights */
    const real *const *kv;     /* [decoder_layers]: keys and values [source rows, 2 d] */
    const size_t *weight_begin;
    const real *rstd; /* [target rows], 1 / σ_t of the last layer norm */
    real *token;      /* [target rows, d] */
    real *value;      /* [target rows, d] */
    real *evidence;   /* [weight_begin[sentences]] */
    real *weights;    /* the same: the posterior, at weight_begin[s] that of sentence s */
};

/* The posterior of batch->target_output for every sentence; rows sum to 1. */
void tolk_posterior_run(const struct tolk_model *model, const struct tolk_batch *batch,
                        const struct tolk_head_set *set, const struct tolk_posterior *posterior);

/* The same after a forward pass with a reservation that was not for training. */
void tolk_transformer_posterior(const struct tolk_model *model, const struct tolk_batch *batch,
                                const struct tolk_head_set *set, struct tolk_workspace *workspace);

/* The last posterior of one sentence: row-major [target rows, source rows]. */
const real *tolk_workspace_posterior(const struct tolk_workspace *workspace, size_t sentence);

#endif
