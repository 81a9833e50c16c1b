/* What the model makes of given pairs: their log-probabilities, and which words it looked at. */
#ifndef TOLK_INFER_READING_H
#define TOLK_INFER_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "infer/forced.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"

/* One more attention than the chosen one. */
struct tolk_attention_view {
    enum tolk_attention_kind kind;
    struct tolk_attention_choice choice;
};

struct tolk_reading {
    double score;         /* Σ log p of the target's pieces, eos among them */
    double *word_scores;  /* [target words + 1], the last that of eos */
    double *piece_scores; /* [target pieces + 1], likewise */
    struct tolk_word_attention attention;
    struct tolk_word_attention *views; /* [view_count] */
    size_t view_count;
};

struct tolk_sentence_pair {
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
};

/* What to read of the pairs; the rest of a reading stays empty. */
struct tolk_reading_options {
    size_t batch_tokens;
    bool scores;                                /* score, word_scores and piece_scores */
    const struct tolk_attention_choice *choice; /* NULL: no attention */
    const struct tolk_attention_view *views;    /* [view_count] beside it; where several read
                                                 * posterior attention it is that of the same heads */
    size_t view_count;
    enum tolk_unit unit; /* of all attention */
};

/* Force-decodes `count` pairs into readings[count]. On an error none is left to free. */
int tolk_read_pairs(struct tolk_forcer *forcer, const struct tolk_sentence_pair *pairs,
                    size_t count, const struct tolk_reading_options *options,
                    struct tolk_reading *readings, struct tolk_error *error);

/* The scores of a reading from log_probabilities [target pieces + 1]; free it on an error. */
int tolk_reading_score(struct tolk_reading *reading, const struct tolk_sentence *target,
                       const double *log_probabilities, struct tolk_error *error);
void tolk_reading_free(struct tolk_reading *reading);

/* Views of every head of every layer of one kind, layer by layer: [layers · heads] in fresh memory.
 * NULL when there is none. */
struct tolk_attention_view *tolk_attention_views(const struct tolk_config *config,
                                                 enum tolk_attention_kind kind, size_t *count);

#endif
