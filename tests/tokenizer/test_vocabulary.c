#include "tests/support/suite.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/tokenizers.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/vocabulary_scan.h"

static int count_pair(void *context, const char *piece, size_t size, int64_t id)
{
    (void)piece;
    (void)size;
    (void)id;
    ++*(size_t *)context;
    return 0;
}

START_TEST(pad_is_the_last_id)
{
    struct tolk_error error = {""};
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_vocabulary *vocabulary = tolk_vocabulary_of(tokenizer, &error);
    ck_assert_msg(vocabulary != NULL, "%s", error.message);
    ck_assert_uint_eq(tolk_vocabulary_size(vocabulary), TOKENIZERS_SIZE + 1);
    for (int32_t id = 0; id < TOKENIZERS_SIZE; id++) {
        const char *piece = tolk_tokenizer_piece(tokenizer, id);
        ck_assert_str_eq(tolk_vocabulary_piece(vocabulary, id), piece);
        ck_assert_int_eq(tolk_vocabulary_id(vocabulary, piece), id);
    }
    ck_assert_str_eq(tolk_vocabulary_piece(vocabulary, TOKENIZERS_SIZE), "<pad>");
    ck_assert_ptr_null(tolk_vocabulary_piece(vocabulary, TOKENIZERS_SIZE + 1));
    ck_assert_ptr_null(tolk_vocabulary_piece(vocabulary, -1));
    ck_assert_int_eq(tolk_vocabulary_id(vocabulary, "no piece"), -1);
    tolk_vocabulary_free(vocabulary);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(a_saved_vocabulary_loads)
{
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/vocab.json", folder);
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_BPE);
    struct tolk_vocabulary *saved = tolk_vocabulary_of(tokenizer, &error);
    ck_assert_int_eq(tolk_vocabulary_save(saved, path, &error), 0);
    struct tolk_vocabulary *loaded = tolk_vocabulary_load(path, &error);
    ck_assert_msg(loaded != NULL, "%s", error.message);
    ck_assert_uint_eq(tolk_vocabulary_size(loaded), TOKENIZERS_SIZE + 1);
    for (int32_t id = 0; id <= TOKENIZERS_SIZE; id++) {
        ck_assert_str_eq(tolk_vocabulary_piece(loaded, id), tolk_vocabulary_piece(saved, id));
    }
    ck_assert_int_eq(tolk_vocabulary_save(saved, "no/such/folder/vocab.json", &error), -1);
    tolk_vocabulary_free(saved);
    tolk_vocabulary_free(loaded);
    tolk_tokenizer_free(tokenizer);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(wrong_files_are_refused)
{
    static const char *const cases[][2] = {
        {"", "empty"},
        {"{\"</s>\": 0", ":1: "},
        {"[1]", "expected one object"},
        {"{}", "\"</s>\" is missing"},
        {"{\"</s>\": 0, \"<unk>\": 1}", "\"<pad>\" is missing"},
        {"{\"</s>\": 0, \"<pad>\": 1}", "\"<unk>\" is missing"},
        {"{\"</s>\": 0, \"</s>\": 1}", "there twice"},
        {"{\"</s>\": 0, \"<unk>\": 0, \"<pad>\": 2}", "both have the id 0"},
        {"{\"</s>\": 0, \"<unk>\": 1, \"<pad>\": 3}", "\"<pad>\" has the id 3"},
        {"{\"</s>\": 0, \"<unk>\": 1, \"<pad>\": -1}", "\"<pad>\" has the id -1"},
        {"{\"</s>\": 0, \"<unk>\": 1, \"<pad>\": 99999999999999}", "\"<pad>\" has the id"},
        {"{\"</s>\": 0, \"<unk>\": 1.0, \"<pad>\": 2}", "\"<unk>\" is no whole number"},
        {"{\"</s>\": 0, \"<unk>\": \"1\", \"<pad>\": 2}", "\"<unk>\" is no whole number"},
        {"{\"</s>\": 0, \"<unk>\xff\": 1, \"<pad>\": 2}", ":1: "},
    };
    char *folder = tolk_test_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/vocab.json", folder);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_error error = {""};
        tolk_test_write(path, cases[i][0], strlen(cases[i][0]));
        ck_assert_ptr_null(tolk_vocabulary_load(path, &error));
        ck_assert_ptr_nonnull(strstr(error.message, path));
        ck_assert_msg(strstr(error.message, cases[i][1]) != NULL, "\"%s\" lacks \"%s\"",
                      error.message, cases[i][1]);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

/* The plain file is scanned and the others go through the JSON library: the same comes of all. */
START_TEST(all_spellings_of_json_are_read)
{
    static const char *const cases[] = {
        "{\"</s>\": 0, \"<unk>\": 1, \"\xe2\x96\x81\": 2, \"\\\"/ \": 3, \"<pad>\": 4}",
        "\n{\"</s>\":0,\"<unk>\":1,\"\xe2\x96\x81\":2,\"\\\"\\/ \":3,\"<pad>\":4}\n",
        "{\"<\\/s>\": 0, \"<unk>\": 1, \"\\u2581\": 2, \"\\u0022/ \": 3, \"<pad>\": 4}",
        " {\t\"<pad>\" : 4 ,\r\n\"\\\"/ \": 3, \"<unk>\": 1, \"\xe2\x96\x81\": 2, \"</s>\": -0}",
    };
    static const char *const pieces[] = {"</s>", "<unk>", "\xe2\x96\x81", "\"/ ", "<pad>"};
    char *folder = tolk_test_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/vocab.json", folder);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_error error = {""};
        tolk_test_write(path, cases[i], strlen(cases[i]));
        struct tolk_vocabulary *vocabulary = tolk_vocabulary_load(path, &error);
        ck_assert_msg(vocabulary != NULL, "%s", error.message);
        ck_assert_uint_eq(tolk_vocabulary_size(vocabulary), 5);
        for (int32_t id = 0; id < 5; id++) {
            ck_assert_str_eq(tolk_vocabulary_piece(vocabulary, id), pieces[id]);
            ck_assert_int_eq(tolk_vocabulary_id(vocabulary, pieces[id]), id);
        }
        tolk_vocabulary_free(vocabulary);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(only_plain_files_are_scanned)
{
    static const struct {
        const char *text;
        size_t pairs;
        bool plain;
    } cases[] = {
        {"{\"a\": 0}", 1, true},
        {"{\"a\": 12, \" b\": 3}\n", 2, true},
        {"{\"\\\"\": 0}", 1, true},
        {"{}", 0, false},
        {"", 0, false},
        {"{", 0, false},
        {"{\"a", 0, false},
        {"{\"a\\", 0, false},
        {"{\"a\\", 0, false},
        {"{\"a\"", 0, false},
        {"{\"a\":", 0, false},
        {"{\"a\": ", 0, false},
        {"{\"a\": 0", 1, false},
        {"{\"a\": 0,", 1, false},
        {"{\"a\": 0,}", 1, false},
        {"{\"a\": 0} x", 1, false},
        {"{\"a\": 01}", 0, false},
        {"{\"a\": -1}", 0, false},
        {"{\"a\": 1.0}", 1, false},
        {"{\"a\": 1234567890}", 1, false},
        {"{\"a\": \"0\"}", 0, false},
        {"{\"\\u0041\": 0}", 0, false},
        {"{\"a\nb\": 0}", 0, false},
        {"{\"\xff\": 0}", 0, false},
        {"{\"a\": 0 \"b\": 1}", 1, false},
        {"[\"a\", 0]", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* In memory of exactly this size, for the sanitizers to watch its end. */
        const size_t size = strlen(cases[i].text);
        char *bytes = malloc(size + (size == 0));
        memcpy(bytes, cases[i].text, size);
        size_t pairs = 0;
        ck_assert_msg(tolk_vocabulary_scan(bytes, size, count_pair, &pairs) == cases[i].plain, "%s",
                      cases[i].text);
        ck_assert_msg(pairs == cases[i].pairs, "%s: %zu", cases[i].text, pairs);
        free(bytes);
    }
}
END_TEST

TOLK_SUITE("vocabulary", all_spellings_of_json_are_read, only_plain_files_are_scanned,
           pad_is_the_last_id, a_saved_vocabulary_loads, wrong_files_are_refused)
