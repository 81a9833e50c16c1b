/* Translations as lines: Marian's output grammar, or one JSON object a line. */
#ifndef TOLK_INFER_PRINT_H
#define TOLK_INFER_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/alignment_format.h"
#include "infer/translator.h"

struct tolk_print_options {
    bool n_best; /* all translations of a line, each with its number and scores */
    bool word_scores;
    bool json;
    struct tolk_alignment_format alignment;
};

/* text [||| alignment] [||| WordScores= …], and for n-best
 * line ||| text [||| …] ||| F0= score ||| normalised score, lines from 0.
 * JSON: source, translation, score, normalised_score, source_words, words, word_scores (the last is
 * that of the end of the sentence), alignment or attention where wanted, truncated where the source
 * was cut, and n_best, an array of the same for each translation, where wanted. */
int tolk_print_translated(const struct tolk_translated *translated, size_t line,
                          const struct tolk_print_options *options, FILE *out,
                          struct tolk_error *error);

/* " ||| WordScores= -0.1 …" of scores [words + 1]. */
void tolk_print_word_scores(const double *scores, size_t words, FILE *out);

/* Strings of a sentence's words, and numbers. */
json_t *tolk_words_json(const struct tolk_sentence *sentence);
json_t *tolk_numbers_json(const double *numbers, size_t count);

/* One line; releases the object. */
int tolk_print_json(json_t *object, FILE *out, struct tolk_error *error);

#endif
