/* How certain each target word of a corpus is: where it looks, and that it was to be expected. */
#ifndef TOLK_INFER_PAGE_WORDS_H
#define TOLK_INFER_PAGE_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/reading.h"
#include "infer/sentence.h"

#define TOLK_NOT_IN_PAGE SIZE_MAX

/* A word where it stands in a pair. */
struct tolk_page_word {
    char *text;
    size_t pair;
    double entropy; /* bits, of its row of attention */
    double log_probability;
};

struct tolk_page_words {
    struct tolk_page_word *items;
    size_t count;
    size_t capacity;
};

/* Adds the words of a target, whose reading has scores and attention. */
int tolk_page_words_add(struct tolk_page_words *words, const struct tolk_sentence *target,
                        const struct tolk_reading *reading, size_t pair, struct tolk_error *error);

/* Sorts the words, and marks a pair in which each of those that are listed stands: wanted [pairs].
 * Returns 0, or -1 when there is no memory. */
int tolk_page_words_mark(struct tolk_page_words *words, bool *wanted);

/* Sorts the words and gives the most and least certain of those that come often enough:
 * {"least": …, "listed": …, "words": [{"text", "count", "entropy", "probability", "examples"}]}.
 * Entropies are means, probabilities geometric means, examples places of pairs in the page:
 * places [pairs], TOLK_NOT_IN_PAGE for a pair that is not there. NULL when there is no memory. */
json_t *tolk_page_words_json(struct tolk_page_words *words, const size_t *places);

void tolk_page_words_free(struct tolk_page_words *words);

#endif
