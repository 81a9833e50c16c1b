/* What the model makes of given pairs: their log-probabilities, and which words it looked at. */
#ifndef TOLK_INFER_READING_H
#define TOLK_INFER_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "infer/forced.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"

struct tolk_reading {
    double score;        /* Σ log p of the target's pieces, eos among them */
    double *word_scores; /* [target words + 1], the last that of eos */
    struct tolk_word_attention attention;
};

struct tolk_sentence_pair {
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
};

/* What to read of the pairs; the rest of a reading stays empty. */
struct tolk_reading_options {
    size_t batch_tokens;
    bool scores;                                /* score and word_scores */
    const struct tolk_attention_choice *choice; /* NULL: no attention */
};

/* Force-decodes `count` pairs into readings[count]. On an error none is left to free. */
int tolk_read_pairs(struct tolk_forcer *forcer, const struct tolk_sentence_pair *pairs,
                    size_t count, const struct tolk_reading_options *options,
                    struct tolk_reading *readings, struct tolk_error *error);
void tolk_reading_free(struct tolk_reading *reading);

#endif
