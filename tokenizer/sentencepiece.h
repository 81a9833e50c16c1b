/* The calls into SentencePiece, all of them: the one C++ source stands behind this header. No
 * exception leaves it and the library prints nothing; tokenizer.h is what the rest of the project
 * uses. */
#ifndef TOLK_TOKENIZER_SENTENCEPIECE_H
#define TOLK_TOKENIZER_SENTENCEPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/pieces.h"

struct tolk_sentencepiece;

/* What a sentence is split into: the best pieces, or the characters after normalisation (each the
 * id of the piece that is this character alone; a run of characters without one is a single
 * unknown). */
enum tolk_granularity { TOLK_PIECES, TOLK_CHARACTERS };

/* Loads a model that tolk_model_file_read has passed; NULL with an error. */
struct tolk_sentencepiece *tolk_sentencepiece_load(const unsigned char *model, size_t size,
                                                   enum tolk_granularity granularity,
                                                   const char *name, struct tolk_error *error);
void tolk_sentencepiece_free(struct tolk_sentencepiece *library);

int tolk_sentencepiece_encode(const struct tolk_sentencepiece *library, const char *text,
                              size_t size, struct tolk_pieces *pieces, struct tolk_error *error);

/* The text of `count` pieces, in fresh memory; a text that is no piece stands for itself. */
int tolk_sentencepiece_decode(const struct tolk_sentencepiece *library, const char *const *pieces,
                              size_t count, char **text, struct tolk_error *error);

/* The id of a piece, or of the unknown piece; the text of a piece (0 <= id < size). */
int32_t tolk_sentencepiece_id(const struct tolk_sentencepiece *library, const char *piece);
const char *tolk_sentencepiece_piece(const struct tolk_sentencepiece *library, int32_t id);

/* What tolk_tokenizer_train asks of the library, its arguments checked. */
struct tolk_sentencepiece_training {
    bool bpe; /* else unigram */
    size_t vocabulary_size;
    double character_coverage;
};

int tolk_sentencepiece_train(const struct tolk_sentencepiece_training *training,
                             const char *const *sentences, size_t count, unsigned char **model,
                             size_t *model_size, struct tolk_error *error);

#endif
