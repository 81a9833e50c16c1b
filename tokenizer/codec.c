#include "tokenizer/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tokenizer/codec_files.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

/* SentencePiece's sign for a space, U+2581. */
#define SPACE_MARK "\xe2\x96\x81"

/* A directory of others whose vocabulary lacks more of a tokenizer's pieces than this share has the
 * files of two models in it. (Marian drops the pieces that its training data never used.) */
#define MISSING_MAX 0.5

static bool is_ours(const struct tolk_tokenizer *tokenizer,
                    const struct tolk_vocabulary *vocabulary)
{
    const char *const eos = tolk_tokenizer_piece(tokenizer, TOLK_EOS);
    return tolk_tokenizer_size(tokenizer) + 1 == tolk_vocabulary_size(vocabulary) && eos != NULL &&
           strcmp(eos, TOLK_EOS_PIECE) == 0 && tolk_tokenizer_unknown(tokenizer) == TOLK_UNK;
}

/* Fills the map of one side, and refuses a vocabulary that is another tokenizer's. */
static int map_ids(struct tolk_codec *codec, enum tolk_side side, const char *name,
                   struct tolk_error *error)
{
    const struct tolk_tokenizer *const tokenizer = codec->tokenizers[side];
    const size_t count = tolk_tokenizer_size(tokenizer);
    const bool ours = is_ours(tokenizer, codec->vocabulary);
    const char *first_missing = NULL;
    size_t missing = 0;
    int32_t *const ids = malloc(count * sizeof *ids);
    if (ids == NULL) {
        return tolk_error_set(error, "%s: out of memory for %zu ids", name, count);
    }
    codec->model_ids[side] = ids;
    for (size_t i = 0; i < count; i++) {
        const char *const piece = tolk_tokenizer_piece(tokenizer, (int32_t)i);
        /* Of our models it is the same; a comparison takes less than looking the piece up. */
        const char *const same = tolk_vocabulary_piece(codec->vocabulary, (int32_t)i);
        ids[i] = same != NULL && strcmp(same, piece) == 0
                     ? (int32_t)i
                     : tolk_vocabulary_id(codec->vocabulary, piece);
        if (ids[i] < 0 || (ours && ids[i] != (int32_t)i)) {
            first_missing = first_missing == NULL ? piece : first_missing;
            missing++;
            ids[i] = codec->unk;
        }
    }
    if (missing > (ours ? 0 : (size_t)(MISSING_MAX * (double)count))) {
        return tolk_error_set(error,
                              "%s: does not fit the tokenizer %s.spm: %zu of its %zu pieces are "
                              "missing or have another id, first \"%s\"",
                              name, side == TOLK_SOURCE ? "source" : "target", missing, count,
                              first_missing);
    }
    return 0;
}

/* Takes what the tokenizers and the vocabulary say together. */
static int join(struct tolk_codec *codec, const char *name, struct tolk_error *error)
{
    codec->eos = tolk_vocabulary_id(codec->vocabulary, TOLK_EOS_PIECE);
    codec->unk = tolk_vocabulary_id(codec->vocabulary, TOLK_UNK_PIECE);
    codec->pad = tolk_vocabulary_id(codec->vocabulary, TOLK_PAD_PIECE);
    if (map_ids(codec, TOLK_SOURCE, name, error) != 0) {
        return -1;
    }
    if (codec->tokenizers[TOLK_TARGET] == codec->tokenizers[TOLK_SOURCE]) {
        codec->model_ids[TOLK_TARGET] = codec->model_ids[TOLK_SOURCE];
        return 0;
    }
    return map_ids(codec, TOLK_TARGET, name, error);
}

struct tolk_codec *tolk_codec_new(const unsigned char *model, size_t model_size,
                                  struct tolk_error *error)
{
    static const char name[] = "the trained tokenizer";
    struct tolk_codec *const codec = calloc(1, sizeof *codec);
    if (codec == NULL) {
        tolk_error_set(error, "%s: out of memory", name);
        return NULL;
    }
    struct tolk_tokenizer *const tokenizer =
        tolk_tokenizer_from_memory(model, model_size, name, error);
    codec->tokenizers[TOLK_SOURCE] = codec->tokenizers[TOLK_TARGET] = tokenizer;
    if (tokenizer != NULL) {
        codec->vocabulary = tolk_vocabulary_of(tokenizer, error);
    }
    if (codec->vocabulary == NULL || join(codec, name, error) != 0) {
        tolk_codec_free(codec);
        return NULL;
    }
    return codec;
}

