#include "corpora/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct tolk_arena_block {
    struct tolk_arena_block *before;
    size_t used;
    size_t size;
    max_align_t bytes[];
};

static struct tolk_arena_block *add_block(struct tolk_arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct tolk_arena_block)) {
        return NULL;
    }
    struct tolk_arena_block *block = calloc(1, sizeof *block + size);
    if (block != NULL) {
        block->before = arena->last;
        block->size = size;
        arena->last = block;
    }
    return block;
}

void *tolk_arena_take(struct tolk_arena *arena, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    if (size > SIZE_MAX - unit) {
        return NULL;
    }
    size = (size + unit - 1) / unit * unit;
    struct tolk_arena_block *block = arena->last;
    if (block == NULL || block->size - block->used < size) {
        block = add_block(arena, size > BLOCK_BYTES ? size : BLOCK_BYTES);
    }
    if (block == NULL) {
        return NULL;
    }
    void *taken = (char *)block->bytes + block->used;
    block->used += size;
    return taken;
}

char *tolk_arena_text(struct tolk_arena *arena, const char *bytes, size_t size)
{
    char *text = size < SIZE_MAX ? tolk_arena_take(arena, size + 1) : NULL;
    if (text != NULL) {
        memcpy(text, bytes, size);
    }
    return text;
}

/* The capacity is the next power of two, so it needs no field: an array is full when its count is
 * a power of two (or nothing). */
void *tolk_arena_grow(struct tolk_arena *arena, const void *items, size_t count, size_t item_size)
{
    if ((count & (count - 1)) != 0) {
        return (void *)(uintptr_t)items;
    }
    const size_t capacity = count == 0 ? 1 : 2 * count;
    if (capacity > SIZE_MAX / item_size) {
        return NULL;
    }
    void *larger = tolk_arena_take(arena, capacity * item_size);
    if (larger != NULL && count > 0) {
        memcpy(larger, items, count * item_size);
    }
    return larger;
}

void tolk_arena_free(struct tolk_arena *arena)
{
    while (arena->last != NULL) {
        struct tolk_arena_block *before = arena->last->before;
        free(arena->last);
        arena->last = before;
    }
}
