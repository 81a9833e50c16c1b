#include "tokenizer/tokenizer.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/file.h"
#include "base/utf8.h"
#include "tokenizer/model_file.h"
#include "tokenizer/sample.h"
#include "tokenizer/sentencepiece.h"

/* The library counts bytes in an int and normalisation can make 18 of one. */
enum { SENTENCE_BYTES_MAX = INT_MAX / 32 };
enum { TRAINING_SENTENCE_BYTES_MAX = 4192 };
enum { VOCABULARY_MAX = 1 << 24 };
#define COVERAGE_MIN 0.98

/* What drawing needs and encoding does not: made at the first draw, so that a translator starts
 * without it. */
struct drawing {
    pthread_mutex_t lock; /* while it is made */
    atomic_bool made;
    struct tolk_sentencepiece *characters;
    struct tolk_sampler sampler;
};

struct tolk_tokenizer {
    unsigned char *bytes; /* [size] the model file, which `file` points into */
    size_t size;
    struct tolk_model_file file;
    struct tolk_sentencepiece *library;
    struct drawing *drawing; /* made behind the back of a tokenizer that is otherwise read only */
};

/* ---- training ---------------------------------------------------------------------------------*/

static bool is_letter_or_digit(uint32_t point)
{
    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return false;
    }
}

/* Whether the trainer can learn from a sentence. It ends the process when normalisation leaves
 * nothing of all sentences together, which no letter or digit suffers; it takes out the names of
 * the pieces that it reserves, and leaves out a sentence with U+2585, its own sign for a rare
 * character. */
static bool teaches(const char *sentence)
{
    const size_t size = strlen(sentence);
    if (size > TRAINING_SENTENCE_BYTES_MAX || strstr(sentence, TOLK_EOS_PIECE) != NULL ||
        strstr(sentence, TOLK_UNK_PIECE) != NULL || strstr(sentence, "\xe2\x96\x85") != NULL) {
        return false;
    }
    bool letter = false;
    for (size_t at = 0, step; at < size; at += step) {
        uint32_t point;
        step = tolk_utf8_decode(sentence + at, size - at, &point);
        if (step == 0) {
            return false;
        }
        letter = letter || is_letter_or_digit(point);
    }
    return letter;
}

int tolk_tokenizer_train(const struct tolk_tokenizer_training *training,
                         const char *const *sentences, size_t count, unsigned char **model,
                         size_t *model_size, struct tolk_error *error)
{
    if (training->vocabulary_size > VOCABULARY_MAX) {
        return tolk_error_set(error, "vocabulary of %zu pieces: expected at most %d",
                              training->vocabulary_size, (int)VOCABULARY_MAX);
    }
    if (!(training->character_coverage >= COVERAGE_MIN && training->character_coverage <= 1.0)) {
        return tolk_error_set(error, "character coverage %g: expected %g to 1",
                              training->character_coverage, COVERAGE_MIN);
    }
    const char **const lessons = malloc((count > 0 ? count : 1) * sizeof *lessons);
    if (lessons == NULL) {
        return tolk_error_set(error, "training the tokenizer: out of memory");
    }
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (teaches(sentences[i])) {
            lessons[taken++] = sentences[i];
        }
    }
    const struct tolk_sentencepiece_training asked = {
        .bpe = training->kind == TOLK_BPE,
        .vocabulary_size = training->vocabulary_size,
        .character_coverage = training->character_coverage,
    };
    const int status =
        taken > 0 ? tolk_sentencepiece_train(&asked, lessons, taken, model, model_size, error)
                  : tolk_error_set(error,
                                   "training the tokenizer: none of the %zu sentences is UTF-8 "
                                   "with a letter or digit and at most %d bytes",
                                   count, (int)TRAINING_SENTENCE_BYTES_MAX);
    free(lessons);
    return status;
}

/* ---- loading ----------------------------------------------------------------------------------*/

static bool piece_is(const struct tolk_model_file *file, size_t id, const char *text,
                     enum tolk_piece_type type)
{
    if (id >= file->count) {
        return false;
    }
    const struct tolk_piece *const piece = &file->pieces[id];
    return piece->type == type && piece->size == strlen(text) &&
           memcmp(piece->text, text, piece->size) == 0;
}

