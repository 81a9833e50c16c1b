/* Pieces of one arena (internal to model/). A plan runs twice: without an arena to learn its size,
 * then to hand the pieces out. */
#ifndef TOLK_MODEL_ROOM_H
#define TOLK_MODEL_ROOM_H

#include <stddef.h>

#include "model/real.h"

enum { TOLK_ROOM_LINE = 64 / sizeof(real) }; /* a cache line: where each piece begins */

struct tolk_room_cut {
    real *arena; /* NULL: the pieces are NULL too, and only counted */
    size_t used; /* numbers */
};

static inline size_t tolk_room_rounded(size_t numbers)
{
    return (numbers + TOLK_ROOM_LINE - 1) / TOLK_ROOM_LINE * TOLK_ROOM_LINE;
}

static inline real *tolk_room_take(struct tolk_room_cut *cut, size_t numbers)
{
    real *piece = cut->arena != NULL ? cut->arena + cut->used : NULL;
    cut->used += tolk_room_rounded(numbers);
    return piece;
}

#endif
