/* Sentences from the web made uniform, and the keys by which two of them count as the same. */
#ifndef TOLK_CORPORA_CLEAN_H
#define TOLK_CORPORA_CLEAN_H

#include <stddef.h>

/* The sentence in Unicode's form C, with one space for each run of white space and none at the
 * ends, straight quotes for curly ones, and without zero-width characters and soft hyphens; fresh
 * memory. NULL for what is no text: bytes that are not UTF-8, control characters. */
char *tolk_clean_sentence(const char *text, size_t size);

/* Lower-cased letters, marks and digits alone, with one space between words: "Don't stop!" and
 * "dont stop" have the same key. "" where there is no letter or digit. Fresh memory, NULL when
 * there is none or the text is not UTF-8. */
char *tolk_clean_key(const char *text);

#endif
