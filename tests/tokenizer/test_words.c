#include "tests/support/suite.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/support/tokenizers.h"
#include "tokenizer/words.h"

/* The words of the text with '|' between them, in fresh memory. */
static char *split(const char *text, size_t size)
{
    struct tolk_words words = {0};
    struct tolk_error error = {""};
    char *shown = calloc(2 * size + 1, 1);
    ck_assert_ptr_nonnull(shown);
    ck_assert_int_eq(tolk_words_split(text, size, &words, &error), 0);
    for (size_t w = 0; w < words.count; w++) {
        ck_assert_uint_lt(words.begin[w], words.end[w]);
        strncat(strcat(shown, w > 0 ? "|" : ""), text + words.begin[w],
                words.end[w] - words.begin[w]);
    }
    tolk_words_free(&words);
    return shown;
}

START_TEST(words_stand_between_white_space)
{
    static const char *const cases[][2] = {
        {"De kat zit.", "De|kat|zit."},
        {"  De\t kat \r\n", "De|kat"},
        {"", ""},
        {" \t ", ""},
        {"kat", "kat"},
        {"de\xc2\xa0kat\xe3\x80\x80zit\xe2\x80\x89op", "de|kat|zit|op"},  /* U+A0, U+3000, U+2009 */
        {"a\x1c\x62\x1d\x63\x1e\x64\x1f\x65\xc2\x85\x66", "a|b|c|d|e|f"}, /* U+1C … U+1F, U+85 */
        {"de\xe2\x96\x81kat\xef\xbb\xbf", "de\xe2\x96\x81kat\xef\xbb\xbf"}, /* U+2581, U+FEFF */
        {"de\xff kat", "de\xff|kat"}, /* not UTF-8: no space */
        {"caf\xc3\xa9 \xe6\xbc\xa2", "caf\xc3\xa9|\xe6\xbc\xa2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *shown = split(cases[i][0], strlen(cases[i][0]));
        ck_assert_str_eq(shown, cases[i][1]);
        free(shown);
    }
}
END_TEST

/* Gold alignments are checked against tolk_utf8_count_words, so both must count alike. */
START_TEST(words_are_counted_as_gold_counts_them)
{
    for (uint32_t point = 1; point < 0x10000; point++) {
        char text[16] = "de";
        size_t size = 2;
        if (point < 0x80) {
            text[size++] = (char)point;
        } else if (point < 0x800) {
            text[size++] = (char)(0xc0 | point >> 6);
            text[size++] = (char)(0x80 | (point & 0x3f));
        } else {
            text[size++] = (char)(0xe0 | point >> 12);
            text[size++] = (char)(0x80 | (point >> 6 & 0x3f));
            text[size++] = (char)(0x80 | (point & 0x3f));
        }
        memcpy(text + size, "kat", 3);
        size += 3;
        if (tolk_utf8_valid_prefix(text, size) == size) { /* no surrogate */
            struct tolk_words words = {0};
            ck_assert_int_eq(tolk_words_split(text, size, &words, NULL), 0);
            ck_assert_msg(words.count == tolk_utf8_count_words(text, size), "U+%04X", point);
            tolk_words_free(&words);
        }
    }
}
END_TEST

/* What the tokenizer alone takes for a space leaves the word whole, and all pieces in it. */
START_TEST(spaces_of_the_tokenizer_alone_part_no_words)
{
    static const char *const spaces[] = {
        "\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x96\x81", "\xef\xbb\xbf", "\xef\xbf\xbd",
    };
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_BPE);
    struct tolk_pieces pieces = {0}, plain = {0};
    ck_assert_int_eq(tolk_tokenizer_encode(tokenizer, "de kat", 6, &plain, NULL), 0);
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        char text[32];
        struct tolk_words words = {0};
        size_t word[32];
        const int size = snprintf(text, sizeof text, "de%skat zit", spaces[i]);
        ck_assert_int_eq(tolk_words_split(text, (size_t)size, &words, NULL), 0);
        ck_assert_uint_eq(words.count, 2);
        ck_assert_int_eq(tolk_tokenizer_encode(tokenizer, text, (size_t)size, &pieces, NULL), 0);
        ck_assert_uint_le(pieces.count, sizeof word / sizeof word[0]);
        ck_assert_uint_gt(pieces.count, plain.count);
        ck_assert_mem_eq(pieces.ids, plain.ids, plain.count * sizeof *plain.ids);
        tolk_words_of_pieces(&words, &pieces, word);
        for (size_t p = 0; p < pieces.count; p++) {
            ck_assert_uint_eq(word[p], p < plain.count ? 0 : 1);
        }
        tolk_words_free(&words);
    }
    tolk_pieces_free(&pieces);
    tolk_pieces_free(&plain);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

