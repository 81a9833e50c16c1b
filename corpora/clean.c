#include "corpora/clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

static bool is_control(uint32_t point)
{
    return point < ' ' || (point >= 0x7f && point < 0xa0);
}

/* Soft hyphen, zero-width spaces and joiners, marks of direction, byte order mark. */
static bool is_invisible(uint32_t point)
{
    return point == 0xad || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x2064) ||
           point == 0xfeff;
}

/* The straight quote for a curly one, else 0. */
static char straight(uint32_t point)
{
    if (point >= 0x2018 && point <= 0x201b) {
        return '\'';
    }
    return point >= 0x201c && point <= 0x201f ? '"' : '\0';
}

/* Form C of the bytes, in fresh memory; NULL when they are not UTF-8. */
static char *compose(const char *text, size_t size)
{
    utf8proc_uint8_t *composed = NULL;
    const utf8proc_ssize_t length =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return length < 0 ? NULL : (char *)composed;
}

char *tolk_clean_sentence(const char *text, size_t size)
{
    if (memchr(text, '\0', size) != NULL) {
        return NULL;
    }
    char *sentence = compose(text, size);
    if (sentence == NULL) {
        return NULL;
    }
    const size_t length = strlen(sentence);
    size_t kept = 0;
    bool gap = false;
    /* In place: nothing that is put is longer than what was read since the last. */
    for (size_t at = 0, step = 0; at < length; at += step) {
        uint32_t point = 0;
        step = tolk_utf8_decode(sentence + at, length - at, &point);
        if (step > 0 && tolk_utf8_is_space(point)) {
            gap = kept > 0;
            continue;
        }
        if (step == 0 || is_control(point)) {
            free(sentence);
            return NULL;
        }
        if (is_invisible(point)) {
            continue;
        }
        if (gap) {
            sentence[kept++] = ' ';
            gap = false;
        }
        const char quote = straight(point);
        if (quote != '\0') {
            sentence[kept++] = quote;
        } else {
            memmove(sentence + kept, sentence + at, step);
            kept += step;
        }
    }
    sentence[kept] = '\0';
    return sentence;
}

static bool is_of_a_word(uint32_t point)
{
    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return false;
    }
}

char *tolk_clean_key(const char *text)
{
    enum { LONGEST_POINT = 4 }; /* bytes; a lower-case letter can be longer than the capital */
    const size_t size = strlen(text);
    char *key = malloc(size * LONGEST_POINT + 1);
    size_t kept = 0;
    bool gap = false;
    for (size_t at = 0, step = 0; key != NULL && at < size; at += step) {
        uint32_t point = 0;
        step = tolk_utf8_decode(text + at, size - at, &point);
        if (step == 0) {
            free(key);
            return NULL;
        }
        if (tolk_utf8_is_space(point)) {
            gap = kept > 0;
        } else if (is_of_a_word(point)) {
            if (gap) {
                key[kept++] = ' ';
                gap = false;
            }
            kept += (size_t)utf8proc_encode_char(utf8proc_tolower((utf8proc_int32_t)point),
                                                 (utf8proc_uint8_t *)key + kept);
        }
    }
    if (key != NULL) {
        key[kept] = '\0';
    }
    return key;
}
