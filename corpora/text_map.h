/* A map from texts to numbers (open addressing, FNV-1a). The keys are borrowed. */
#ifndef TOLK_CORPORA_TEXT_MAP_H
#define TOLK_CORPORA_TEXT_MAP_H

#include <stddef.h>

struct tolk_text_map {
    struct tolk_text_map_entry *entries;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

struct tolk_text_map_entry {
    const char *key; /* NULL: free */
    size_t value;
};

/* The entry of the key, or NULL. */
struct tolk_text_map_entry *tolk_text_map_find(const struct tolk_text_map *map, const char *key);

/* Adds a key that is not there; -1 when there is no memory. */
int tolk_text_map_add(struct tolk_text_map *map, const char *key, size_t value);

void tolk_text_map_free(struct tolk_text_map *map);

#endif
