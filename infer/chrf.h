/* chrF2 over a corpus (Popović, "chrF: character n-gram F-score for automatic MT evaluation",
 * 2015): character n-grams up to 6, no word n-grams, white space removed, beta 2. Equals
 * sacreBLEU's default (Post 2018), one reference a sentence.
 *
 *     chrF = (1 + β²) · P · R / (β² · P + R)
 *
 * with P and R the means, over the orders that both sides have, of the corpus's n-gram precision
 * and recall.
 *
 *     struct tolk_chrf chrf = {0};
 *     for (…) tolk_chrf_add(&chrf, hypothesis, reference, &error);
 *     printf("%s %.2f\n", TOLK_CHRF_SIGNATURE, tolk_chrf_score(&chrf)); */
#ifndef TOLK_INFER_CHRF_H
#define TOLK_INFER_CHRF_H

#include <stdint.h>

#include "base/error.h"

/* sacreBLEU's form of a signature, with the version of sacreBLEU that the fixtures were made by. */
extern const char TOLK_CHRF_SIGNATURE[];

enum { TOLK_CHRF_ORDER = 6 };

struct tolk_chrf {
    uint64_t matches[TOLK_CHRF_ORDER];
    uint64_t hypothesis_totals[TOLK_CHRF_ORDER];
    uint64_t reference_totals[TOLK_CHRF_ORDER];
};

/* Adds a sentence; its bytes that are not UTF-8 count as a character each. Error: no memory. */
int tolk_chrf_add(struct tolk_chrf *chrf, const char *hypothesis, const char *reference,
                  struct tolk_error *error);
double tolk_chrf_score(const struct tolk_chrf *chrf); /* 0 … 100 */

#endif