static int check_ids(const struct tolk_model_file *file, const char *name, struct tolk_error *error)
{
    if (!piece_is(file, TOLK_EOS, TOLK_EOS_PIECE, TOLK_PIECE_CONTROL) ||
        !piece_is(file, TOLK_UNK, TOLK_UNK_PIECE, TOLK_PIECE_UNKNOWN)) {
        return tolk_error_set(
            error, "%s: expected piece %d to be " TOLK_EOS_PIECE " and piece %d " TOLK_UNK_PIECE,
            name, (int)TOLK_EOS, (int)TOLK_UNK);
    }
    return 0;
}

static struct tolk_tokenizer *load_bytes(const unsigned char *model, size_t size, const char *name,
                                         bool foreign, struct tolk_error *error)
{
    struct tolk_tokenizer *const tokenizer = calloc(1, sizeof *tokenizer);
    struct drawing *const drawing = calloc(1, sizeof *drawing);
    if (tokenizer == NULL || drawing == NULL) {
        free(tokenizer);
        free(drawing);
        tolk_error_set(error, "%s: out of memory", name);
        return NULL;
    }
    pthread_mutex_init(&drawing->lock, NULL);
    tokenizer->drawing = drawing;
    tokenizer->bytes = malloc(size > 0 ? size : 1);
    tokenizer->size = size;
    if (tokenizer->bytes == NULL) {
        tolk_error_set(error, "%s: out of memory for %zu bytes", name, size);
        goto fail;
    }
    if (size > 0) {
        memcpy(tokenizer->bytes, model, size);
    }
    if (tolk_model_file_read(&tokenizer->file, tokenizer->bytes, size, name, error) != 0 ||
        (!foreign && check_ids(&tokenizer->file, name, error) != 0)) {
        goto fail;
    }
    tokenizer->library = tolk_sentencepiece_load(tokenizer->bytes, size, TOLK_PIECES, name, error);
    if (tokenizer->library == NULL) {
        goto fail;
    }
    return tokenizer;
fail:
    tolk_tokenizer_free(tokenizer);
    return NULL;
}

static struct tolk_tokenizer *load_file(const char *path, bool foreign, struct tolk_error *error)
{
    struct tolk_file file;
    if (tolk_file_map(&file, path, error) != 0) {
        return NULL;
    }
    struct tolk_tokenizer *const tokenizer =
        load_bytes(file.bytes, file.size, path, foreign, error);
    tolk_file_unmap(&file);
    return tokenizer;
}

struct tolk_tokenizer *tolk_tokenizer_load(const char *path, struct tolk_error *error)
{
    return load_file(path, false, error);
}

struct tolk_tokenizer *tolk_tokenizer_load_foreign(const char *path, struct tolk_error *error)
{
    return load_file(path, true, error);
}

struct tolk_tokenizer *tolk_tokenizer_from_memory(const unsigned char *model, size_t size,
                                                  const char *name, struct tolk_error *error)
{
    return load_bytes(model, size, name, false, error);
}

void tolk_tokenizer_free(struct tolk_tokenizer *tokenizer)
{
    if (tokenizer == NULL) {
        return;
    }
    tolk_sampler_free(&tokenizer->drawing->sampler);
    tolk_sentencepiece_free(tokenizer->drawing->characters);
    pthread_mutex_destroy(&tokenizer->drawing->lock);
    free(tokenizer->drawing);
    tolk_sentencepiece_free(tokenizer->library);
    tolk_model_file_free(&tokenizer->file);
    free(tokenizer->bytes);
    free(tokenizer);
}

/* ---- pieces and ids ---------------------------------------------------------------------------*/

const unsigned char *tolk_tokenizer_model(const struct tolk_tokenizer *tokenizer, size_t *size)
{
    *size = tokenizer->size;
    return tokenizer->bytes;
}

int32_t tolk_tokenizer_unknown(const struct tolk_tokenizer *tokenizer)
{
    return tokenizer->file.unknown;
}

size_t tolk_tokenizer_size(const struct tolk_tokenizer *tokenizer)
{
    return tokenizer->file.count;
}

const char *tolk_tokenizer_piece(const struct tolk_tokenizer *tokenizer, int32_t id)
{
    return id < 0 || (size_t)id >= tokenizer->file.count
               ? NULL
               : tolk_sentencepiece_piece(tokenizer->library, id);
}

int32_t tolk_tokenizer_id(const struct tolk_tokenizer *tokenizer, const char *piece)
{
    return tolk_sentencepiece_id(tokenizer->library, piece);
}

/* ---- encoding and decoding --------------------------------------------------------------------*/

