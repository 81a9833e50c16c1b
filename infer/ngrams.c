#include "infer/ngrams.h"

#include <stdbool.h>
#include <stdlib.h>

/* Where an n-gram starts: its units and how many stand from there to the end of the sentence, at
 * most TOLK_NGRAMS_LONGEST. */
struct position {
    const uint32_t *units;
    size_t left;
    bool in_reference;
};

static int compare(const void *a, const void *b)
{
    const struct position *x = a, *y = b;
    const size_t common = x->left < y->left ? x->left : y->left;
    for (size_t i = 0; i < common; i++) {
        if (x->units[i] != y->units[i]) {
            return x->units[i] < y->units[i] ? -1 : 1;
        }
    }
    return x->left < y->left ? -1 : x->left > y->left;
}

static void place(const struct tolk_units *sentence, bool in_reference, struct position *positions)
{
    for (size_t i = 0; i < sentence->count; i++) {
        const size_t left = sentence->count - i;
        positions[i] = (struct position){sentence->items + i,
                                         left < TOLK_NGRAMS_LONGEST ? left : TOLK_NGRAMS_LONGEST,
                                         in_reference};
    }
}

static bool same(const struct position *x, const struct position *y, size_t order)
{
    for (size_t i = 0; i < order; i++) {
        if (x->units[i] != y->units[i]) {
            return false;
        }
    }
    return true;
}

/* Walks the groups of equal n-grams; a position too near the end is no n-gram of this order. */
static uint64_t match_order(const struct position *positions, size_t count, size_t order)
{
    uint64_t matches = 0, seen[2] = {0, 0};
    const struct position *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (positions[i].left < order) {
            continue;
        }
        if (first == NULL || !same(first, &positions[i], order)) {
            matches += seen[0] < seen[1] ? seen[0] : seen[1];
            seen[0] = seen[1] = 0;
            first = &positions[i];
        }
        seen[positions[i].in_reference]++;
    }
    return matches + (seen[0] < seen[1] ? seen[0] : seen[1]);
}

/* One sort serves all orders: once the positions stand in the order of their longest n-grams, equal
 * n-grams of every shorter order stand side by side too. */
int tolk_ngrams_match(const struct tolk_units *hypothesis, const struct tolk_units *reference,
                      size_t longest, uint64_t *matches)
{
    const size_t count = hypothesis->count + reference->count;
    if (hypothesis->count == 0 || reference->count == 0) {
        return 0;
    }
    struct position *positions = malloc(count * sizeof *positions);
    if (positions == NULL) {
        return -1;
    }
    place(hypothesis, false, positions);
    place(reference, true, positions + hypothesis->count);
    qsort(positions, count, sizeof *positions, compare);
    for (size_t order = 1; order <= longest; order++) {
        matches[order - 1] += match_order(positions, count, order);
    }
    free(positions);
    return 0;
}
