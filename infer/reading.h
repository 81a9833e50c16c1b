/* What the model makes of given pairs: their log-probabilities, and which words it looked at. */
#ifndef TOLK_INFER_READING_H
#define TOLK_INFER_READING_H

#include <stddef.h>

#include "base/error.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"
#include "model/model.h"
#include "model/transformer.h"

struct tolk_reading {
    double score;        /* Σ log p of the target's pieces, eos among them */
    double *word_scores; /* [target words + 1], the last that of eos */
    struct tolk_word_attention attention;
};

struct tolk_sentence_pair {
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
};

/* Force-decodes `count` pairs into readings[count]. `choice` NULL leaves the attention empty. On an
 * error none is left to free. */
int tolk_read_pairs(const struct tolk_model *model, struct tolk_workspace *workspace,
                    const struct tolk_sentence_pair *pairs, size_t count, size_t batch_tokens,
                    const struct tolk_attention_choice *choice, struct tolk_reading *readings,
                    struct tolk_error *error);
void tolk_reading_free(struct tolk_reading *reading);

#endif
