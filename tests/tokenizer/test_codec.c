#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/tokenizers.h"
#include "tokenizer/codec.h"

#define MARK "\xe2\x96\x81"

static const struct tolk_codec_description description = {"nl", "en", 256};

static struct tolk_codec *trained_codec(void)
{
    size_t size;
    struct tolk_error error = {""};
    unsigned char *model = tokenizers_train(TOLK_UNIGRAM, TOKENIZERS_SIZE, &size);
    struct tolk_codec *codec = tolk_codec_new(model, size, &error);
    ck_assert_msg(codec != NULL, "%s", error.message);
    free(model);
    return codec;
}

static void write_in(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    tolk_test_write(path, bytes, size);
}

static void encode(const struct tolk_codec *codec, enum tolk_side side, const char *text,
                   struct tolk_pieces *pieces)
{
    struct tolk_error error = {""};
    const int status = tolk_codec_encode(codec, side, text, strlen(text), pieces, &error);
    ck_assert_msg(status == 0, "%s", error.message);
}

static void refuses(const char *folder, size_t vocab_size, const char *expected)
{
    struct tolk_error error = {""};
    ck_assert_ptr_null(tolk_codec_load(folder, vocab_size, &error));
    ck_assert_msg(strstr(error.message, expected) != NULL, "\"%s\" lacks \"%s\"", error.message,
                  expected);
}

START_TEST(a_sentence_ends_with_eos)
{
    struct tolk_codec *codec = trained_codec();
    ck_assert_int_eq(tolk_codec_eos(codec), 0);
    ck_assert_int_eq(tolk_codec_unk(codec), 1);
    ck_assert_int_eq(tolk_codec_pad(codec), TOKENIZERS_SIZE);
    ck_assert_uint_eq(tolk_codec_size(codec), TOKENIZERS_SIZE + 1);
    struct tolk_pieces pieces = {0};
    encode(codec, TOLK_SOURCE, "", &pieces);
    ck_assert_uint_eq(pieces.count, 1);
    ck_assert_int_eq(pieces.ids[0], 0);
    encode(codec, TOLK_TARGET, "kat Q", &pieces);
    ck_assert_uint_ge(pieces.count, 3);
    ck_assert_int_eq(pieces.ids[pieces.count - 2], tolk_codec_unk(codec));
    ck_assert_int_eq(pieces.ids[pieces.count - 1], tolk_codec_eos(codec));
    ck_assert_uint_eq(pieces.begin[pieces.count - 1], 5);
    ck_assert_uint_eq(pieces.end[pieces.count - 1], 5);
    tolk_pieces_free(&pieces);
    tolk_codec_free(codec);
}
END_TEST

START_TEST(a_saved_codec_gives_the_same_ids)
{
    const char *const *sentences = tokenizers_sentences();
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    struct tolk_codec *saved = trained_codec();
    ck_assert_int_eq(tolk_codec_save(saved, folder, &description, &error), 0);
    struct tolk_codec *loaded = tolk_codec_load(folder, TOKENIZERS_SIZE + 1, &error);
    ck_assert_msg(loaded != NULL, "%s", error.message);
    struct tolk_pieces a = {0}, b = {0};
    for (size_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        char *text = NULL;
        encode(saved, TOLK_SOURCE, sentences[i], &a);
        encode(loaded, TOLK_TARGET, sentences[i], &b);
        ck_assert_uint_eq(a.count, b.count);
        ck_assert_mem_eq(a.ids, b.ids, a.count * sizeof *a.ids);
        ck_assert_int_eq(tolk_codec_decode(loaded, b.ids, b.count, &text, &error), 0);
        ck_assert_str_eq(text, sentences[i]);
        free(text);
    }
    tolk_pieces_free(&a);
    tolk_pieces_free(&b);
    tolk_codec_free(saved);
    tolk_codec_free(loaded);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_drawn_sentence_ends_with_eos_and_reads_the_same)
{
    const char *const *sentences = tokenizers_sentences();
    struct tolk_codec *codec = trained_codec();
    struct tolk_pieces pieces = {0};
    for (size_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        char *text = NULL;
        ck_assert_int_eq(tolk_codec_sample(codec, TOLK_SOURCE, sentences[i], strlen(sentences[i]),
                                           -1, 0.2, tolk_random_key(1, i, 0), &pieces, NULL),
                         0);
        ck_assert_int_eq(pieces.ids[pieces.count - 1], 0);
        ck_assert_int_eq(tolk_codec_decode(codec, pieces.ids, pieces.count, &text, NULL), 0);
        ck_assert_str_eq(text, sentences[i]);
        free(text);
    }
    tolk_pieces_free(&pieces);
    tolk_codec_free(codec);
}
END_TEST

