/* Which unit translates which: t(f|e) of Brown et al. 1993 ("The Mathematics of Statistical Machine
 * Translation"), for all units that meet in a pair, in both directions over one set of cells.
 *
 * A cell is a source unit and a target unit that stand in a pair together. Direction 0 generates
 * the target, its cells hold t(target | source); direction 1 generates the source. Either also has
 * a word NULL that generates what has no counterpart.
 *
 * Expected counts are whole numbers of 2^−32: sums of integers are the same in any order, so
 * threads may add in any order and the result keeps its bits. */
#ifndef TOLK_ALIGN_LEXICON_H
#define TOLK_ALIGN_LEXICON_H

#include <stddef.h>
#include <stdint.h>

#include "align/bitext.h"
#include "base/error.h"

/* A direction is named by the side that is given; it generates the other one. */
struct tolk_lexicon_direction {
    float *given;          /* t(f|e) [cells] */
    float *null;           /* t(f|NULL) [units of the side that is generated] */
    uint64_t *given_count; /* expected counts [cells] */
    uint64_t *null_count;
};

struct tolk_lexicon {
    size_t rows;      /* source units */
    size_t columns;   /* target units */
    size_t *begin;    /* [rows + 1]: cells of a row */
    uint32_t *column; /* [cells], rising within a row */
    struct tolk_lexicon_direction directions[TOLK_SIDES];
    struct tolk_lexicon_total *column_totals; /* [columns], room of the M-step */
};

/* Cells of all pairs, every distribution uniform over its cells. */
int tolk_lexicon_make(struct tolk_lexicon *lexicon, const struct tolk_bitext *bitext,
                      struct tolk_error *error);
void tolk_lexicon_free(struct tolk_lexicon *lexicon);

/* The cell, which must be there. */
size_t tolk_lexicon_cell(const struct tolk_lexicon *lexicon, uint32_t source, uint32_t target);

/* Adds an expected count, 0 … 1; any thread may. */
static inline void tolk_lexicon_count(uint64_t *count, double expected)
{
    __atomic_fetch_add(count, (uint64_t)(expected * 0x1p32), __ATOMIC_RELAXED);
}

void tolk_lexicon_forget_counts(struct tolk_lexicon *lexicon);

/* The M-step of variational Bayes (Johnson 2007, "Why doesn't EM find good HMM POS-taggers?",
 * eq. 4) under a Dirichlet prior of `alpha` for each cell:
 *
 *     t(f|e) = exp ψ(c(e,f) + α) / exp ψ(Σ_f' c(e,f') + α · cells of e)
 */
void tolk_lexicon_estimate(struct tolk_lexicon *lexicon, double alpha);

#endif
