#include "base/memory.h"

#include <stdint.h>
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
