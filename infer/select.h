/* The best continuations of a sentence's beam: partial selection over [rows, vocabulary] scores. */
#ifndef TOLK_INFER_SELECT_H
#define TOLK_INFER_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/real.h"
#include "model/screening.h"

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

struct tolk_select_rules {
    size_t vocabulary;
    int32_t eos;
    int32_t pad;     /* barred */
    bool normalised; /* else scores are sums of logits, which a single row may do with; an end that
                        is forced adds nothing */
};

/* Where logits [vocabulary] come from, row by row. */
struct tolk_select_logits {
    const real *(*of)(void *context, size_t row);
    void *context;
    /* Or, where scores are not normalised, of the greatest but pad's alone, then not NULL. */
    struct tolk_greatest (*greatest)(void *context, size_t row);
};

/* The hypotheses of a sentence, best first: rows [first, first + rows) of their step. */
struct tolk_select_beam {
    size_t first, rows;
    const double *scores; /* [rows] */
    const struct tolk_select_logits *logits;
    bool last; /* they are at their greatest length: eos alone may follow */
};

/* Empties the selection and fills it with the best continuations of the beam, whose rows they count
 * from 0. It does not ask for the logits of a hypothesis whose score alone is below all of a full
 * selection: no log p is above 0. False when the model gave no number. */
bool tolk_select_continuations(struct tolk_selection *selection,
                               const struct tolk_select_rules *rules,
                               const struct tolk_select_beam *beam);

#endif
