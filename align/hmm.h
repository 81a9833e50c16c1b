/* The hidden Markov model of word alignment (Vogel, Ney & Tillmann 1996, "HMM-Based Word Alignment
 * in Statistical Translation"), with the empty word as Och & Ney 2003 have it ("A Systematic
 * Comparison of Various Statistical Alignment Models", section 2.2.1).
 *
 * Given e_1 … e_I the model writes f_1 … f_J: before each f_j it jumps from the position i' of the
 * word that wrote last to a position i, or writes from NULL and stays:
 *
 *     p(f, a | e) = Π_j  (1 − p0) · p(i | i', I) · t(f_j | e_i)      a_j = i
 *                        p0 · t(f_j | NULL)                          a_j = NULL
 *
 *     p(i | i', I) = w(i − i') / Σ_{k = 1 … I} w(k − i')
 *
 * Jumps farther than WIDEST share the weight of the farthest. The first jump, from before the
 * sentence, has weights of its own. */
#ifndef TOLK_ALIGN_HMM_H
#define TOLK_ALIGN_HMM_H

#include <stddef.h>
#include <stdint.h>

#include "align/trellis.h"

enum {
    TOLK_HMM_WIDEST = 12,
    TOLK_HMM_JUMPS = 2 * TOLK_HMM_WIDEST + 1,
    TOLK_ALIGNER_LONGEST = 200, /* units of a sentence */
};

struct tolk_hmm {
    double null;                       /* p0 */
    double weight[TOLK_HMM_JUMPS];     /* w(d) at d + WIDEST, d = i − i' */
    double first[TOLK_HMM_WIDEST + 1]; /* w of the first jump, to position 0, 1, … */
};

/* Expected jumps, whole numbers of 2^−32 (see lexicon.h). */
struct tolk_hmm_counts {
    uint64_t jump[TOLK_HMM_JUMPS];
    uint64_t first[TOLK_HMM_WIDEST + 1];
    /* How often a jump left a position with so many before it and so many behind. */
    uint64_t left[TOLK_ALIGNER_LONGEST][TOLK_ALIGNER_LONGEST];
    uint64_t started[TOLK_ALIGNER_LONGEST + 1]; /* sentences of so many positions */
};

/* Doubles that tolk_hmm_posteriors works in. */
size_t tolk_hmm_room(size_t positions, size_t words);

/* Uniform weights. */
struct tolk_hmm tolk_hmm_make(double null);

/* Forward–backward. `counts` may be NULL. */
void tolk_hmm_posteriors(const struct tolk_hmm *hmm, struct tolk_trellis *trellis, double *room,
                         struct tolk_hmm_counts *counts);

void tolk_hmm_counts_add(struct tolk_hmm_counts *to, const struct tolk_hmm_counts *from);

/* The M-step of the weights. Their normaliser depends on where the jump starts, so there is no
 * closed form; this is one step of the minorisation of Hunter 2004 ("MM algorithms for generalized
 * Bradley–Terry models"), with a gamma prior of each weight (Caron & Doucet 2012, "Efficient
 * Bayesian Inference for Generalized Bradley–Terry Models"). It never lowers
 * Σ ln p(f | e) + ε · Σ_d (ln w(d) − w(d)), ε = 0.001:
 *
 *     w(d) ← (c(d) + ε) / (Σ_{i', I} c(i', I) · [positions of I at d from i'] / Σ_k w(k − i') + ε)
 */
void tolk_hmm_estimate(struct tolk_hmm *hmm, const struct tolk_hmm_counts *counts);

#endif
