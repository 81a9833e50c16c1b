/* Alignment error rate over a corpus (Och & Ney, "A Systematic Comparison of Various Statistical
 * Alignment Models", 2003), from links A, sure gold links S and possible ones P, S ⊆ P:
 *
 *     AER = 1 − (|A∩S| + |A∩P|) / (|A| + |S|) */
#ifndef TOLK_INFER_AER_H
#define TOLK_INFER_AER_H

#include <stdint.h>

#include "corpora/pharaoh.h"

struct tolk_aer {
    uint64_t links;          /* |A| */
    uint64_t sure;           /* |S| */
    uint64_t sure_found;     /* |A∩S| */
    uint64_t possible_found; /* |A∩P| */
};

/* Adds a sentence. `gold` is sorted; both name each link once; whether a link of A is sure or
 * possible does not count. */
void tolk_aer_add(struct tolk_aer *aer, const struct tolk_links *links,
                  const struct tolk_links *gold);

/* 0 … 1; without any link, no error: 0. */
double tolk_aer_rate(const struct tolk_aer *aer);
/* |A∩P| / |A| and |A∩S| / |S|; 1 where the divisor is 0. */
double tolk_aer_precision(const struct tolk_aer *aer);
double tolk_aer_recall(const struct tolk_aer *aer);

#endif
