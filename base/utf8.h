/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef TOLK_BASE_UTF8_H
#define TOLK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the valid sequence at `text` (at most `size` bytes are read) and its code
 * point in `*point` (may be NULL); 0 where the bytes are not valid UTF-8 or `size` is 0. */
size_t tolk_utf8_decode(const char *text, size_t size, uint32_t *point);

/* The number of leading bytes that are valid UTF-8: `size` when all are. */
size_t tolk_utf8_valid_prefix(const char *text, size_t size);

/* White space as Python's str.split has it (gold alignments and sacreBLEU count words so): the
 * White_Space of Unicode and the four separators U+001C … U+001F. */
bool tolk_utf8_is_space(uint32_t point);

/* The number of words: maximal runs without white space. `text` is valid UTF-8. */
size_t tolk_utf8_count_words(const char *text, size_t size);

#endif
