/* Reads vocab.json as everybody writes it: one flat object of plain strings and small numbers. A
 * JSON library makes a tree of it first, which takes longer than all else that is read of the
 * model's small files together. */
#ifndef TOLK_TOKENIZER_VOCABULARY_SCAN_H
#define TOLK_TOKENIZER_VOCABULARY_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes one piece, `size` bytes of UTF-8, and its id; returns -1 to stop. */
typedef int tolk_vocabulary_take(void *context, const char *piece, size_t size, int64_t id);

/* Gives each pair in order. False where there is anything else in the `size` bytes, right or wrong
 * (an escaped letter, a number with a sign, bytes that are no UTF-8), or where `take` stopped: then
 * all of it is for a JSON library to read or to refuse. */
bool tolk_vocabulary_scan(const char *bytes, size_t size, tolk_vocabulary_take *take,
                          void *context);

#endif
