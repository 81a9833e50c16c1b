/* A sentence in its three forms: text, white-space words, and the model's ids.
 *
 * Only this file speaks to the codec; search, scoring and alignment see ids and words. */
#ifndef TOLK_INFER_SENTENCE_H
#define TOLK_INFER_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/packing.h"
#include "infer/word_attention.h"
#include "model/config.h"
#include "tokenizer/codec.h"
#include "tokenizer/words.h"

/* Whether the ids of the config are those of the vocabulary: as many, eos, and pad, from which the
 * models that tolk reads start to decode. Errors name the key and both numbers. */
int tolk_sentence_check_codec(const struct tolk_codec *codec, const struct tolk_config *config,
                              struct tolk_error *error);

struct tolk_sentence {
    const struct tolk_codec *codec; /* that made it, which must outlive it */
    char *text;                     /* UTF-8 */
    struct tolk_words words;        /* of a sentence that was cut, those up to the last piece */
    int32_t *ids;                   /* [pieces + 1], eos last */
    size_t pieces;
    size_t *piece_begin;   /* [pieces], the bytes of the text that each piece covers */
    size_t *piece_end;     /* [pieces] */
    size_t *word_of_piece; /* [pieces], an index into `words`, or SIZE_MAX */
    size_t all_pieces;     /* more than `pieces` where the sentence was cut */
};

/* From text; cut to `longest` ids, eos counted. */
int tolk_sentence_encode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         enum tolk_side side, const char *text, size_t longest,
                         struct tolk_error *error);

/* From ids that end with eos, as the search gives them. `words` false leaves the words, and of the
 * pieces what they cover, empty, which is quicker. */
int tolk_sentence_decode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         const int32_t *ids, size_t length, bool words, struct tolk_error *error);

void tolk_sentence_free(struct tolk_sentence *sentence);

static inline struct tolk_sequence tolk_sentence_sequence(const struct tolk_sentence *sentence)
{
    return (struct tolk_sequence){sentence->ids, sentence->pieces + 1};
}

/* What an alignment speaks of. */
enum tolk_unit { TOLK_WORDS, TOLK_PIECES };

static inline size_t tolk_sentence_units(const struct tolk_sentence *sentence, enum tolk_unit unit)
{
    return unit == TOLK_PIECES ? sentence->pieces : sentence->words.count;
}

/* From rows of the model to words, or to pieces themselves. */
static inline struct tolk_word_map tolk_sentence_map(const struct tolk_sentence *sentence,
                                                     enum tolk_unit unit)
{
    return (struct tolk_word_map){unit == TOLK_PIECES ? NULL : sentence->word_of_piece,
                                  sentence->pieces, tolk_sentence_units(sentence, unit)};
}

/* The text of piece i, as the vocabulary has it (white space is U+2581). */
const char *tolk_sentence_piece(const struct tolk_sentence *sentence, size_t i);

/* The sums of log_probabilities [pieces + 1] over each word's pieces, the last that of eos (and of
 * pieces that belong to no word), [words + 1] in fresh memory; of pieces a copy. NULL with an
 * error. */
double *tolk_sentence_scores(const struct tolk_sentence *sentence, enum tolk_unit unit,
                             const double *log_probabilities, struct tolk_error *error);

#endif
