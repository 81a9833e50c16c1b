#include "base/utf8.h"

size_t tolk_utf8_decode(const char *text, size_t size, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    size_t length = 0;
    uint32_t value = 0;
    if (size == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        length = 1;
        value = s[0];
    } else if ((s[0] & 0xe0) == 0xc0) {
        length = 2;
        value = s[0] & 0x1f;
    } else if ((s[0] & 0xf0) == 0xe0) {
        length = 3;
        value = s[0] & 0x0f;
    } else if ((s[0] & 0xf8) == 0xf0) {
        length = 4;
        value = s[0] & 0x07;
    } else {
        return 0;
    }
    if (length > size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (s[i] & 0x3f);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    if (point != NULL) {
        *point = value;
    }
    return length;
}

size_t tolk_utf8_valid_prefix(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const size_t length = tolk_utf8_decode(text + at, size - at, NULL);
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

bool tolk_utf8_is_space(uint32_t point)
{
    if (point < 0x80) {
        return (point >= '\t' && point <= '\r') || (point >= 0x1c && point <= ' ');
    }
    return point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

size_t tolk_utf8_count_words(const char *text, size_t size)
{
    size_t words = 0;
    bool inside = false;
    uint32_t point = 0;
    for (size_t at = 0, length = 0; at < size; at += length) {
        length = tolk_utf8_decode(text + at, size - at, &point);
        if (length == 0) {
            break;
        }
        const bool space = tolk_utf8_is_space(point);
        words += !space && !inside;
        inside = !space;
    }
    return words;
}
