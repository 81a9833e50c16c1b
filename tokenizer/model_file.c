#include "tokenizer/model_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tokenizer/wire.h"

/* Field numbers of sentencepiece_model.proto. */
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3, MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TRAINER_KIND = 3 };
enum { NORMALIZER_CHARSMAP = 2 };

enum {
    MODEL_FILE_MAX = 1 << 30,    /* the library counts bytes in an int */
    PIECE_BYTES_MAX = 2048,      /* the trainer's own limit is 512 characters */
    USER_DEFINED_BYTES_MAX = 64, /* the library's matcher keeps 64 matches, without a check */
    FIRST_CAPACITY = 4096
};

static int read_piece_fields(struct tolk_wire wire, struct tolk_piece *piece)
{
    *piece = (struct tolk_piece){.type = TOLK_PIECE_NORMAL};
    struct tolk_wire_field field;
    int status;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        if (tolk_wire_is(&field, PIECE_TEXT, TOLK_WIRE_BYTES)) {
            piece->text = (const char *)field.body.bytes;
            piece->size = field.body.size;
        } else if (tolk_wire_is(&field, PIECE_SCORE, TOLK_WIRE_FIXED32)) {
            piece->score = tolk_wire_float(&field);
        } else if (tolk_wire_is(&field, PIECE_TYPE, TOLK_WIRE_VARINT)) {
            if (field.value < TOLK_PIECE_NORMAL || field.value > TOLK_PIECE_BYTE) {
                return -1;
            }
            piece->type = (enum tolk_piece_type)field.value;
        }
    }
    return status;
}

static int check_piece(const struct tolk_piece *piece, size_t id, const char *name,
                       struct tolk_error *error)
{
    if (piece->size == 0) {
        return tolk_error_set(error, "%s: piece %zu is empty", name, id);
    }
    if (piece->size > PIECE_BYTES_MAX) {
        return tolk_error_set(error, "%s: piece %zu has %zu bytes, expected at most %d", name, id,
                              piece->size, (int)PIECE_BYTES_MAX);
    }
    if (piece->type == TOLK_PIECE_USER_DEFINED && piece->size > USER_DEFINED_BYTES_MAX) {
        return tolk_error_set(error,
                              "%s: user-defined piece %zu has %zu bytes, expected at most %d", name,
                              id, piece->size, (int)USER_DEFINED_BYTES_MAX);
    }
    if (memchr(piece->text, '\0', piece->size) != NULL ||
        tolk_utf8_valid_prefix(piece->text, piece->size) != piece->size) {
        return tolk_error_set(error, "%s: piece %zu is not UTF-8 text", name, id);
    }
    if (!isfinite(piece->score)) {
        return tolk_error_set(error, "%s: piece %zu has the score %g", name, id,
                              (double)piece->score);
    }
    return 0;
}

static int add_piece(struct tolk_model_file *model, size_t *capacity, struct tolk_wire body,
                     const char *name, struct tolk_error *error)
{
    struct tolk_piece piece;
    if (read_piece_fields(body, &piece) != 0) {
        return tolk_error_set(error, "%s: piece %zu cannot be read: the file is damaged", name,
                              model->count);
    }
    if (check_piece(&piece, model->count, name, error) != 0) {
        return -1;
    }
    if (piece.type == TOLK_PIECE_UNKNOWN) {
        if (model->unknown >= 0) {
            return tolk_error_set(error, "%s: pieces %d and %zu are both the unknown piece", name,
                                  (int)model->unknown, model->count);
        }
        model->unknown = (int32_t)model->count;
    }
    if (model->count == *capacity) {
        const size_t larger = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
        struct tolk_piece *const pieces = realloc(model->pieces, larger * sizeof *pieces);
        if (pieces == NULL) {
            return tolk_error_set(error, "%s: out of memory for %zu pieces", name, larger);
        }
        model->pieces = pieces;
        *capacity = larger;
    }
    model->pieces[model->count++] = piece;
    return 0;
}

static int read_trainer(struct tolk_model_file *model, struct tolk_wire wire, const char *name,
                        struct tolk_error *error)
{
    struct tolk_wire_field field;
    int status;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        if (!tolk_wire_is(&field, TRAINER_KIND, TOLK_WIRE_VARINT)) {
            continue;
        }
        if (field.value != TOLK_MODEL_UNIGRAM && field.value != TOLK_MODEL_BPE) {
            return tolk_error_set(
                error, "%s: model type %llu, expected 1 (unigram) or 2 (byte-pair encoding)", name,
                (unsigned long long)field.value);
        }
        model->kind = (enum tolk_model_kind)field.value;
    }
    return status == 0 ? 0 : tolk_error_set(error, "%s: damaged settings of the trainer", name);
}

static int read_normalizer(struct tolk_wire wire, const char *name, struct tolk_error *error)
{
    struct tolk_wire charsmap = {NULL, 0};
    struct tolk_wire_field field;
    int status;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        if (tolk_wire_is(&field, NORMALIZER_CHARSMAP, TOLK_WIRE_BYTES)) {
            charsmap = field.body;
        }
    }
    if (status != 0) {
        return tolk_error_set(error, "%s: damaged settings of the normalisation", name);
    }
    return charsmap.size == 0 ? 0 : tolk_charsmap_check(charsmap.bytes, charsmap.size, name, error);
}

int tolk_model_file_read(struct tolk_model_file *model, const unsigned char *bytes, size_t size,
                         const char *name, struct tolk_error *error)
{
    *model = (struct tolk_model_file){.kind = TOLK_MODEL_UNIGRAM, .unknown = -1};
    if (size == 0 || size > MODEL_FILE_MAX) {
        return tolk_error_set(error, "%s: %zu bytes, expected a SentencePiece model", name, size);
    }
    struct tolk_wire wire = {bytes, size};
    struct tolk_wire_field field;
    size_t capacity = 0;
    int status;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        int bad = 0;
        if (tolk_wire_is(&field, MODEL_PIECE, TOLK_WIRE_BYTES)) {
            bad = add_piece(model, &capacity, field.body, name, error);
        } else if (tolk_wire_is(&field, MODEL_TRAINER, TOLK_WIRE_BYTES)) {
            bad = read_trainer(model, field.body, name, error);
        } else if (tolk_wire_is(&field, MODEL_NORMALIZER, TOLK_WIRE_BYTES) ||
                   tolk_wire_is(&field, MODEL_DENORMALIZER, TOLK_WIRE_BYTES)) {
            bad = read_normalizer(field.body, name, error);
        }
        if (bad != 0) {
            goto fail;
        }
    }
    if (status != 0) {
        tolk_error_set(error, "%s: byte %zu begins no field: cut, or not a SentencePiece model",
                       name, size - wire.size);
        goto fail;
    }
    if (model->unknown < 0) {
        tolk_error_set(error, "%s: none of its %zu pieces is the unknown piece", name,
                       model->count);
        goto fail;
    }
    return 0;
fail:
    tolk_model_file_free(model);
    return -1;
}

void tolk_model_file_free(struct tolk_model_file *model)
{
    free(model->pieces);
    *model = (struct tolk_model_file){0};
}
