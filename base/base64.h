/* Bytes as text: base64 (RFC 4648, section 4). */
#ifndef TOLK_BASE_BASE64_H
#define TOLK_BASE_BASE64_H

#include <stddef.h>

/* NUL-terminated, padded, without line breaks, in fresh memory; NULL when there is none. */
char *tolk_base64_encode(const void *bytes, size_t size);

#endif