/* The words of pieces with the given ranges. */
static void check_pieces(const char *text, size_t count, const size_t (*ranges)[2],
                         const size_t *expected)
{
    struct tolk_words words = {0};
    struct tolk_pieces pieces = {0};
    size_t found[16];
    ck_assert_uint_le(count, sizeof found / sizeof found[0]);
    ck_assert_int_eq(tolk_words_split(text, strlen(text), &words, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tolk_pieces_append(&pieces, 0, ranges[i][0], ranges[i][1], NULL), 0);
    }
    tolk_words_of_pieces(&words, &pieces, found);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(found[i] == expected[i], "piece %zu: word %zu, expected %zu", i, found[i],
                      expected[i]);
    }
    tolk_pieces_free(&pieces);
    tolk_words_free(&words);
}

START_TEST(a_piece_belongs_to_the_word_with_most_of_its_bytes)
{
    const size_t ranges[][2] = {{0, 1}, {1, 3}, {2, 8}, {3, 6}, {4, 9}, {6, 9}};
    const size_t words[] = {0, 0, 1, 1, 1, 2};
    check_pieces("ab cde fg", 6, ranges, words);
    const size_t equal[][2] = {{0, 5}};
    const size_t first[] = {0};
    check_pieces("ab cd", 1, equal, first);
}
END_TEST

START_TEST(a_piece_of_no_word_belongs_to_the_one_that_follows)
{
    /* White space before, between and after; nothing at all inside a word and at the end. */
    const size_t ranges[][2] = {{0, 2}, {0, 0}, {4, 5}, {6, 6}, {7, 8}, {8, 8}};
    const size_t words[] = {0, 0, 1, 1, 1, 1};
    check_pieces("  ab cd ", 6, ranges, words);
    const size_t nowhere[][2] = {{0, 1}, {1, 1}};
    const size_t none[] = {SIZE_MAX, SIZE_MAX};
    check_pieces(" ", 2, nowhere, none);
}
END_TEST

START_TEST(the_pieces_of_a_sentence_make_its_words)
{
    const char *const *sentences = tokenizers_sentences();
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_pieces pieces = {0};
    struct tolk_words words = {0};
    for (size_t s = 0; s < TOKENIZERS_SENTENCES; s++) {
        const size_t size = strlen(sentences[s]);
        ck_assert_int_eq(tolk_tokenizer_sample(tokenizer, sentences[s], size, -1, 0.3,
                                               tolk_random_key(1, s, 0), &pieces, NULL),
                         0);
        ck_assert_int_eq(tolk_words_split(sentences[s], size, &words, NULL), 0);
        size_t *word = malloc(pieces.count * sizeof *word);
        ck_assert_ptr_nonnull(word);
        tolk_words_of_pieces(&words, &pieces, word);
        ck_assert_uint_eq(word[0], 0);
        for (size_t i = 1; i < pieces.count; i++) {
            const bool starts =
                strncmp(tolk_tokenizer_piece(tokenizer, pieces.ids[i]), "\xe2\x96\x81", 3) == 0;
            ck_assert_uint_eq(word[i], word[i - 1] + starts);
        }
        ck_assert_uint_eq(word[pieces.count - 1], words.count - 1);
        free(word);
    }
    tolk_words_free(&words);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

TOLK_SUITE("words", words_stand_between_white_space, words_are_counted_as_gold_counts_them,
           spaces_of_the_tokenizer_alone_part_no_words,
           a_piece_belongs_to_the_word_with_most_of_its_bytes,
           a_piece_of_no_word_belongs_to_the_one_that_follows,
           the_pieces_of_a_sentence_make_its_words)
