/* A map from pairs of non-negative numbers to a number: open addressing, linear probing. */
#ifndef TOLK_TOKENIZER_PAIR_MAP_H
#define TOLK_TOKENIZER_PAIR_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

/* Begin with {0}. */
struct tolk_pair_map {
    struct tolk_pair_map_slot {
        uint64_t pair;
        int32_t value;
    } * slots; /* [mask + 1] */
    size_t mask;
    size_t count;
};

enum { TOLK_PAIR_MAP_ABSENT = -1 };
/* What an empty slot holds, which tolk_pair never returns. */
enum { TOLK_PAIR_MAP_EMPTY = 0 };

static inline uint64_t tolk_pair(int32_t first, int32_t second)
{
    return ((uint64_t)(uint32_t)first << 32 | (uint32_t)second) + 1;
}

/* The value of the pair, TOLK_PAIR_MAP_ABSENT where it has none. */
static inline int32_t tolk_pair_map_get(const struct tolk_pair_map *map, int32_t first,
                                        int32_t second)
{
    const uint64_t pair = tolk_pair(first, second);
    if (map->slots == NULL) {
        return TOLK_PAIR_MAP_ABSENT;
    }
    for (size_t i = (size_t)tolk_random_mix64(pair) & map->mask;; i = (i + 1) & map->mask) {
        if (map->slots[i].pair == pair) {
            return map->slots[i].value;
        }
        if (map->slots[i].pair == TOLK_PAIR_MAP_EMPTY) {
            return TOLK_PAIR_MAP_ABSENT;
        }
    }
}

/* Sets the value of a pair, in place of an older one; -1 when memory is out. */
int tolk_pair_map_set(struct tolk_pair_map *map, int32_t first, int32_t second, int32_t value);

void tolk_pair_map_free(struct tolk_pair_map *map);

#endif
