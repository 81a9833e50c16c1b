#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/clean.h"

START_TEST(makes_sentences_uniform)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"De kat.", "De kat."},
        {" \t De \xc2\xa0\xe2\x80\x89 kat. \r", "De kat."},
        {"‘s Avonds “goed” ‚zo’", "'s Avonds \"goed\" 'zo'"},
        {"\xef\xbb\xbf"
         "ze\xe2\x80\x8bro\xc2\xad\xe2\x81\xa0",
         "zero"},
        {"e\xcc\x81\xc3\xa9n", "één"}, /* a combining accent, an é and an n */
        {"", ""},
        {" \xe2\x80\x8b ", ""},
        {"😀…", "😀…"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *clean = tolk_clean_sentence(cases[i].text, strlen(cases[i].text));
        ck_assert_str_eq(clean, cases[i].clean);
        free(clean);
    }
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
    static const char *const texts[] = {"caf\xe9",
                                        "a\x01"
                                        "b",
                                        "a\x7f", "\xc2\x9f", "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_ptr_null(tolk_clean_sentence(texts[i], strlen(texts[i])));
    }
    ck_assert_ptr_null(tolk_clean_sentence("a\0b", 3));
    ck_assert_ptr_null(tolk_clean_key("caf\xe9"));
}
END_TEST

START_TEST(keys_keep_letters_and_digits)
{
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"Don't stop, ÉÉN  time!", "dont stop één time"},
        {"- 10 - 20 -", "10 20"},
        {"?!… 😀", ""},
        {"", ""},
        {"naïef", "naïef"},
        {"ȺȺȺȺ", "ⱥⱥⱥⱥ"}, /* longer in lower case */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *key = tolk_clean_key(cases[i].text);
        ck_assert_str_eq(key, cases[i].key);
        free(key);
    }
}
END_TEST

TOLK_SUITE("clean", makes_sentences_uniform, refuses_what_is_no_text, keys_keep_letters_and_digits)
