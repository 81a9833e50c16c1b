/* The best continuations of a sentence's beam: partial selection over [rows, vocabulary] scores. */
#ifndef TOLK_INFER_SELECT_H
#define TOLK_INFER_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

/* Hypothesis `row` of the beam continued by `id`. */
struct tolk_candidate {
    size_t row;
    int32_t id;
    double log_probability; /* of id */
    double score;           /* of the hypothesis with it */
};

/* The best of all that was offered, best first; of equals the one offered first stays ahead. */
struct tolk_selection {
    struct tolk_candidate *items; /* [limit], the caller's */
    size_t limit;
    size_t count;
};

/* Offers each id but `barred` as a continuation of a hypothesis with this score, in order of id.
 * `normaliser` is the log Σ exp of its logits [vocabulary]. */
void tolk_select_row(struct tolk_selection *selection, size_t row, double score, const real *logits,
                     size_t vocabulary, double normaliser, int32_t barred);

/* Offers one id. */
void tolk_select_one(struct tolk_selection *selection, struct tolk_candidate candidate);

#endif
