/* The vocabulary of a model: which id each piece has, as vocab.json says it. The ids of the
 * tokenizer (SentencePiece) are its own; for our models the two agree, and "<pad>" comes last. */
#ifndef TOLK_TOKENIZER_VOCABULARY_H
#define TOLK_TOKENIZER_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

#define TOLK_PAD_PIECE "<pad>"

struct tolk_vocabulary;

/* The pieces of the tokenizer with their ids, then the pad. NULL when memory is out. */
struct tolk_vocabulary *tolk_vocabulary_of(const struct tolk_tokenizer *tokenizer,
                                           struct tolk_error *error);

/* Loads vocab.json: one object, piece → id. NULL with an error, which names the file and the piece:
 * not JSON, a piece twice, an id that is no number, given twice or beyond the number of pieces; no
 * end of sentence, unknown or pad among them. */
struct tolk_vocabulary *tolk_vocabulary_load(const char *path, struct tolk_error *error);

/* Writes vocab.json: a vocabulary of ours in the order of its ids, one of others as it was. */
int tolk_vocabulary_save(const struct tolk_vocabulary *vocabulary, const char *path,
                         struct tolk_error *error);

void tolk_vocabulary_free(struct tolk_vocabulary *vocabulary);

size_t tolk_vocabulary_size(const struct tolk_vocabulary *vocabulary);
/* The piece of an id, or NULL for an id out of range; lives as long as the vocabulary. */
const char *tolk_vocabulary_piece(const struct tolk_vocabulary *vocabulary, int32_t id);
/* The id of a piece, or -1 for a text that is none. */
int32_t tolk_vocabulary_id(const struct tolk_vocabulary *vocabulary, const char *piece);

#endif
