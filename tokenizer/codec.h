/* Text to the ids of a model and back: what is kept of a model directory besides the network
 * (source.spm, target.spm, vocab.json, tokenizer_config.json), as MarianMT lays it out.
 *
 *     struct tolk_codec *codec = tolk_codec_load("toy.model", config.vocab_size, &error);
 *     struct tolk_pieces source = {0};
 *     if (codec != NULL &&
 *         tolk_codec_encode(codec, TOLK_SOURCE, line, size, &source, &error) == 0)
 *         … source.ids[0 … source.count) ends with tolk_codec_eos(codec) …
 *
 * All of it is read only once loaded, so threads may share a codec. */
#ifndef TOLK_TOKENIZER_CODEC_H
#define TOLK_TOKENIZER_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "tokenizer/pieces.h"

enum tolk_side { TOLK_SOURCE, TOLK_TARGET };

struct tolk_codec;

/* A codec of our own kind from a tokenizer in memory (tolk_tokenizer_train), which serves both
 * sides: ids are the tokenizer's, pad comes last. NULL with an error. */
struct tolk_codec *tolk_codec_new(const unsigned char *model, size_t model_size,
                                  struct tolk_error *error);

/* Loads it from a model directory, ours or one of others, whose tokenizers have ids unlike the
 * vocabulary's: there the pieces are looked up by their text, and a piece that the vocabulary does
 * not know counts as unknown. `vocab_size` is what config.json says, or 0 where that is compared
 * later. NULL with an error: a file missing or damaged, a vocabulary of another size, one that does
 * not fit the tokenizers. */
struct tolk_codec *tolk_codec_load(const char *folder, size_t vocab_size, struct tolk_error *error);

/* What tokenizer_config.json says beyond the pieces; both languages may be NULL. */
struct tolk_codec_description {
    const char *source_language;
    const char *target_language;
    size_t max_length; /* positions of the model */
};

/* Writes the four files into an existing folder. */
int tolk_codec_save(const struct tolk_codec *codec, const char *folder,
                    const struct tolk_codec_description *description, struct tolk_error *error);

void tolk_codec_free(struct tolk_codec *codec);

/* The number of ids, pad among them. */
size_t tolk_codec_size(const struct tolk_codec *codec);
int32_t tolk_codec_eos(const struct tolk_codec *codec);
int32_t tolk_codec_unk(const struct tolk_codec *codec);
int32_t tolk_codec_pad(const struct tolk_codec *codec);
/* The text of a piece (the white-space mark is U+2581), or NULL for an id out of range. */
const char *tolk_codec_piece(const struct tolk_codec *codec, int32_t id);

/* The ids of a sentence and, last, the end of sentence, which covers bytes [size, size). */
int tolk_codec_encode(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                      size_t size, struct tolk_pieces *pieces, struct tolk_error *error);

/* The same with one segmentation drawn: see tolk_tokenizer_sample. */
int tolk_codec_sample(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                      size_t size, int nbest, double alpha, struct tolk_random_key key,
                      struct tolk_pieces *pieces, struct tolk_error *error);

/* The text of `count` ids of the target side in fresh memory, without white space at its ends. End
 * of sentence, pad and ids out of range give nothing; the unknown piece gives "⁇". */
int tolk_codec_decode(const struct tolk_codec *codec, const int32_t *ids, size_t count, char **text,
                      struct tolk_error *error);

#endif
