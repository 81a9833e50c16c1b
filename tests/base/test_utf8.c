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

TOLK_SUITE("utf8", decodes_each_length, refuses_what_rfc_3629_refuses)
