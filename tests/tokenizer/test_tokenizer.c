#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/tokenizers.h"
#include "base/utf8.h"
#include "tokenizer/tokenizer.h"

#define MARK "\xe2\x96\x81"

static const enum tolk_tokenizer_kind kinds[] = {TOLK_UNIGRAM, TOLK_BPE};

static void encode(const struct tolk_tokenizer *tokenizer, const char *text,
                   struct tolk_pieces *pieces)
{
    struct tolk_error error = {""};
    const int status = tolk_tokenizer_encode(tokenizer, text, strlen(text), pieces, &error);
    ck_assert_msg(status == 0, "%s", error.message);
}

static char *decode(const struct tolk_tokenizer *tokenizer, const int32_t *ids, size_t count)
{
    struct tolk_error error = {""};
    char *text = NULL;
    const int status = tolk_tokenizer_decode(tokenizer, ids, count, &text, &error);
    ck_assert_msg(status == 0, "%s", error.message);
    return text;
}

START_TEST(ids_are_those_the_model_wants)
{
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer *tokenizer = tokenizers_trained(kinds[k]);
        ck_assert_uint_eq(tolk_tokenizer_size(tokenizer), TOKENIZERS_SIZE);
        ck_assert_str_eq(tolk_tokenizer_piece(tokenizer, TOLK_EOS), "</s>");
        ck_assert_str_eq(tolk_tokenizer_piece(tokenizer, TOLK_UNK), "<unk>");
        ck_assert_int_eq(tolk_tokenizer_unknown(tokenizer), TOLK_UNK);
        for (int32_t id = 0; id < TOKENIZERS_SIZE; id++) {
            ck_assert_int_eq(tolk_tokenizer_id(tokenizer, tolk_tokenizer_piece(tokenizer, id)), id);
        }
        ck_assert_int_eq(tolk_tokenizer_id(tokenizer, "zzz"), TOLK_UNK);
        ck_assert_ptr_null(tolk_tokenizer_piece(tokenizer, -1));
        ck_assert_ptr_null(tolk_tokenizer_piece(tokenizer, TOKENIZERS_SIZE));
        tolk_tokenizer_free(tokenizer);
    }
}
END_TEST

START_TEST(training_repeats_to_the_byte)
{
    for (size_t k = 0; k < 2; k++) {
        size_t size_a, size_b;
        unsigned char *a = tokenizers_train(kinds[k], TOKENIZERS_SIZE, &size_a);
        unsigned char *b = tokenizers_train(kinds[k], TOKENIZERS_SIZE, &size_b);
        ck_assert_uint_eq(size_a, size_b);
        ck_assert_mem_eq(a, b, size_a);
        free(a);
        free(b);
    }
}
END_TEST

static void refuses_training(const struct tolk_tokenizer_training *training,
                             const char *const *sentences, size_t count, const char *expected)
{
    struct tolk_error error = {""};
    unsigned char *model = NULL;
    size_t size;
    ck_assert_int_eq(tolk_tokenizer_train(training, sentences, count, &model, &size, &error), -1);
    ck_assert_msg(strstr(error.message, expected) != NULL, "%s", error.message);
}

START_TEST(training_names_the_bound_of_the_vocabulary)
{
    const char *const *sentences = tokenizers_sentences();
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer_training training = {kinds[k], 100000, 1.0};
        refuses_training(&training, sentences, TOKENIZERS_SENTENCES, "no more than ");
        training.vocabulary_size = 10;
        refuses_training(&training, sentences, TOKENIZERS_SENTENCES, "alone need ");
        training.vocabulary_size = SIZE_MAX;
        refuses_training(&training, sentences, TOKENIZERS_SENTENCES, "at most");
        training = (struct tolk_tokenizer_training){kinds[k], TOKENIZERS_SIZE, 0.5};
        refuses_training(&training, sentences, TOKENIZERS_SENTENCES, "character coverage 0.5");
    }
}
END_TEST

/* Most of these alone make the library end the process. */
START_TEST(training_refuses_a_corpus_without_text)
{
    const struct tolk_tokenizer_training training = {TOLK_UNIGRAM, TOKENIZERS_SIZE, 1.0};
    static const char *const nothing[] = {"",          "  ",       "\t",
                                          "</s>",      "\x01\x02", "\xe2\x80\x8b",
                                          "<unk></s>", "kat\xff",  "a\xe2\x96\x85"};
    enum { COUNT = sizeof nothing / sizeof nothing[0] };
    refuses_training(&training, NULL, 0, "none of the 0 sentences");
    for (size_t i = 0; i < COUNT; i++) {
        refuses_training(&training, &nothing[i], 1, "none of the 1 sentences");
    }
    refuses_training(&training, nothing, COUNT, "none of the 9 sentences");
}
END_TEST

