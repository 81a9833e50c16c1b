#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/gold.h"
#include "infer/aer.h"
#include "tests/support/files.h"

/* Lines 1, 2, 4 and 5 are pairs; line 3 is skipped. */
static const char CORPUS[] = "De kat\tThe cat\n"
                             "Een hond blaft\tA dog barks\n"
                             "bad\n"
                             "Ja\tYes\n"
                             "Ik hou van jou\tI love you\n";

static void read_corpus(struct tolk_pairs *pairs)
{
    const struct tolk_pairs_options options = {.skip_bad = true};
    ck_assert_int_eq(
        tolk_pairs_read_tsv(files_write_text("dev.tsv", CORPUS), &options, pairs, NULL), 0);
}

START_TEST(finds_the_pairs_by_line)
{
    struct tolk_pairs pairs;
    struct tolk_gold gold;
    struct tolk_error error;
    read_corpus(&pairs);
    const char *path = files_write_text("gold.tsv", "5\t0-0 1-1 2p1 3-2\n1\t0-0 1-1\n4\t\n");
    ck_assert_msg(tolk_gold_read(path, &pairs, &gold, &error) == 0, "%s", error.message);
    ck_assert_uint_eq(gold.count, 3);
    ck_assert_uint_eq(gold.items[0].pair, 3);
    ck_assert_uint_eq(gold.items[0].links.count, 4);
    ck_assert(gold.items[0].links.items[2].possible);
    ck_assert_uint_eq(gold.items[1].pair, 0);
    ck_assert_uint_eq(gold.items[2].pair, 2);
    ck_assert_uint_eq(gold.items[2].links.count, 0);
    tolk_gold_free(&gold);
    ck_assert_uint_eq(gold.count, 0);
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(refuses_and_says_where)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", ": expected alignments, found an empty file"},
        {"1\t0-0\n\n", ":2: column 1: expected a line number and a tab"},
        {"1 0-0\n", ":1: column 1: expected a line number and a tab"},
        {"\t0-0\n", ":1: column 1: expected a line number and a tab"},
        {"1x\t0-0\n", ":1: column 1: expected a line number and a tab"},
        {"99999999999999999999\t0-0\n", ":1: column 1: expected a line number and a tab"},
        {"0\t0-0\n", ":1: column 1: line 0 of the corpus is not among its pairs"},
        {"3\t0-0\n", ":1: column 1: line 3 of the corpus is not among its pairs"},
        {"1\t0-0\n6\t0-0\n", ":2: column 1: line 6 of the corpus is not among its pairs"},
        {"1\t0-0\n2\t0-0\n1\t1-1\n", ":3: column 1: line 1 of the corpus is named again"},
        {"1\t0-0 2-0\n", ":1: column 5 of the alignment: source word 2 is beyond its 2 words"},
        {"2\t0-0 0-3\n", ":1: column 5 of the alignment: target word 3 is beyond its 3 words"},
        {"2\t0-0\tx\n", ":1: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
                        "'0-0?x'"},
        {"2\t0-0\r\n", ":1: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
                       "'0-0?'"},
    };
    struct tolk_pairs pairs;
    read_corpus(&pairs);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_gold gold;
        struct tolk_error error;
        char expected[2048];
        const char *path = files_write_text("gold.tsv", cases[i].text);
        snprintf(expected, sizeof expected, "%s%s", path, cases[i].message);
        ck_assert_int_eq(tolk_gold_read(path, &pairs, &gold, &error), -1);
        ck_assert_str_eq(error.message, expected);
        ck_assert_ptr_null(gold.items);
    }
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(reads_the_real_gold)
{
    const char *found = files_tatoeba("dev.tsv");
    if (found == NULL || files_tatoeba("dev.gold-alignment.tsv") == NULL) {
        TOLK_SKIP("no real corpus ($TOLK_TATOEBA)");
    }
    const struct tolk_pairs_options options = {0};
    struct tolk_pairs pairs;
    struct tolk_gold gold;
    struct tolk_error error;
    struct tolk_aer aer = {0};
    ck_assert_int_eq(tolk_pairs_read_tsv(files_tatoeba("dev.tsv"), &options, &pairs, &error), 0);
    ck_assert_msg(tolk_gold_read(files_tatoeba("dev.gold-alignment.tsv"), &pairs, &gold, &error) ==
                      0,
                  "%s", error.message);
    ck_assert_uint_ge(gold.count, 100);
    for (size_t i = 0; i < gold.count; i++) {
        tolk_aer_add(&aer, &gold.items[i].links, &gold.items[i].links);
    }
    ck_assert(tolk_aer_rate(&aer) == 0);
    ck_assert_uint_gt(aer.links, aer.sure);
    tolk_gold_free(&gold);
    tolk_pairs_free(&pairs);
}
END_TEST

TOLK_SUITE("gold", finds_the_pairs_by_line, refuses_and_says_where, reads_the_real_gold)
