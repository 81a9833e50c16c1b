/* Translations as lines: Marian's output grammar, or one JSON object a line. */
#ifndef TOLK_INFER_PRINT_H
#define TOLK_INFER_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/alignment_format.h"
#include "infer/reading.h"
#include "infer/translator.h"

struct tolk_print_options {
    bool n_best;      /* all translations of a line, each with its number and scores */
    bool word_scores; /* of pieces, where the unit is pieces */
    bool json;
    enum tolk_unit unit;
    struct tolk_alignment_format alignment;
    const struct tolk_attention_view *views; /* of every head, in JSON: [view_count] */
};

/* text [||| alignment [||| LinkScores= …]] [||| WordScores= …], and for n-best
 * line ||| text [||| …] ||| F0= score ||| normalised score, lines from 0.
 * JSON: what tolk_pair_json gives, normalised_score, truncated where the source was cut, and
 * n_best, an array of the same for each translation, where wanted. */
int tolk_print_translated(const struct tolk_translated *translated, size_t line,
                          const struct tolk_print_options *options, FILE *out,
                          struct tolk_error *error);

/* " ||| WordScores= -0.1 …" of the words and the end, or " ||| PieceScores= …". */
void tolk_print_scores(const struct tolk_sentence *target, const struct tolk_reading *reading,
                       enum tolk_unit unit, FILE *out);

/* A pair and what the model read in it:
 *   source, source_words, source_word_bytes, source_pieces, source_piece_bytes, truncated;
 *   translation, words, word_bytes, pieces, piece_bytes, and where they were read
 *   score, word_scores, piece_scores (natural logarithms; the last is that of the end);
 *   unit and alignment with link_scores, or attention, where the format wants one;
 *   encoder_attentions, decoder_attentions, cross_attentions [layer][head][row][column] of views.
 * NULL with an error. */
json_t *tolk_pair_json(const struct tolk_sentence *source, const struct tolk_sentence *target,
                       const struct tolk_reading *reading, const struct tolk_print_options *options,
                       struct tolk_error *error);

/* One line; releases the object. */
int tolk_print_json(json_t *object, FILE *out, struct tolk_error *error);

#endif
