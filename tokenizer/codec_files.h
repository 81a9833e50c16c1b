/* What a codec is made of, and the files that hold it: for codec.c alone. */
#ifndef TOLK_TOKENIZER_CODEC_FILES_H
#define TOLK_TOKENIZER_CODEC_FILES_H

#include <stdint.h>

#include "base/error.h"
#include "tokenizer/codec.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

#define TOLK_VOCABULARY_FILE "vocab.json"

enum { TOLK_SIDES = 2 };

struct tolk_codec {
    struct tolk_tokenizer *tokenizers[TOLK_SIDES]; /* one and the same where the files are equal */
    struct tolk_vocabulary *vocabulary;
    int32_t *model_ids[TOLK_SIDES]; /* [pieces of the tokenizer], shared as it is */
    int32_t eos, unk, pad;
};

/* Loads the tokenizers and the vocabulary. On failure the codec holds what was loaded. */
int tolk_codec_read_files(struct tolk_codec *codec, const char *folder, struct tolk_error *error);

#endif