START_TEST(decoding_gives_the_sentence_back)
{
    const char *const *sentences = tokenizers_sentences();
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer *tokenizer = tokenizers_trained(kinds[k]);
        struct tolk_pieces pieces = {0};
        for (size_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
            encode(tokenizer, sentences[i], &pieces);
            char *text = decode(tokenizer, pieces.ids, pieces.count);
            ck_assert_str_eq(text, sentences[i]);
            free(text);
        }
        tolk_pieces_free(&pieces);
        tolk_tokenizer_free(tokenizer);
    }
}
END_TEST

START_TEST(decoding_passes_over_what_is_no_piece)
{
    static const int32_t none[] = {-1, INT32_MAX, TOKENIZERS_SIZE, TOLK_EOS};
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_pieces pieces = {0};
    encode(tokenizer, "kat", &pieces);
    ck_assert_uint_ge(pieces.count, 1);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        ck_assert_int_eq(tolk_pieces_append(&pieces, none[i], 0, 0, NULL), 0);
    }
    ck_assert_int_eq(tolk_pieces_append(&pieces, TOLK_UNK, 0, 0, NULL), 0);
    char *text = decode(tokenizer, pieces.ids, pieces.count);
    ck_assert_str_eq(text, "kat \xe2\x81\x87 ");
    free(text);
    text = decode(tokenizer, NULL, 0);
    ck_assert_str_eq(text, "");
    free(text);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

/* The ranges follow one another without a gap from the first byte that is no white space to the
 * last, and part the text between characters. */
static void ranges_cover(const struct tolk_pieces *pieces, const char *text, size_t first,
                         size_t last)
{
    size_t at = first;
    for (size_t i = 0; i < pieces->count; i++) {
        ck_assert_uint_eq(pieces->begin[i], at);
        ck_assert_uint_ge(pieces->end[i], at);
        at = pieces->end[i];
        ck_assert_uint_eq(tolk_utf8_valid_prefix(text, at), at);
    }
    ck_assert_uint_eq(at, last);
}

START_TEST(ranges_are_bytes_of_the_text_as_given)
{
    /* What normalisation changes: a ligature, full-width letters, an accent apart from its letter,
     * an ellipsis, spaces in a row, a space of three bytes. */
    static const struct {
        const char *text;
        size_t first, last;
    } cases[] = {
        {"de kat zit.", 0, 11},
        {"  de   kat \t", 2, 10},
        {"\xef\xac\x81"
         "ets \xef\xbd\x8b\xef\xbd\x81t",
         0, 14},
        {"reu\xcc\x88nie cafe\xcc\x81", 0, 15},
        {"zit\xe2\x80\xa6niet", 0, 10},
        {"\xe3\x80\x80"
         "de\xe3\x80\x80kat\xe3\x80\x80",
         3, 11},
        {"Qatar \xe6\xbc\xa2\xe5\xad\x97 kat", 0, 16},
        {"", 0, 0},
    };
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer *tokenizer = tokenizers_trained(kinds[k]);
        struct tolk_pieces pieces = {0};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const char *text = cases[i].text;
            encode(tokenizer, text, &pieces);
            ranges_cover(&pieces, text, cases[i].first, cases[i].last);
            for (uint32_t draw = 0; draw < 20 && text[0] != '\0'; draw++) {
                ck_assert_int_eq(tolk_tokenizer_sample(tokenizer, text, strlen(text), -1, 0.3,
                                                       tolk_random_key(3, i, draw), &pieces, NULL),
                                 0);
                ranges_cover(&pieces, text, cases[i].first, cases[i].last);
            }
        }
        tolk_pieces_free(&pieces);
        tolk_tokenizer_free(tokenizer);
    }
}
END_TEST

