#include "tokenizer/pieces.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 32 };

/* Grows one of the arrays; on failure it stays as it was. */
static int grow(void **array, size_t count, size_t item)
{
    void *const larger = realloc(*array, count * item);
    if (larger == NULL) {
        return -1;
    }
    *array = larger;
    return 0;
}

int tolk_pieces_reserve(struct tolk_pieces *pieces, size_t count, struct tolk_error *error)
{
    if (count <= pieces->capacity) {
        return 0;
    }
    size_t capacity = pieces->capacity == 0 ? FIRST_CAPACITY : 2 * pieces->capacity;
    if (capacity < count) {
        capacity = count;
    }
    void *ids = pieces->ids, *begin = pieces->begin, *end = pieces->end;
    int status = -1;
    if (capacity <= SIZE_MAX / sizeof *pieces->begin) {
        status = grow(&ids, capacity, sizeof *pieces->ids);
        status = status == 0 ? grow(&begin, capacity, sizeof *pieces->begin) : -1;
        status = status == 0 ? grow(&end, capacity, sizeof *pieces->end) : -1;
    }
    pieces->ids = ids, pieces->begin = begin, pieces->end = end;
    if (status != 0) {
        return tolk_error_set(error, "out of memory for %zu pieces", capacity);
    }
    pieces->capacity = capacity;
    return 0;
}

int tolk_pieces_append(struct tolk_pieces *pieces, int32_t id, size_t begin, size_t end,
                       struct tolk_error *error)
{
    if (tolk_pieces_reserve(pieces, pieces->count + 1, error) != 0) {
        return -1;
    }
    pieces->ids[pieces->count] = id;
    pieces->begin[pieces->count] = begin;
    pieces->end[pieces->count] = end;
    pieces->count++;
    return 0;
}

void tolk_pieces_free(struct tolk_pieces *pieces)
{
    free(pieces->ids);
    free(pieces->begin);
    free(pieces->end);
    *pieces = (struct tolk_pieces){0};
}
