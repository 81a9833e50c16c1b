#include "tests/support/suite.h"

#include "base/utf8.h"

START_TEST(decodes_each_length)
{
    uint32_t point = 0;
    ck_assert_uint_eq(tolk_utf8_decode("a", 1, &point), 1);
    ck_assert_uint_eq(point, 'a');
    ck_assert_uint_eq(tolk_utf8_decode("\xc3\xab", 2, &point), 2);
    ck_assert_uint_eq(point, 0xeb);
    ck_assert_uint_eq(tolk_utf8_decode("\xe2\x96\x81", 3, &point), 3);
    ck_assert_uint_eq(point, 0x2581);
    ck_assert_uint_eq(tolk_utf8_decode("\xf4\x8f\xbf\xbf", 4, &point), 4);
    ck_assert_uint_eq(point, 0x10ffff);
}
END_TEST

START_TEST(refuses_what_rfc_3629_refuses)
{
    static const char *const bad[] = {
        "\x80",             /* a continuation byte alone */
        "\xc0\xaf",         /* overlong */
        "\xe0\x80\xaf",     /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xff",             /* never a byte of UTF-8 */
        "\xc3(",            /* a lead without its continuation */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_uint_eq(tolk_utf8_decode(bad[i], strlen(bad[i]), NULL), 0);
    }
    ck_assert_uint_eq(tolk_utf8_decode("\xc3\xab", 1, NULL), 0);
    ck_assert_uint_eq(tolk_utf8_valid_prefix("kat\xff", 4), 3);
    ck_assert_uint_eq(tolk_utf8_valid_prefix("één", 5), 5);
}
END_TEST

/* The list is Python's: [c for c in range(0x110000) if chr(c).isspace()]. */
START_TEST(knows_white_space)
{
    static const uint32_t spaces[] = {
        0x9,    0xa,    0xb,    0xc,    0xd,    0x1c,   0x1d,   0x1e,   0x1f,   0x20,
        0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
        0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    };
    const size_t count = sizeof spaces / sizeof spaces[0];
    size_t found = 0;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        if (tolk_utf8_is_space(point)) {
            ck_assert_uint_lt(found, count);
            ck_assert_uint_eq(point, spaces[found]);
            found++;
        }
    }
    ck_assert_uint_eq(found, count);
}
END_TEST

START_TEST(counts_words)
{
    ck_assert_uint_eq(tolk_utf8_count_words("", 0), 0);
    ck_assert_uint_eq(tolk_utf8_count_words(" \xc2\xa0", 3), 0);
    ck_assert_uint_eq(tolk_utf8_count_words("kat", 3), 1);
    ck_assert_uint_eq(tolk_utf8_count_words(" de\xe2\x80\x83kat\tz'n  ", 14), 3);
}
END_TEST

TOLK_SUITE("utf8", decodes_each_length, refuses_what_rfc_3629_refuses, knows_white_space,
           counts_words)
