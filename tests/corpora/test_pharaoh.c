#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/pharaoh.h"

static int parse(const char *text, struct tolk_links *links, struct tolk_error *error)
{
    return tolk_links_parse(text, strlen(text), 4, 3, "gold.tsv:12", links, error);
}

START_TEST(reads_and_prints)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"", ""},
        {"  ", ""},
        {"0-0", "0-0"},
        {"0-0 1-2 2p1", "0-0 1-2 2p1"},
        {" 3-0  1-2 1-0 ", "1-0 1-2 3-0"},
        {"1-1 1-1 1-1", "1-1"},
        {"1p1 1-1", "1-1"},
        {"2p2 2p2", "2p2"},
        {"03-002", "3-2"},
    };
    struct tolk_links links = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(parse(cases[i].text, &links, NULL), 0);
        char *printed = tolk_links_format(&links);
        ck_assert_str_eq(printed, cases[i].printed);
        free(printed);
    }
    tolk_links_free(&links);
    ck_assert_ptr_null(links.items);
}
END_TEST

START_TEST(refuses_and_says_where)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"0-0 x-1", "gold.tsv:12: column 5 of the alignment: expected a link such as 3-4 or 3p4, "
                    "found 'x-1'"},
        {"-1", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
               "'-1'"},
        {"1-", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
               "'1-'"},
        {"1", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
              "'1'"},
        {"1s1", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, found "
                "'1s1'"},
        {"1-1,2-2", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, "
                    "found '1-1,2-2'"},
        {"0-0\t1-1", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or 3p4, "
                     "found '0-0?1-1'"},
        {"4294967296-0", "gold.tsv:12: column 1 of the alignment: expected a link such as 3-4 or "
                         "3p4, found '4294967296-0'"},
        {"0-0 4-0", "gold.tsv:12: column 5 of the alignment: source word 4 is beyond its 4 words"},
        {"3-2  3p3", "gold.tsv:12: column 6 of the alignment: target word 3 is beyond its 3 words"},
    };
    struct tolk_links links = {0};
    struct tolk_error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(parse(cases[i].text, &links, &error), -1);
        ck_assert_str_eq(error.message, cases[i].message);
    }
    tolk_links_free(&links);
}
END_TEST

START_TEST(checks_no_words_where_none_are_known)
{
    struct tolk_links links = {0};
    const char *text = "4294967295p4294967295";
    ck_assert_int_eq(tolk_links_parse(text, strlen(text), SIZE_MAX, SIZE_MAX, "", &links, NULL), 0);
    char *printed = tolk_links_format(&links);
    ck_assert_str_eq(printed, text);
    free(printed);
    tolk_links_free(&links);
}
END_TEST

START_TEST(adds_and_sorts)
{
    struct tolk_links links = {0};
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(tolk_links_add(&links, 99 - i, i % 7, i % 2 == 0), 0);
    }
    tolk_links_sort(&links);
    ck_assert_uint_eq(links.count, 100);
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(links.items[i].source, i);
        ck_assert_uint_eq(links.items[i].target, (99 - i) % 7);
        ck_assert_int_eq(links.items[i].possible, (99 - i) % 2 == 0);
    }
    tolk_links_free(&links);
}
END_TEST

TOLK_SUITE("pharaoh", reads_and_prints, refuses_and_says_where,
           checks_no_words_where_none_are_known, adds_and_sorts)
