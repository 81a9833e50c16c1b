/* Scores of translations and alignments over a corpus.
 *
 * BLEU (Papineni et al. 2002) and chrF2 (Popović 2015) equal sacreBLEU's defaults (Post 2018): BLEU
 * with the 13a tokenizer, mixed case, exponential smoothing, up to 4-grams; chrF with 6 character
 * n-grams, no word n-grams, beta 2, white space removed. One reference a sentence.
 *
 *     struct tolk_bleu bleu = {0};
 *     for (…) tolk_bleu_add(&bleu, hypothesis, reference, &error);
 *     printf("%s %.2f\n", TOLK_BLEU_SIGNATURE, tolk_bleu_score(&bleu)); */
#ifndef TOLK_INFER_METRICS_H
#define TOLK_INFER_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/pharaoh.h"

/* sacreBLEU's form of a signature, with the version of sacreBLEU that the fixtures were made by. */
extern const char TOLK_BLEU_SIGNATURE[];
extern const char TOLK_CHRF_SIGNATURE[];

enum { TOLK_BLEU_ORDER = 4, TOLK_CHRF_ORDER = 6 };

struct tolk_bleu {
    uint64_t matches[TOLK_BLEU_ORDER];
    uint64_t totals[TOLK_BLEU_ORDER];
    uint64_t hypothesis_length;
    uint64_t reference_length;
};

int tolk_bleu_add(struct tolk_bleu *bleu, const char *hypothesis, const char *reference,
                  struct tolk_error *error);
double tolk_bleu_score(const struct tolk_bleu *bleu); /* 0 … 100 */

struct tolk_chrf {
    uint64_t matches[TOLK_CHRF_ORDER];
    uint64_t hypothesis_totals[TOLK_CHRF_ORDER];
    uint64_t reference_totals[TOLK_CHRF_ORDER];
};

int tolk_chrf_add(struct tolk_chrf *chrf, const char *hypothesis, const char *reference,
                  struct tolk_error *error);
double tolk_chrf_score(const struct tolk_chrf *chrf); /* 0 … 100 */

/* Alignment error rate (Och & Ney 2003): AER = 1 − (|A∩S| + |A∩P|) / (|A| + |S|), S ⊆ P. */
struct tolk_aer {
    uint64_t links;          /* |A| */
    uint64_t sure;           /* |S| */
    uint64_t sure_found;     /* |A∩S| */
    uint64_t possible_found; /* |A∩P| */
};

void tolk_aer_add(struct tolk_aer *aer, const struct tolk_links *links,
                  const struct tolk_links *gold);
double tolk_aer_rate(const struct tolk_aer *aer);
double tolk_aer_precision(const struct tolk_aer *aer); /* |A∩P| / |A| */
double tolk_aer_recall(const struct tolk_aer *aer);    /* |A∩S| / |S| */

#endif
