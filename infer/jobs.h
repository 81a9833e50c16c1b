/* Jobs that do not need each other, such as the batches of a window of lines, shared among the
 * threads.
 *
 * Whole jobs to each thread: threads that divide each matrix product instead wait for one another
 * some dozens of times in every step of a search. */
#ifndef TOLK_INFER_JOBS_H
#define TOLK_INFER_JOBS_H

#include <stddef.h>

#include "base/error.h"

/* A thread is worth waking to turn so many sentences into pieces. */
enum { TOLK_JOBS_SENTENCES = 32 };

/* Does job number `job`, with what belongs to thread number `thread` alone. Returns 0, or -1 with
 * an error. */
typedef int tolk_job(void *context, size_t job, size_t thread, struct tolk_error *error);

/* How many threads share `count` jobs: at least 1, at most as many as there are. */
size_t tolk_jobs_threads(size_t count);

/* Does jobs 0 … count − 1, begun in this order, on `threads` threads (as tolk_jobs_threads says).
 * A job has one thread for itself; without others at its side it has all of them for its products.
 * Returns -1 with the error of the first job, by number, that failed, whichever failed earliest;
 * those behind it may not have been done. */
int tolk_jobs_run(size_t count, size_t threads, tolk_job *job, void *context,
                  struct tolk_error *error);

#endif
