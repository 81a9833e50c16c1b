#include "infer/select.h"

#include <math.h>

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

void tolk_select_row(struct tolk_selection *selection, size_t row, double score, const real *logits,
                     size_t vocabulary, double normaliser, int32_t barred)
{
    for (size_t id = 0; id < vocabulary; id++) {
        const double log_probability = (double)logits[id] - normaliser;
        const double total = score + log_probability;
        if (selection->count == selection->limit &&
            total <= selection->items[selection->limit - 1].score) {
            continue;
        }
        if ((int32_t)id == barred || total == -INFINITY) {
            continue;
        }
        tolk_select_one(selection,
                        (struct tolk_candidate){row, (int32_t)id, log_probability, total});
    }
}