struct tolk_codec *tolk_codec_load(const char *folder, size_t vocab_size, struct tolk_error *error)
{
    struct tolk_codec *const codec = calloc(1, sizeof *codec);
    char *const vocabulary_path = tolk_path_join(folder, TOLK_VOCABULARY_FILE);
    if (codec == NULL || vocabulary_path == NULL) {
        tolk_error_set(error, "%s: out of memory", folder);
        goto fail;
    }
    if (tolk_codec_read_files(codec, folder, error) != 0) {
        goto fail;
    }
    if (vocab_size > 0 && tolk_vocabulary_size(codec->vocabulary) != vocab_size) {
        tolk_error_set(error, "%s: %zu pieces, but config.json says vocab_size %zu",
                       vocabulary_path, tolk_vocabulary_size(codec->vocabulary), vocab_size);
        goto fail;
    }
    if (join(codec, vocabulary_path, error) != 0) {
        goto fail;
    }
    free(vocabulary_path);
    return codec;
fail:
    free(vocabulary_path);
    tolk_codec_free(codec);
    return NULL;
}

void tolk_codec_free(struct tolk_codec *codec)
{
    if (codec == NULL) {
        return;
    }
    if (codec->tokenizers[TOLK_TARGET] != codec->tokenizers[TOLK_SOURCE]) {
        tolk_tokenizer_free(codec->tokenizers[TOLK_TARGET]);
        free(codec->model_ids[TOLK_TARGET]);
    }
    tolk_tokenizer_free(codec->tokenizers[TOLK_SOURCE]);
    tolk_vocabulary_free(codec->vocabulary);
    free(codec->model_ids[TOLK_SOURCE]);
    free(codec);
}

size_t tolk_codec_size(const struct tolk_codec *codec)
{
    return tolk_vocabulary_size(codec->vocabulary);
}

int32_t tolk_codec_eos(const struct tolk_codec *codec)
{
    return codec->eos;
}

int32_t tolk_codec_unk(const struct tolk_codec *codec)
{
    return codec->unk;
}

int32_t tolk_codec_pad(const struct tolk_codec *codec)
{
    return codec->pad;
}

const char *tolk_codec_piece(const struct tolk_codec *codec, int32_t id)
{
    return tolk_vocabulary_piece(codec->vocabulary, id);
}

/* What one tokenizer does not know the other may: a vocabulary of others holds the pieces of both.
 * The text is looked up as it was written, before normalisation. */
static int32_t look_up_unknown(const struct tolk_codec *codec, const char *text, size_t size)
{
    char piece[64];
    if (size >= sizeof piece) {
        return codec->unk;
    }
    memcpy(piece, text, size);
    piece[size] = '\0';
    const int32_t id = tolk_vocabulary_id(codec->vocabulary, piece);
    return id < 0 || id == codec->eos || id == codec->pad ? codec->unk : id;
}

/* From the tokenizer's ids to the model's, and the end of sentence. */
static int finish(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                  size_t size, struct tolk_pieces *pieces, struct tolk_error *error)
{
    const int32_t unknown = tolk_tokenizer_unknown(codec->tokenizers[side]);
    for (size_t i = 0; i < pieces->count; i++) {
        pieces->ids[i] =
            pieces->ids[i] == unknown
                ? look_up_unknown(codec, text + pieces->begin[i], pieces->end[i] - pieces->begin[i])
                : codec->model_ids[side][pieces->ids[i]];
    }
    return tolk_pieces_append(pieces, codec->eos, size, size, error);
}

int tolk_codec_encode(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                      size_t size, struct tolk_pieces *pieces, struct tolk_error *error)
{
    if (tolk_tokenizer_encode(codec->tokenizers[side], text, size, pieces, error) != 0) {
        return -1;
    }
    return finish(codec, side, text, size, pieces, error);
}

int tolk_codec_sample(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                      size_t size, int nbest, double alpha, struct tolk_random_key key,
                      struct tolk_pieces *pieces, struct tolk_error *error)
{
    if (tolk_tokenizer_sample(codec->tokenizers[side], text, size, nbest, alpha, key, pieces,
                              error) != 0) {
        return -1;
    }
    return finish(codec, side, text, size, pieces, error);
}

/* Marks of spaces that are left (in pieces the target's tokenizer does not know) become spaces;
 * none stays at the ends. */
static void tidy(char *text)
{
    const size_t mark = sizeof SPACE_MARK - 1;
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        const bool marked = strncmp(from, SPACE_MARK, mark) == 0;
        const char c = marked ? ' ' : *from;
        from += marked ? mark : 1;
        if (c != ' ' || to != text) {
            *to++ = c;
        }
    }
    while (to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

int tolk_codec_decode(const struct tolk_codec *codec, const int32_t *ids, size_t count, char **text,
                      struct tolk_error *error)
{
    const char **const pieces = malloc((count > 0 ? count : 1) * sizeof *pieces);
    if (pieces == NULL) {
        return tolk_error_set(error, "out of memory for %zu pieces", count);
    }
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        const char *const piece = tolk_codec_piece(codec, ids[i]);
        if (piece != NULL && ids[i] != codec->eos && ids[i] != codec->pad) {
            pieces[known++] = piece;
        }
    }
    const int status =
        tolk_tokenizer_decode_pieces(codec->tokenizers[TOLK_TARGET], pieces, known, text, error);
    free(pieces);
    if (status == 0) {
        tidy(*text);
    }
    return status;
}
