/* One pass over all pairs with the models as they stand: the E-step, or the alignment. */
#ifndef TOLK_ALIGN_EXPECTATION_H
#define TOLK_ALIGN_EXPECTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "align/bitext.h"
#include "align/hmm.h"
#include "align/lexicon.h"
#include "align/model1.h"
#include "base/error.h"

/* The models of both directions, by the side that is given. */
struct tolk_models {
    const struct tolk_bitext *bitext;
    struct tolk_lexicon *lexicon;
    bool hmm;     /* else model 1 */
    double prior; /* of each cell of the lexicon (lexicon.h) */
    struct tolk_hmm hmms[TOLK_SIDES];
};

/* What the models say of one pair. */
struct tolk_pair_posteriors {
    size_t pair;
    const struct tolk_unit *units[TOLK_SIDES];
    size_t count[TOLK_SIDES];
    /* p(a_j = i) [words that are generated][positions], by the side that is given. */
    struct tolk_trellis trellises[TOLK_SIDES];
};

/* Called for each pair, by many threads; -1 when there is no memory. */
typedef int tolk_posteriors_visit(void *context, const struct tolk_pair_posteriors *posteriors);

/* Visits the posteriors of each pair (`visit` may be NULL). With `learning` the expected counts are
 * gathered and the models estimated anew. `log_likelihood` [TOLK_SIDES], which may be NULL, gets
 * that of the models as they were. */
int tolk_expectation(struct tolk_models *models, bool learning, tolk_posteriors_visit *visit,
                     void *context, double *log_likelihood, struct tolk_error *error);

#endif
