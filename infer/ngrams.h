/* Clipped n-gram matches, the count under BLEU and chrF. A sentence is a row of units: word ids or
 * characters. */
#ifndef TOLK_INFER_NGRAMS_H
#define TOLK_INFER_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

enum { TOLK_NGRAMS_LONGEST = 6 };

struct tolk_units {
    uint32_t *items;
    size_t count;
};

/* matches[n - 1] += sum over the n-grams g of min(times g stands in the hypothesis, times in the
 * reference), for n from 1 to `longest` <= TOLK_NGRAMS_LONGEST. -1 when there is no memory. */
int tolk_ngrams_match(const struct tolk_units *hypothesis, const struct tolk_units *reference,
                      size_t longest, uint64_t *matches);

/* The number of n-grams of one order in a sentence of `units` units. */
static inline uint64_t tolk_ngrams_total(size_t units, size_t order)
{
    return units >= order ? units - order + 1 : 0;
}

#endif
