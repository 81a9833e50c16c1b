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
    char *text;              /* UTF-8 */
    struct tolk_words words; /* of a sentence that was cut, those up to the last piece */
    int32_t *ids;            /* [pieces + 1], eos last */
    size_t pieces;
    size_t *word_of_piece; /* [pieces], an index into `words`, or SIZE_MAX */
    size_t all_pieces;     /* more than `pieces` where the sentence was cut */
};

/* From text; cut to `longest` ids, eos counted. */
int tolk_sentence_encode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         enum tolk_side side, const char *text, size_t longest,
                         struct tolk_error *error);

/* From ids that end with eos, as the search gives them. `words` false leaves the words and
 * word_of_piece empty, which is quicker. */
int tolk_sentence_decode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         const int32_t *ids, size_t length, bool words, struct tolk_error *error);

void tolk_sentence_free(struct tolk_sentence *sentence);

static inline struct tolk_sequence tolk_sentence_sequence(const struct tolk_sentence *sentence)
{
    return (struct tolk_sequence){sentence->ids, sentence->pieces + 1};
}

static inline struct tolk_word_map tolk_sentence_map(const struct tolk_sentence *sentence)
{
    return (struct tolk_word_map){sentence->word_of_piece, sentence->pieces, sentence->words.count};
}

/* scores[words + 1]: the sum of log_probabilities [pieces + 1] over each word's pieces, the last
 * that of eos (and of pieces that belong to no word). */
void tolk_sentence_word_scores(const struct tolk_sentence *sentence,
                               const double *log_probabilities, double *scores);

#endif