START_TEST(what_the_settings_say)
{
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    char path[512];
    size_t size;
    struct tolk_codec *codec = trained_codec();
    ck_assert_int_eq(tolk_codec_save(codec, folder, &description, &error), 0);
    snprintf(path, sizeof path, "%s/tokenizer_config.json", folder);
    char *settings = tolk_test_read(path, &size);
    ck_assert_ptr_nonnull(strstr(settings, "\"tokenizer_class\": \"MarianTokenizer\""));
    ck_assert_ptr_nonnull(strstr(settings, "\"source_lang\": \"nl\""));
    ck_assert_ptr_nonnull(strstr(settings, "\"model_max_length\": 256"));
    ck_assert_ptr_nonnull(strstr(settings, "\"separate_vocabs\": false"));
    free(settings);
    ck_assert_int_eq(tolk_codec_save(codec, "no/such/folder", &description, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "no/such/folder"));
    tolk_codec_free(codec);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Two tokenizers that know their own language, and one vocabulary with other ids. */
static void write_foreign(const char *folder, const char *vocabulary)
{
    const struct tokenizers_piece source[] = {
        {"<unk>", 0, TOLK_PIECE_UNKNOWN}, {"<s>", 0, TOLK_PIECE_CONTROL},
        {"</s>", 0, TOLK_PIECE_CONTROL},  {MARK "kat", -1, TOLK_PIECE_NORMAL},
        {MARK, -2, TOLK_PIECE_NORMAL},    {"je", -2, TOLK_PIECE_NORMAL},
    };
    const struct tokenizers_piece target[] = {
        {"<unk>", 0, TOLK_PIECE_UNKNOWN}, {"<s>", 0, TOLK_PIECE_CONTROL},
        {"</s>", 0, TOLK_PIECE_CONTROL},  {MARK "cat", -1, TOLK_PIECE_NORMAL},
        {MARK, -2, TOLK_PIECE_NORMAL},    {"s", -2, TOLK_PIECE_NORMAL},
    };
    size_t size;
    unsigned char *model = tokenizers_write(source, 6, TOLK_MODEL_UNIGRAM, &size);
    write_in(folder, "source.spm", model, size);
    free(model);
    model = tokenizers_write(target, 6, TOLK_MODEL_UNIGRAM, &size);
    write_in(folder, "target.spm", model, size);
    free(model);
    write_in(folder, "vocab.json", vocabulary, strlen(vocabulary));
}

START_TEST(foreign_pieces_are_looked_up_by_their_text)
{
    static const char vocabulary[] = "{\"s\": 6, \"</s>\": 0, \"<unk>\": 1, \"" MARK "cat\": 2,"
                                     " \"" MARK "\": 3, \"" MARK "kat\": 4, \"je\": 5,"
                                     " \"" MARK "nu\": 7, \"<pad>\": 8}";
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    write_foreign(folder, vocabulary);
    struct tolk_codec *codec = tolk_codec_load(folder, 9, &error);
    ck_assert_msg(codec != NULL, "%s", error.message);
    ck_assert_int_eq(tolk_codec_pad(codec), 8);

    struct tolk_pieces pieces = {0};
    /* "s" is unknown to the source's tokenizer alone, "x" to all. */
    static const int32_t expected[] = {4, 5, 3, 6, 3, 1, 0};
    encode(codec, TOLK_SOURCE, "katje s x", &pieces);
    ck_assert_uint_eq(pieces.count, 7);
    ck_assert_mem_eq(pieces.ids, expected, sizeof expected);

    /* "▁kat", "je" and "▁nu" are no pieces of the target's tokenizer. */
    static const int32_t ids[] = {8, 2, 6, 4, 5, 7, 3, 1, 0, 99, -1};
    char *text = NULL;
    ck_assert_int_eq(tolk_codec_decode(codec, ids, 11, &text, &error), 0);
    ck_assert_str_eq(text, "cats katje nu  \xe2\x81\x87");
    free(text);
    tolk_pieces_free(&pieces);
    tolk_codec_free(codec);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(a_vocabulary_that_does_not_fit_is_refused)
{
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    struct tolk_codec *codec = trained_codec();
    ck_assert_int_eq(tolk_codec_save(codec, folder, &description, &error), 0);
    refuses(folder, TOKENIZERS_SIZE, "config.json says vocab_size");
    struct tolk_codec *uncompared = tolk_codec_load(folder, 0, &error);
    ck_assert_ptr_nonnull(uncompared);
    tolk_codec_free(uncompared);

    /* One piece under another name. */
    size_t size;
    char path[512];
    snprintf(path, sizeof path, "%s/vocab.json", folder);
    char *vocabulary = tolk_test_read(path, &size);
    char *stop = strstr(vocabulary, "\".\"");
    ck_assert_ptr_nonnull(stop);
    stop[1] = '@';
    tolk_test_write(path, vocabulary, size);
    refuses(folder, TOKENIZERS_SIZE + 1, "1 of its 120 pieces");
    stop[1] = '.';
    tolk_test_write(path, vocabulary, size);
    free(vocabulary);

    /* The same number of pieces, of another tokenizer. */
    unsigned char *model = tokenizers_train(TOLK_BPE, TOKENIZERS_SIZE, &size);
    write_in(folder, "target.spm", model, size);
    refuses(folder, TOKENIZERS_SIZE + 1, "does not fit the tokenizer target.spm");
    write_in(folder, "source.spm", model, size);
    refuses(folder, TOKENIZERS_SIZE + 1, "does not fit the tokenizer source.spm");
    refuses(folder, TOKENIZERS_SIZE + 1, "/vocab.json: ");
    free(model);

    write_in(folder, "source.spm", "", 0);
    refuses(folder, TOKENIZERS_SIZE + 1, "source.spm: 0 bytes");
    write_foreign(folder, "{\"</s>\": 0, \"<unk>\": 1, \"<pad>\": 2}");
    refuses(folder, 3, "4 of its 6 pieces are missing");
    refuses("no/such/folder", 3, "no/such/folder/source.spm");
    tolk_codec_free(codec);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("codec", a_sentence_ends_with_eos, a_saved_codec_gives_the_same_ids,
           a_drawn_sentence_ends_with_eos_and_reads_the_same, what_the_settings_say,
           foreign_pieces_are_looked_up_by_their_text, a_vocabulary_that_does_not_fit_is_refused)
