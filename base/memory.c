#include "base/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, PAGE = 2 << 20 };

void *tolk_memory_take(size_t bytes)
{
    const size_t grain = bytes < 2 * (size_t)PAGE ? LINE : PAGE;
    void *memory = NULL;
    if (bytes > SIZE_MAX - grain) {
        return NULL;
    }
    bytes = (bytes + grain - 1) / grain * grain;
    if (posix_memalign(&memory, grain, bytes > 0 ? bytes : grain) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (grain == PAGE) {
        madvise(memory, bytes, MADV_HUGEPAGE); /* advice: what comes of it does not matter */
    }
#endif
    return memory;
}

void *tolk_memory_take_zeroed(size_t bytes)
{
    void *memory = tolk_memory_take(bytes);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

/* ---- rooms of a thread --------------------------------------------------------------------------
 */

/* Stands in the cache line before a room. */
struct room {
    struct room *next; /* of the same thread */
};

static pthread_key_t rooms_key;
static pthread_once_t rooms_once = PTHREAD_ONCE_INIT;

static void give_back(void *rooms)
{
    for (struct room *room = rooms, *next; room != NULL; room = next) {
        next = room->next;
        free(room);
    }
}

static void make_key(void)
{
    if (pthread_key_create(&rooms_key, give_back) != 0) {
        abort(); /* the few keys that we and the libraries make are far from the limit */
    }
}

void *tolk_memory_of_thread(void **room, size_t bytes)
{
    if (*room != NULL) {
        return *room;
    }
    pthread_once(&rooms_once, make_key);
    struct room *const taken = tolk_memory_take(LINE + bytes);
    if (taken == NULL) {
        fprintf(stderr, "tolk: out of memory for a thread's %zu bytes\n", bytes);
        abort();
    }
    taken->next = pthread_getspecific(rooms_key);
    pthread_setspecific(rooms_key, taken);
    *room = (char *)taken + LINE;
    return *room;
}
