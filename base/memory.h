/* Memory for many numbers: parameters, gradients, what a pass writes down. */
#ifndef TOLK_BASE_MEMORY_H
#define TOLK_BASE_MEMORY_H

#include <stddef.h>

/* `bytes` that begin at a cache line, for free() to give back; NULL when memory is out. From two
 * pages of 2 MB on it lies in such pages where the system has them: rows that lie kilobytes apart
 * would keep the processor reading the table of 4 KB pages. */
void *tolk_memory_take(size_t bytes);

/* The same, all zero. */
void *tolk_memory_take_zeroed(size_t bytes);

/* Room for `bytes` that the calling thread alone works in, taken at the first call and given back
 * when the thread ends; `room` is a static _Thread_local pointer that begins as NULL. An array in
 * its place would be cleared as each thread begins, whether the thread is to use it or not. Who
 * computes cannot fail: where memory is out the program ends, as it does when a thread finds none
 * to begin with. */
void *tolk_memory_of_thread(void **room, size_t bytes);

#endif
