#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "infer/bleu.h"
#include "infer/tokenize_13a.h"
#include "tests/support/metrics.h"

static void begin(void *state)
{
    *(struct tolk_bleu *)state = (struct tolk_bleu){0};
}

static void add(void *state, const char *hypothesis, const char *reference)
{
    ck_assert_int_eq(tolk_bleu_add(state, hypothesis, reference, NULL), 0);
}

static void end(void *state, const struct metrics_corpus *corpus)
{
    const double score = tolk_bleu_score(state);
    ck_assert_msg(score - corpus->bleu < TOLK_METRICS_TOLERANCE &&
                      corpus->bleu - score < TOLK_METRICS_TOLERANCE,
                  "%s: expected %.6f, found %.6f", corpus->name, corpus->bleu, score);
}

START_TEST(equals_sacrebleu)
{
    struct tolk_bleu bleu;
    const struct metrics_visitor visitor = {begin, add, end};
    ck_assert_uint_ge(metrics_visit(&visitor, &bleu), 18);
    ck_assert(metrics_has_signature(TOLK_BLEU_SIGNATURE));
}
END_TEST

START_TEST(tokenizes_as_13a)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {" \t\xc2\xa0 ", ""},
        {"The \"1,000.5\" &amp; he's in.", "The \" 1,000.5 \" & he's in ."},
        {"&amp;lt; &quot;x&gt;", "< \" x >"},
        {"x...", "x . . ."},
        {"5.-, 5-x x-5", "5 . - , 5 - x x-5"},
        {"1,5 a,5 5,a ,5", "1,5 a , 5 5 , a , 5"},
        {"(a/b)[c]{d}~^_`", "( a / b ) [ c ] { d } ~ ^ _ `"},
        {"één\xe2\x80\x83twee", "één twee"},
        {"a<skipped>b-\nc\nd", "abc d"},
        {"a-\n", "a-"},
        {"bad \xff\xc3 bytes.", "bad \xff\xc3 bytes ."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *words = tolk_tokenize_13a(cases[i].text);
        ck_assert_str_eq(words, cases[i].words);
        free(words);
    }
}
END_TEST

START_TEST(of_nothing_is_zero)
{
    struct tolk_bleu bleu = {0};
    ck_assert(tolk_bleu_score(&bleu) == 0);
    ck_assert_int_eq(tolk_bleu_add(&bleu, "", "", NULL), 0);
    ck_assert(tolk_bleu_score(&bleu) == 0);
}
END_TEST

START_TEST(takes_a_line_of_a_megabyte)
{
    enum { WORDS = 1 << 18 };
    char *text = malloc(4 * WORDS + 1);
    for (size_t i = 0; i < WORDS; i++) {
        const char word[] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), '.', ' '};
        memcpy(text + 4 * i, word, sizeof word);
    }
    text[4 * WORDS] = '\0';
    struct tolk_bleu bleu = {0};
    ck_assert_int_eq(tolk_bleu_add(&bleu, text, text, NULL), 0);
    ck_assert_uint_eq(bleu.hypothesis_length, 2 * WORDS);
    ck_assert(tolk_bleu_score(&bleu) > 100 - 1e-9);
    free(text);
}
END_TEST

TOLK_SUITE("bleu", equals_sacrebleu, tokenizes_as_13a, of_nothing_is_zero,
           takes_a_line_of_a_megabyte)
