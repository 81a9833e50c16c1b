#include "tokenizer/pair_map.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024 }; /* a power of two, as all sizes */

/* The slot that holds the pair, or the empty one where it belongs. */
static struct tolk_pair_map_slot *slot_of(const struct tolk_pair_map *map, uint64_t pair)
{
    size_t i = (size_t)tolk_random_mix64(pair) & map->mask;
    while (map->slots[i].pair != pair && map->slots[i].pair != TOLK_PAIR_MAP_EMPTY) {
        i = (i + 1) & map->mask;
    }
    return &map->slots[i];
}

static int grow(struct tolk_pair_map *map)
{
    const size_t slots = map->slots == NULL ? FIRST_SLOTS : 2 * (map->mask + 1);
    struct tolk_pair_map larger = {.mask = slots - 1, .count = map->count};
    larger.slots = calloc(slots, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return -1;
    }
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++) {
        if (map->slots[i].pair != TOLK_PAIR_MAP_EMPTY) {
            *slot_of(&larger, map->slots[i].pair) = map->slots[i];
        }
    }
    free(map->slots);
    *map = larger;
    return 0;
}

int tolk_pair_map_set(struct tolk_pair_map *map, int32_t first, int32_t second, int32_t value)
{
    /* Half the slots stay empty, so that a search soon meets one. */
    if ((map->slots == NULL || 2 * (map->count + 1) > map->mask) && grow(map) != 0) {
        return -1;
    }
    struct tolk_pair_map_slot *const slot = slot_of(map, tolk_pair(first, second));
    if (slot->pair == TOLK_PAIR_MAP_EMPTY) {
        slot->pair = tolk_pair(first, second);
        map->count++;
    }
    slot->value = value;
    return 0;
}

void tolk_pair_map_free(struct tolk_pair_map *map)
{
    free(map->slots);
    *map = (struct tolk_pair_map){0};
}
