/* Tokenizers for tests: trained on sentences made here, or written piece by piece. */
#ifndef TOLK_TESTS_TOKENIZERS_H
#define TOLK_TESTS_TOKENIZERS_H

#include <stddef.h>

#include "tokenizer/model_file.h"
#include "tokenizer/tokenizer.h"

enum { TOKENIZERS_SENTENCES = 400, TOKENIZERS_SIZE = 120 };

/* The sentences: [TOKENIZERS_SENTENCES], the same at each call. */
const char *const *tokenizers_sentences(void);

/* Trains on them; fails the test when that fails. */
unsigned char *tokenizers_train(enum tolk_tokenizer_kind kind, size_t vocabulary_size,
                                size_t *model_size);
struct tolk_tokenizer *tokenizers_trained(enum tolk_tokenizer_kind kind);

/* One piece of a model written by hand. */
struct tokenizers_piece {
    const char *text;
    float score;
    enum tolk_piece_type type;
};

/* Serialises pieces as a .spm file without normalisation; `kind` is SentencePiece's number. */
unsigned char *tokenizers_write(const struct tokenizers_piece *pieces, size_t count, unsigned kind,
                                size_t *model_size);

/* The pieces' texts in one string, separated by '|', in fresh memory. */
char *tokenizers_show(const struct tolk_tokenizer *tokenizer, const struct tolk_pieces *pieces);

#endif
