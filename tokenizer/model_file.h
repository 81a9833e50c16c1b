/* What a .spm file (SentencePiece's ModelProto) says, read by ourselves before the library sees it:
 * the library trusts the file, and ends the process or reads beyond its tables where the file is
 * broken. What passes here is safe to load. Sampling (sample.h) works from this view as well. */
#ifndef TOLK_TOKENIZER_MODEL_FILE_H
#define TOLK_TOKENIZER_MODEL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The numbers are SentencePiece's. */
enum tolk_piece_type {
    TOLK_PIECE_NORMAL = 1,
    TOLK_PIECE_UNKNOWN = 2,
    TOLK_PIECE_CONTROL = 3,
    TOLK_PIECE_USER_DEFINED = 4,
    TOLK_PIECE_UNUSED = 5,
    TOLK_PIECE_BYTE = 6
};

struct tolk_piece {
    const char *text; /* `size` bytes of UTF-8 inside the file, not ended by a zero */
    size_t size;
    float score; /* unigram: log-probability; BPE: minus the rank of the merge */
    enum tolk_piece_type type;
};

enum tolk_model_kind { TOLK_MODEL_UNIGRAM = 1, TOLK_MODEL_BPE = 2 };

struct tolk_model_file {
    struct tolk_piece *pieces; /* [count], by id */
    size_t count;
    enum tolk_model_kind kind;
    int32_t unknown; /* id of the piece of type unknown */
};

/* Reads the `size` bytes, which must outlive the result; `name` stands in messages. Errors: empty,
 * cut or no model at all; a kind other than unigram and BPE; pieces that are empty, too long, no
 * UTF-8, scored NaN or infinity, of no known type; not exactly one unknown piece; a normalisation
 * table that leads outside itself. */
int tolk_model_file_read(struct tolk_model_file *model, const unsigned char *bytes, size_t size,
                         const char *name, struct tolk_error *error);
void tolk_model_file_free(struct tolk_model_file *model);

/* Checks a normalisation table (see charsmap.c) of `size` bytes. */
int tolk_charsmap_check(const unsigned char *bytes, size_t size, const char *name,
                        struct tolk_error *error);

#endif
