/* Memory that is freed all at once: what a grammar or a corpus holds lives as long as it does. */
#ifndef TOLK_CORPORA_ARENA_H
#define TOLK_CORPORA_ARENA_H

#include <stddef.h>

struct tolk_arena {
    struct tolk_arena_block *last;
};

/* `size` zeroed bytes, aligned for any object; NULL when there is no memory. */
void *tolk_arena_take(struct tolk_arena *arena, size_t size);

/* A NUL-terminated copy of `size` bytes; NULL when there is no memory. */
char *tolk_arena_text(struct tolk_arena *arena, const char *bytes, size_t size);

/* Makes room for one more item in an array that starts as (NULL, 0): returns the array, perhaps
 * moved, or NULL when there is no memory. The new item is zeroed; the caller counts it. */
void *tolk_arena_grow(struct tolk_arena *arena, const void *items, size_t count, size_t item_size);

void tolk_arena_free(struct tolk_arena *arena);

#endif
