#include "corpora/text_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

static uint64_t hash_key(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *key != '\0'; key++) {
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* The key's place, or the free one where it would go. The table is never full. */
static struct tolk_text_map_entry *place(const struct tolk_text_map *map, const char *key)
{
    size_t i = (size_t)hash_key(key) & (map->capacity - 1);
    while (map->entries[i].key != NULL && strcmp(map->entries[i].key, key) != 0) {
        i = (i + 1) & (map->capacity - 1);
    }
    return &map->entries[i];
}

struct tolk_text_map_entry *tolk_text_map_find(const struct tolk_text_map *map, const char *key)
{
    struct tolk_text_map_entry *entry = map->capacity > 0 ? place(map, key) : NULL;
    return entry != NULL && entry->key != NULL ? entry : NULL;
}

static int grow(struct tolk_text_map *map)
{
    struct tolk_text_map larger = {NULL, map->count, 0};
    larger.capacity = map->capacity > 0 ? 2 * map->capacity : FIRST_CAPACITY;
    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (larger.entries == NULL) {
        return -1;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].key != NULL) {
            *place(&larger, map->entries[i].key) = map->entries[i];
        }
    }
    free(map->entries);
    *map = larger;
    return 0;
}

int tolk_text_map_add(struct tolk_text_map *map, const char *key, size_t value)
{
    if (2 * (map->count + 1) > map->capacity && grow(map) != 0) {
        return -1;
    }
    *place(map, key) = (struct tolk_text_map_entry){key, value};
    map->count++;
    return 0;
}

void tolk_text_map_free(struct tolk_text_map *map)
{
    free(map->entries);
    *map = (struct tolk_text_map){0};
}
