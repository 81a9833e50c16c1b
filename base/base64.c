#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *tolk_base64_encode(const void *bytes, size_t size)
{
    const unsigned char *const from = bytes;
    char *const text = malloc((size + 2) / 3 * 4 + 1);
    if (text == NULL) {
        return NULL;
    }
    char *to = text;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t bits = (uint32_t)from[i] << 16 |
                              (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                              (left > 2 ? (uint32_t)from[i + 2] : 0);
        *to++ = DIGITS[bits >> 18];
        *to++ = DIGITS[bits >> 12 & 63];
        *to++ = left > 1 ? DIGITS[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? DIGITS[bits & 63] : '=';
    }
    *to = '\0';
    return text;
}
