#include "tests/support/tokenizers.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* Words in three parts, so that there is something to learn about their parts. */
const char *const *tokenizers_sentences(void)
{
    static const char *const first[] = {"", "", "", "ge", "be", "ver", "ont"};
    static const char *const middle[] = {"kat",  "hond",      "fiets",    "loop", "zit",
                                         "tuin", "klein",     "groot",    "zie",  "straat",
                                         "huis", "re\u00fcn", "caf\u00e9"};
    static const char *const last[] = {"", "", "en", "t", "je", "jes", "s", "ie", "er"};
    enum {
        FIRST = sizeof first / sizeof first[0],
        MIDDLE = sizeof middle / sizeof middle[0],
        LAST = sizeof last / sizeof last[0],
        LENGTH = 192
    };
    static char texts[TOKENIZERS_SENTENCES][LENGTH];
    static const char *sentences[TOKENIZERS_SENTENCES];
    for (uint32_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        const struct tolk_random_key key = tolk_random_key(7, i, 0);
        const uint32_t length = 3 + tolk_random_below(key, 0, 6);
        size_t at = 0;
        for (uint32_t w = 1; w <= length; w++) {
            const int written = snprintf(texts[i] + at, LENGTH - at, "%s%s%s%s", w == 1 ? "" : " ",
                                         first[tolk_random_below(key, 3 * w, FIRST)],
                                         middle[tolk_random_below(key, 3 * w + 1, MIDDLE)],
                                         last[tolk_random_below(key, 3 * w + 2, LAST)]);
            at += (size_t)written;
        }
        snprintf(texts[i] + at, LENGTH - at, ".");
        sentences[i] = texts[i];
    }
    return sentences;
}

unsigned char *tokenizers_train(enum tolk_tokenizer_kind kind, size_t vocabulary_size,
                                size_t *model_size)
{
    const struct tolk_tokenizer_training training = {
        .kind = kind, .vocabulary_size = vocabulary_size, .character_coverage = 1.0};
    struct tolk_error error = {""};
    unsigned char *model = NULL;
    const int status = tolk_tokenizer_train(&training, tokenizers_sentences(), TOKENIZERS_SENTENCES,
                                            &model, model_size, &error);
    ck_assert_msg(status == 0, "%s", error.message);
    return model;
}

struct tolk_tokenizer *tokenizers_trained(enum tolk_tokenizer_kind kind)
{
    size_t size;
    struct tolk_error error = {""};
    unsigned char *const model = tokenizers_train(kind, TOKENIZERS_SIZE, &size);
    struct tolk_tokenizer *const tokenizer =
        tolk_tokenizer_from_memory(model, size, "trained", &error);
    ck_assert_msg(tokenizer != NULL, "%s", error.message);
    free(model);
    return tokenizer;
}

unsigned char *tokenizers_write(const struct tokenizers_piece *pieces, size_t count, unsigned kind,
                                size_t *model_size)
{
    enum { PIECE_BYTES = 128 };
    unsigned char *const model = malloc(PIECE_BYTES * (count + 1));
    ck_assert_ptr_nonnull(model);
    unsigned char *at = model;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(pieces[i].text);
        ck_assert_uint_lt(length, PIECE_BYTES - 11);
        *at++ = 0x0a; /* ModelProto.pieces: text, score, type */
        *at++ = (unsigned char)(length + 9);
        *at++ = 0x0a;
        *at++ = (unsigned char)length;
        memcpy(at, pieces[i].text, length);
        at += length;
        *at++ = 0x15;
        memcpy(at, &pieces[i].score, sizeof pieces[i].score);
        at += sizeof pieces[i].score;
        *at++ = 0x18;
        *at++ = (unsigned char)pieces[i].type;
    }
    const unsigned char trainer[] = {0x12, 0x02, 0x18, (unsigned char)kind};
    memcpy(at, trainer, sizeof trainer);
    *model_size = (size_t)(at - model) + sizeof trainer;
    return model;
}

char *tokenizers_show(const struct tolk_tokenizer *tokenizer, const struct tolk_pieces *pieces)
{
    size_t size = 1;
    for (size_t i = 0; i < pieces->count; i++) {
        size += strlen(tolk_tokenizer_piece(tokenizer, pieces->ids[i])) + 1;
    }
    char *const text = calloc(size, 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < pieces->count; i++) {
        strcat(strcat(text, i > 0 ? "|" : ""), tolk_tokenizer_piece(tokenizer, pieces->ids[i]));
    }
    return text;
}
