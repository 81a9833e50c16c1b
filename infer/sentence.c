#include "infer/sentence.h"

#include <stdlib.h>
#include <string.h>

int tolk_sentence_check_codec(const struct tolk_codec *codec, const struct tolk_config *config,
                              struct tolk_error *error)
{
    if (config->vocab_size != tolk_codec_size(codec)) {
        return tolk_error_set(error, "vocab_size: the config says %zu, the vocabulary has %zu ids",
                              config->vocab_size, tolk_codec_size(codec));
    }
    const struct {
        const char *key;
        int32_t config;
        int32_t codec;
    } ids[] = {
        {"eos_token_id", config->eos_token_id, tolk_codec_eos(codec)},
        {"pad_token_id", config->pad_token_id, tolk_codec_pad(codec)},
        {"decoder_start_token_id", config->decoder_start_token_id, tolk_codec_pad(codec)},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (ids[i].config != ids[i].codec) {
            return tolk_error_set(error, "%s: the config says %d, the vocabulary %d", ids[i].key,
                                  (int)ids[i].config, (int)ids[i].codec);
        }
    }
    return 0;
}

/* Splits the text, and takes over what the pieces cover. */
static int find_words(struct tolk_sentence *sentence, struct tolk_pieces *pieces,
                      struct tolk_error *error)
{
    if (tolk_words_split(sentence->text, strlen(sentence->text), &sentence->words, error) != 0) {
        return -1;
    }
    sentence->word_of_piece = malloc((pieces->count + 1) * sizeof *sentence->word_of_piece);
    if (sentence->word_of_piece == NULL) {
        return tolk_error_set(error, "out of memory for %zu pieces", pieces->count);
    }
    tolk_words_of_pieces(&sentence->words, pieces, sentence->word_of_piece);
    sentence->piece_begin = pieces->begin;
    sentence->piece_end = pieces->end;
    pieces->begin = pieces->end = NULL;
    if (sentence->pieces < sentence->all_pieces) {
        /* The attention is a table of words by words, and a line of megabytes has millions. */
        const size_t pieces_read = sentence->pieces;
        sentence->words.count = pieces_read > 0 ? sentence->word_of_piece[pieces_read - 1] + 1 : 0;
    }
    return 0;
}

int tolk_sentence_encode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         enum tolk_side side, const char *text, size_t longest,
                         struct tolk_error *error)
{
    *sentence = (struct tolk_sentence){.codec = codec};
    struct tolk_pieces pieces = {0};
    int status = tolk_codec_encode(codec, side, text, strlen(text), &pieces, error);
    if (status != 0) {
        goto out;
    }
    status = -1;
    pieces.count--; /* eos, which is put behind the cut */
    sentence->all_pieces = pieces.count;
    pieces.count = pieces.count < longest ? pieces.count : longest - 1;
    sentence->pieces = pieces.count;
    sentence->text = strdup(text);
    sentence->ids = malloc((pieces.count + 1) * sizeof *sentence->ids);
    if (sentence->text == NULL || sentence->ids == NULL) {
        tolk_error_set(error, "out of memory for %zu pieces", pieces.count);
        goto out;
    }
    if (pieces.count > 0) {
        memcpy(sentence->ids, pieces.ids, pieces.count * sizeof *sentence->ids);
    }
    sentence->ids[pieces.count] = tolk_codec_eos(codec);
    status = find_words(sentence, &pieces, error);
out:
    tolk_pieces_free(&pieces);
    if (status != 0) {
        tolk_sentence_free(sentence);
    }
    return status;
}

/* Piece i of a decoded sentence covers what the text grows by when it joins the pieces before it.
 */
static int find_decoded_ranges(const struct tolk_codec *codec, const struct tolk_sentence *sentence,
                               struct tolk_pieces *pieces, struct tolk_error *error)
{
    const size_t size = strlen(sentence->text);
    pieces->begin = malloc((sentence->pieces + 1) * sizeof *pieces->begin);
    pieces->end = malloc((sentence->pieces + 1) * sizeof *pieces->end);
    if (pieces->begin == NULL || pieces->end == NULL) {
        return tolk_error_set(error, "out of memory for %zu pieces", sentence->pieces);
    }
    size_t covered = 0;
    for (size_t i = 0; i < sentence->pieces; i++) {
        char *text = NULL;
        if (tolk_codec_decode(codec, sentence->ids, i + 1, &text, error) != 0) {
            return -1;
        }
        const size_t grown = strlen(text);
        free(text);
        pieces->begin[i] = covered;
        covered = grown > covered ? grown : covered;
        covered = covered < size ? covered : size;
        pieces->end[i] = covered;
    }
    pieces->count = sentence->pieces;
    return 0;
}

int tolk_sentence_decode(struct tolk_sentence *sentence, const struct tolk_codec *codec,
                         const int32_t *ids, size_t length, bool words, struct tolk_error *error)
{
    *sentence =
        (struct tolk_sentence){.codec = codec, .pieces = length - 1, .all_pieces = length - 1};
    struct tolk_pieces pieces = {0};
    int status = -1;
    sentence->ids = malloc(length * sizeof *sentence->ids);
    if (sentence->ids == NULL) {
        tolk_error_set(error, "out of memory for %zu pieces", length);
        goto out;
    }
    memcpy(sentence->ids, ids, length * sizeof *ids);
    if (tolk_codec_decode(codec, ids, length - 1, &sentence->text, error) != 0) {
        goto out;
    }
    if (words && (find_decoded_ranges(codec, sentence, &pieces, error) != 0 ||
                  find_words(sentence, &pieces, error) != 0)) {
        goto out;
    }
    status = 0;
out:
    tolk_pieces_free(&pieces);
    if (status != 0) {
        tolk_sentence_free(sentence);
    }
    return status;
}

void tolk_sentence_free(struct tolk_sentence *sentence)
{
    free(sentence->text);
    tolk_words_free(&sentence->words);
    free(sentence->ids);
    free(sentence->piece_begin);
    free(sentence->piece_end);
    free(sentence->word_of_piece);
    *sentence = (struct tolk_sentence){0};
}

const char *tolk_sentence_piece(const struct tolk_sentence *sentence, size_t i)
{
    return tolk_codec_piece(sentence->codec, sentence->ids[i]);
}

double *tolk_sentence_scores(const struct tolk_sentence *sentence, enum tolk_unit unit,
                             const double *log_probabilities, struct tolk_error *error)
{
    const struct tolk_word_map map = tolk_sentence_map(sentence, unit);
    double *const scores = calloc(map.words + 1, sizeof *scores);
    if (scores == NULL) {
        tolk_error_set(error, "out of memory for %zu scores", map.words + 1);
        return NULL;
    }
    for (size_t i = 0; i <= map.pieces; i++) {
        scores[tolk_word_map_word(&map, i)] += log_probabilities[i];
    }
    return scores;
}