static int check_sentence(size_t size, struct tolk_error *error)
{
    if (size > SENTENCE_BYTES_MAX) {
        return tolk_error_set(error, "a sentence of %zu bytes: expected at most %d", size,
                              (int)SENTENCE_BYTES_MAX);
    }
    return 0;
}

int tolk_tokenizer_encode(const struct tolk_tokenizer *tokenizer, const char *text, size_t size,
                          struct tolk_pieces *pieces, struct tolk_error *error)
{
    if (check_sentence(size, error) != 0) {
        return -1;
    }
    return tolk_sentencepiece_encode(tokenizer->library, text, size, pieces, error);
}

static int make_drawing(const struct tolk_tokenizer *tokenizer, struct tolk_error *error)
{
    struct drawing *const drawing = tokenizer->drawing;
    if (drawing->characters == NULL) {
        drawing->characters = tolk_sentencepiece_load(tokenizer->bytes, tokenizer->size,
                                                      TOLK_CHARACTERS, "drawing", error);
    }
    return drawing->characters == NULL
               ? -1
               : tolk_sampler_build(&drawing->sampler, &tokenizer->file, error);
}

/* NULL with an error when memory is out. */
static const struct drawing *drawing_of(const struct tolk_tokenizer *tokenizer,
                                        struct tolk_error *error)
{
    struct drawing *const drawing = tokenizer->drawing;
    if (!atomic_load_explicit(&drawing->made, memory_order_acquire)) {
        pthread_mutex_lock(&drawing->lock);
        if (!atomic_load_explicit(&drawing->made, memory_order_relaxed) &&
            make_drawing(tokenizer, error) == 0) {
            atomic_store_explicit(&drawing->made, true, memory_order_release);
        }
        pthread_mutex_unlock(&drawing->lock);
    }
    return atomic_load_explicit(&drawing->made, memory_order_relaxed) ? drawing : NULL;
}

int tolk_tokenizer_sample(const struct tolk_tokenizer *tokenizer, const char *text, size_t size,
                          int nbest, double alpha, struct tolk_random_key key,
                          struct tolk_pieces *pieces, struct tolk_error *error)
{
    const bool bpe = tokenizer->file.kind == TOLK_MODEL_BPE;
    if (!(alpha >= 0.0) || !isfinite(alpha) || (bpe && alpha > 1.0) || nbest > TOLK_NBEST_MAX) {
        return tolk_error_set(error,
                              "sampling: alpha %g and nbest %d, expected alpha %s and nbest <= %d",
                              alpha, nbest, bpe ? "between 0 and 1" : ">= 0", (int)TOLK_NBEST_MAX);
    }
    if (bpe ? alpha == 0.0 : nbest == 0 || nbest == 1) {
        return tolk_tokenizer_encode(tokenizer, text, size, pieces, error);
    }
    struct tolk_pieces characters = {0};
    const struct drawing *const drawing = drawing_of(tokenizer, error);
    int status = drawing == NULL ? -1 : check_sentence(size, error);
    if (status == 0) {
        status = tolk_sentencepiece_encode(drawing->characters, text, size, &characters, error);
    }
    pieces->count = 0;
    if (status == 0 && bpe) {
        status = tolk_sample_bpe(&drawing->sampler, &characters, alpha, key, pieces, error);
    } else if (status == 0) {
        status =
            tolk_sample_unigram(&drawing->sampler, &characters, nbest, alpha, key, pieces, error);
    }
    tolk_pieces_free(&characters);
    return status;
}

int tolk_tokenizer_decode_pieces(const struct tolk_tokenizer *tokenizer, const char *const *pieces,
                                 size_t count, char **text, struct tolk_error *error)
{
    return tolk_sentencepiece_decode(tokenizer->library, pieces, count, text, error);
}

int tolk_tokenizer_decode(const struct tolk_tokenizer *tokenizer, const int32_t *ids, size_t count,
                          char **text, struct tolk_error *error)
{
    const char **const pieces = malloc((count > 0 ? count : 1) * sizeof *pieces);
    if (pieces == NULL) {
        return tolk_error_set(error, "out of memory for %zu pieces", count);
    }
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        pieces[known] = tolk_tokenizer_piece(tokenizer, ids[i]);
        known += pieces[known] != NULL;
    }
    const int status = tolk_tokenizer_decode_pieces(tokenizer, pieces, known, text, error);
    free(pieces);
    return status;
}
