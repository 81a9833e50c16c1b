/* A C interface over SentencePiece (Kudo & Richardson 2018): subword pieces and their ids.
 *
 *     struct tolk_tokenizer *tokenizer = tolk_tokenizer_load("toy.model/source.spm", &error);
 *     struct tolk_pieces pieces = {0};
 *     if (tokenizer != NULL &&
 *         tolk_tokenizer_encode(tokenizer, "De kat zit.", 11, &pieces, &error) == 0)
 *         for (size_t i = 0; i < pieces.count; i++)
 *             printf("%s covers bytes %zu to %zu\n",
 *                    tolk_tokenizer_piece(tokenizer, pieces.ids[i]),
 *                    pieces.begin[i], pieces.end[i]);
 *     tolk_pieces_free(&pieces);
 *     tolk_tokenizer_free(tokenizer);
 *
 * Ids: end of sentence 0, unknown 1, then the pieces. The model's pad, which also starts decoding,
 * is one past the last piece; it is the vocabulary's (see vocabulary.h), SentencePiece knows
 * nothing of it.
 *
 * No exception of the C++ library leaves this interface: each is an error message. */
#ifndef TOLK_TOKENIZER_TOKENIZER_H
#define TOLK_TOKENIZER_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "tokenizer/pieces.h"

/* The longest list of best segmentations to draw from. */
enum { TOLK_NBEST_MAX = 512 };

struct tolk_tokenizer;

enum tolk_tokenizer_kind { TOLK_UNIGRAM, TOLK_BPE };

struct tolk_tokenizer_training {
    enum tolk_tokenizer_kind kind;
    size_t vocabulary_size;    /* pieces, eos and unk among them, pad not */
    double character_coverage; /* share of the characters that get a piece, 0.98 … 1 */
};

/* Trains on `count` sentences of UTF-8 and returns the serialised model (what a .spm file holds) in
 * fresh memory. The same sentences in the same order give the same bytes on any number of
 * processors. Sentences that are not UTF-8, have
 * no letter or digit, more than 4,192 bytes, or one of "</s>", "<unk>" and U+2585 teach nothing.
 * Errors: no sentence left, vocabulary too large or too small for the corpus (the message says the
 * bound), whatever the library reports. The library's own log stays silent. */
int tolk_tokenizer_train(const struct tolk_tokenizer_training *training,
                         const char *const *sentences, size_t count, unsigned char **model,
                         size_t *model_size, struct tolk_error *error);

/* Loads a .spm file, or one in memory (`name` stands in messages). NULL with an error when it is
 * missing, empty, cut, not a SentencePiece model, or has other ids for eos and unk than 0 and 1 —
 * the last is allowed for models of others through tolk_tokenizer_load_foreign. */
struct tolk_tokenizer *tolk_tokenizer_load(const char *path, struct tolk_error *error);
struct tolk_tokenizer *tolk_tokenizer_load_foreign(const char *path, struct tolk_error *error);
struct tolk_tokenizer *tolk_tokenizer_from_memory(const unsigned char *model, size_t size,
                                                  const char *name, struct tolk_error *error);
void tolk_tokenizer_free(struct tolk_tokenizer *tokenizer);

/* The bytes that the tokenizer was loaded from: what a .spm file holds. */
const unsigned char *tolk_tokenizer_model(const struct tolk_tokenizer *tokenizer, size_t *size);
/* The unknown piece: TOLK_UNK but for models of others. */
int32_t tolk_tokenizer_unknown(const struct tolk_tokenizer *tokenizer);
/* The number of pieces, eos and unk among them. */
size_t tolk_tokenizer_size(const struct tolk_tokenizer *tokenizer);
/* The piece's text (the white-space mark is U+2581), or NULL for an id out of range; lives as long
 * as the tokenizer. */
const char *tolk_tokenizer_piece(const struct tolk_tokenizer *tokenizer, int32_t id);
/* The unknown piece's id for a text that is no piece. */
int32_t tolk_tokenizer_id(const struct tolk_tokenizer *tokenizer, const char *piece);

/* The pieces of `text` (UTF-8, `size` bytes, no eos appended). Thread-safe on one tokenizer. */
int tolk_tokenizer_encode(const struct tolk_tokenizer *tokenizer, const char *text, size_t size,
                          struct tolk_pieces *pieces, struct tolk_error *error);

/* Subword regularisation (Kudo 2018): one segmentation drawn with probability ∝ P(x)^alpha, from
 * the `nbest` best ones (unigram, nbest up to TOLK_NBEST_MAX; 0 and 1 give the best one), or from
 * all of them where nbest is < 0 (forward filtering, backward sampling). For BPE alpha is the rate
 * of BPE-dropout (Provilkov et al. 2020) and nbest is ignored. The draw depends on `key` alone, so
 * that a resumed training sees the same pieces. Thread-safe on one tokenizer. */
int tolk_tokenizer_sample(const struct tolk_tokenizer *tokenizer, const char *text, size_t size,
                          int nbest, double alpha, struct tolk_random_key key,
                          struct tolk_pieces *pieces, struct tolk_error *error);

/* The text of `count` ids in fresh memory; eos and ids out of range give nothing, unk gives " ⁇ ".
 */
int tolk_tokenizer_decode(const struct tolk_tokenizer *tokenizer, const int32_t *ids, size_t count,
                          char **text, struct tolk_error *error);
/* The same from the pieces' texts; one that is no piece of this tokenizer stands for itself. */
int tolk_tokenizer_decode_pieces(const struct tolk_tokenizer *tokenizer, const char *const *pieces,
                                 size_t count, char **text, struct tolk_error *error);

#endif
