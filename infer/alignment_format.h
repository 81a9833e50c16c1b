/* How an alignment is written: Marian's grammar, over words or pieces. */
#ifndef TOLK_INFER_ALIGNMENT_FORMAT_H
#define TOLK_INFER_ALIGNMENT_FORMAT_H

#include <jansson.h>

#include "base/error.h"
#include "infer/word_attention.h"

enum tolk_alignment_kind {
    TOLK_ALIGNMENT_NONE,
    TOLK_ALIGNMENT_HARD,      /* `0-0 1-2`: the best source word of each target word */
    TOLK_ALIGNMENT_SOFT,      /* `0.9,0.1 0.2,0.8`: a row for each target word and one for the end
                               * of the sentence, a weight for each source word and the end */
    TOLK_ALIGNMENT_THRESHOLD, /* `0-0 1-2`: all links with a weight above the threshold */
};

struct tolk_alignment_format {
    enum tolk_alignment_kind kind;
    double threshold;
    bool link_scores; /* behind the links, ` ||| LinkScores= 0.9 0.8`: the weight of each */
};

/* "hard", "soft", or a threshold from 0 to 1. */
int tolk_alignment_format_parse(const char *text, struct tolk_alignment_format *format,
                                struct tolk_error *error);

/* The links of a hard alignment or a threshold. */
int tolk_alignment_links(const struct tolk_alignment_format *format,
                         const struct tolk_word_attention *attention, struct tolk_links *links,
                         struct tolk_error *error);

/* The text in fresh memory; "" without any attention. NULL with an error. */
char *tolk_alignment_text(const struct tolk_alignment_format *format,
                          const struct tolk_word_attention *attention, struct tolk_error *error);

/* [[weight, …], …], a row for each target word and the end. */
json_t *tolk_attention_json(const struct tolk_word_attention *attention);

/* Adds "alignment" [[source, target], …] and "link_scores" [weight, …], or "attention" for a soft
 * one. */
int tolk_alignment_json(const struct tolk_alignment_format *format,
                        const struct tolk_word_attention *attention, json_t *object,
                        struct tolk_error *error);

#endif
