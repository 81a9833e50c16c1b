#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* The vectors of RFC 4648, section 10, and bytes above 127. */
START_TEST(encodes_the_vectors_of_the_standard)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *const text = tolk_base64_encode(pairs[i][0], strlen(pairs[i][0]));
        ck_assert_str_eq(text, pairs[i][1]);
        free(text);
    }
}
END_TEST

TOLK_SUITE("base64", encodes_the_vectors_of_the_standard)
