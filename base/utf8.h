/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef TOLK_BASE_UTF8_H
#define TOLK_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the valid sequence at `text` (at most `size` bytes are read) and its code
 * point in `*point` (may be NULL); 0 where the bytes are not valid UTF-8 or `size` is 0. */
size_t tolk_utf8_decode(const char *text, size_t size, uint32_t *point);

/* The number of leading bytes that are valid UTF-8: `size` when all are. */
size_t tolk_utf8_valid_prefix(const char *text, size_t size);

#endif