START_TEST(a_range_is_where_its_piece_stands)
{
    const struct tokenizers_piece written[] = {
        {"</s>", 0, TOLK_PIECE_CONTROL}, {"<unk>", 0, TOLK_PIECE_UNKNOWN},
        {MARK, -3, TOLK_PIECE_NORMAL},   {MARK "kat", -1, TOLK_PIECE_NORMAL},
        {"je", -2, TOLK_PIECE_NORMAL},   {"é", -2, TOLK_PIECE_NORMAL},
    };
    static const int32_t ids[] = {3, 4, 2, TOLK_UNK, 5};
    static const size_t begin[] = {1, 4, 6, 8, 10}, end[] = {4, 6, 8, 10, 12};
    size_t size;
    struct tolk_error error = {""};
    unsigned char *model = tokenizers_write(written, 6, TOLK_MODEL_UNIGRAM, &size);
    struct tolk_tokenizer *tokenizer = tolk_tokenizer_from_memory(model, size, "written", &error);
    ck_assert_msg(tokenizer != NULL, "%s", error.message);
    struct tolk_pieces pieces = {0};
    encode(tokenizer, " katje  xyé ", &pieces);
    ck_assert_uint_eq(pieces.count, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(pieces.ids[i], ids[i]);
        ck_assert_uint_eq(pieces.begin[i], begin[i]);
        ck_assert_uint_eq(pieces.end[i], end[i]);
    }
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
    free(model);
}
END_TEST

START_TEST(a_megabyte_in_one_line_is_encoded)
{
    enum { MEGABYTE = 1 << 20, PERIOD = 7 };
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_pieces pieces = {0};
    char *text = malloc(MEGABYTE + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < MEGABYTE; i++) {
        text[i] = "de kat "[i % PERIOD];
    }
    text[MEGABYTE] = '\0';
    encode(tokenizer, text, &pieces);
    ck_assert_uint_gt(pieces.count, MEGABYTE / PERIOD);
    ck_assert_int_eq(tolk_tokenizer_sample(tokenizer, text, MEGABYTE, -1, 0.2,
                                           tolk_random_key(1, 1, 1), &pieces, NULL),
                     0);
    ck_assert_uint_gt(pieces.count, MEGABYTE / PERIOD);
    free(text);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(files_load)
{
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/source.spm", folder);
    size_t size, kept;
    unsigned char *model = tokenizers_train(TOLK_UNIGRAM, TOKENIZERS_SIZE, &size);
    tolk_test_write(path, model, size);
    struct tolk_tokenizer *tokenizer = tolk_tokenizer_load(path, &error);
    ck_assert_msg(tokenizer != NULL, "%s", error.message);
    const unsigned char *bytes = tolk_tokenizer_model(tokenizer, &kept);
    ck_assert_uint_eq(kept, size);
    ck_assert_mem_eq(bytes, model, size);
    tolk_tokenizer_free(tokenizer);
    tolk_test_write(path, "", 0);
    ck_assert_ptr_null(tolk_tokenizer_load(path, &error));
    ck_assert_ptr_nonnull(strstr(error.message, path));
    ck_assert_ptr_null(tolk_tokenizer_load("no/such/file.spm", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no/such/file.spm"));
    free(model);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(other_ids_are_for_foreign_models)
{
    const struct tokenizers_piece written[] = {{"<unk>", 0, TOLK_PIECE_UNKNOWN},
                                               {"</s>", 0, TOLK_PIECE_CONTROL},
                                               {"a", -1, TOLK_PIECE_NORMAL}};
    struct tolk_error error = {""};
    char *folder = tolk_test_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/source.spm", folder);
    size_t size;
    unsigned char *model = tokenizers_write(written, 3, TOLK_MODEL_UNIGRAM, &size);
    tolk_test_write(path, model, size);
    ck_assert_ptr_null(tolk_tokenizer_load(path, &error));
    ck_assert_msg(strstr(error.message, "expected piece 0 to be </s>") != NULL, "%s",
                  error.message);
    struct tolk_tokenizer *tokenizer = tolk_tokenizer_load_foreign(path, &error);
    ck_assert_msg(tokenizer != NULL, "%s", error.message);
    ck_assert_int_eq(tolk_tokenizer_unknown(tokenizer), 0);
    ck_assert_int_eq(tolk_tokenizer_id(tokenizer, "b"), 0);
    tolk_tokenizer_free(tokenizer);
    free(model);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("tokenizer", ids_are_those_the_model_wants, training_repeats_to_the_byte,
           training_names_the_bound_of_the_vocabulary, training_refuses_a_corpus_without_text,
           decoding_gives_the_sentence_back, decoding_passes_over_what_is_no_piece,
           ranges_are_bytes_of_the_text_as_given, a_range_is_where_its_piece_stands,
           a_megabyte_in_one_line_is_encoded, files_load, other_ids_are_for_foreign_models)
