/* BLEU over a corpus (Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine
 * Translation", 2002): mixed case, up to 4-grams, the 13a tokenizer (infer/tokenize_13a.h),
 * exponential smoothing. Equals sacreBLEU's default (Post 2018), one reference a sentence.
 *
 *     BLEU = min(1, exp(1 − r/c)) · (p₁ p₂ p₃ p₄)^¼
 *
 * with c and r the words of all hypotheses and of all references. An order without a match counts
 * as ½, ¼, … of a match, one power more for each such order.
 *
 *     struct tolk_bleu bleu = {0};
 *     for (…) tolk_bleu_add(&bleu, hypothesis, reference, &error);
 *     printf("%s %.2f\n", TOLK_BLEU_SIGNATURE, tolk_bleu_score(&bleu)); */
#ifndef TOLK_INFER_BLEU_H
#define TOLK_INFER_BLEU_H

#include <stdint.h>

#include "base/error.h"

/* sacreBLEU's form of a signature, with the version of sacreBLEU that the fixtures were made by. */
extern const char TOLK_BLEU_SIGNATURE[];

enum { TOLK_BLEU_ORDER = 4 };

struct tolk_bleu {
    uint64_t matches[TOLK_BLEU_ORDER];
    uint64_t totals[TOLK_BLEU_ORDER];
    uint64_t hypothesis_length;
    uint64_t reference_length;
};

/* Adds a sentence. Error: no memory. */
int tolk_bleu_add(struct tolk_bleu *bleu, const char *hypothesis, const char *reference,
                  struct tolk_error *error);
double tolk_bleu_score(const struct tolk_bleu *bleu); /* 0 … 100 */

#endif
