/* A statistical word aligner: learns from nothing but the pairs which words translate each other.
 *
 *     struct tolk_aligner_options options = tolk_aligner_options_default();
 *     struct tolk_links *links = calloc(pairs.count, sizeof *links);
 *     if (tolk_align_pairs(&pairs, &options, links, &error) != 0) …
 *
 * IBM model 1 (Brown et al. 1993) starts a hidden Markov model (hmm.h), both in both directions.
 * The directions learn together: the expected count of a link is the product of its probabilities
 * in either (Liang, Taskar & Klein 2006, "Alignment by Agreement"). The alignments of the two
 * directions are then made into one (symmetrise.h).
 *
 * The result is the same, to the bit, for any number of threads. */
#ifndef TOLK_ALIGN_ALIGNER_H
#define TOLK_ALIGN_ALIGNER_H

#include <stddef.h>

#include "align/symmetrise.h"
#include "base/error.h"
#include "corpora/pairs.h"
#include "corpora/pharaoh.h"

struct tolk_aligner_options {
    enum tolk_symmetrisation symmetrisation;
    size_t model1_iterations;
    size_t hmm_iterations;
    double prior; /* Dirichlet, of each pair of words: the smaller, the fewer translations
                     (lexicon.h) */
    double null;  /* probability that a word has no counterpart, 0 < p0 < 1 (hmm.h) */
};

struct tolk_aligner_options tolk_aligner_options_default(void);

/* Trains on all pairs and aligns them: links[i] are those of pair i, set by the call, sorted as
 * corpora/pharaoh.h says. A pair with more than TOLK_ALIGNER_LONGEST (hmm.h) units on a side has no
 * links and teaches nothing. On failure nothing is left in `links`. */
int tolk_align_pairs(const struct tolk_pairs *pairs, const struct tolk_aligner_options *options,
                     struct tolk_links *links, struct tolk_error *error);

#endif
