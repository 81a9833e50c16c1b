#include "infer/select.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "model/decoding.h"

void tolk_select_one(struct tolk_selection *selection, struct tolk_candidate candidate)
{
    struct tolk_candidate *const items = selection->items;
    size_t place = selection->count;
    while (place > 0 && items[place - 1].score < candidate.score) {
        place--;
    }
    if (place == selection->limit) {
        return;
    }
    if (selection->count < selection->limit) {
        selection->count++;
    }
    for (size_t i = selection->count - 1; i > place; i--) {
        items[i] = items[i - 1];
    }
    items[place] = candidate;
}

/* No logit up to this gives a better score than the last of a full selection. A little lower than
 * it need be, since what passes is compared in double precision. */
static real bound_for(const struct tolk_selection *selection, double score, double normaliser)
{
    const double slack = 1e-4;
    if (selection->count < selection->limit) {
        return -INFINITY;
    }
    const double exact = selection->items[selection->limit - 1].score - score + normaliser;
    return (real)(exact - slack * (1 + fabs(exact)));
}

void tolk_select_row(struct tolk_selection *selection, size_t row, double score, const real *logits,
                     size_t vocabulary, double normaliser, int32_t barred)
{
    real bound = bound_for(selection, score, normaliser);
    for (size_t id = tolk_next_above(logits, 0, vocabulary, bound); id < vocabulary;
         id = tolk_next_above(logits, id + 1, vocabulary, bound)) {
        const double log_probability = (double)logits[id] - normaliser;
        const double total = score + log_probability;
        const bool full = selection->count == selection->limit;
        if ((int32_t)id == barred || total == -INFINITY ||
            (full && total <= selection->items[selection->limit - 1].score)) {
            continue;
        }
        tolk_select_one(selection,
                        (struct tolk_candidate){row, (int32_t)id, log_probability, total});
        bound = bound_for(selection, score, normaliser);
    }
}

/* The end, which alone may follow. */
static void select_end(struct tolk_selection *selection, const struct tolk_select_rules *rules,
                       size_t row, double score, double log_probability)
{
    tolk_select_one(selection, (struct tolk_candidate){row, rules->eos, log_probability,
                                                       score + log_probability});
}

/* Of a single row its greatest logit. */
static bool select_greatest(struct tolk_selection *selection, const struct tolk_select_rules *rules,
                            const struct tolk_select_beam *beam)
{
    const double score = beam->scores[0];
    const struct tolk_greatest found = beam->logits->greatest(beam->logits->context, beam->first);
    if (beam->last) {
        select_end(selection, rules, 0, score, 0);
    } else if (found.id >= 0) {
        const double logit = (double)found.logit;
        tolk_select_one(selection, (struct tolk_candidate){0, found.id, logit, score + logit});
    }
    return selection->count > 0 && isfinite(found.logit);
}

bool tolk_select_continuations(struct tolk_selection *selection,
                               const struct tolk_select_rules *rules,
                               const struct tolk_select_beam *beam)
{
    selection->count = 0;
    if (beam->logits->greatest != NULL) {
        assert(!rules->normalised && selection->limit == 1 && beam->rows == 1);
        return select_greatest(selection, rules, beam);
    }
    for (size_t row = 0; row < beam->rows; row++) {
        const double score = beam->scores[row];
        if (selection->count == selection->limit &&
            score <= selection->items[selection->limit - 1].score) {
            continue;
        }
        const real *const x = beam->logits->of(beam->logits->context, beam->first + row);
        const double normaliser = rules->normalised ? tolk_log_sum_exp(x, rules->vocabulary) : 0;
        if (!isfinite(normaliser)) {
            return false;
        }
        if (beam->last) {
            select_end(selection, rules, row, score,
                       rules->normalised ? (double)x[rules->eos] - normaliser : 0);
        } else {
            tolk_select_row(selection, row, score, x, rules->vocabulary, normaliser, rules->pad);
        }
    }
    return selection->count > 0 && (rules->normalised || isfinite(selection->items[0].score));
}
