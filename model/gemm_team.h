/* How a matrix product is shared out among threads: where C is cut, and who takes which piece.
 *
 * The threads stand in groups, each before a block of columns of its own, and those of a group
 * share out the rows. A round is over when each block has met all rows; groups then move on to the
 * columns that are left, all rounds alike. */
#ifndef TOLK_MODEL_GEMM_TEAM_H
#define TOLK_MODEL_GEMM_TEAM_H

#include <stdatomic.h>
#include <stddef.h>

#include "model/kernels/gemm.h"

struct tolk_gemm_cut {
    size_t groups;
    size_t rounds;
    size_t columns;    /* of a block: whole panels, whose part of B fits its buffer */
    size_t rows;       /* of a piece: whole tiles */
    size_t row_pieces; /* to a block; a round has `groups` times as many pieces */
};

/* The cut of C [m, n] for so many threads that each has the least to multiply and to pack. Several
 * pieces for each thread, so that none waits long for the others; `words` long is a column of a
 * block of B. */
struct tolk_gemm_cut tolk_gemm_cut_for(const struct tolk_gemm_kernels *kernels, size_t m, size_t n,
                                       size_t words, size_t threads);

enum { TOLK_GEMM_QUEUES = 64, TOLK_GEMM_QUEUE_BYTES = 64 };

/* How many pieces were taken of the range of one thread: the same rows in one product after
 * another, which lie in its cache. Threads beyond TOLK_GEMM_QUEUES have none and help. */
struct tolk_gemm_queue {
    _Alignas(TOLK_GEMM_QUEUE_BYTES) atomic_size_t taken;
};

/* Makes the queue of a thread full. */
void tolk_gemm_queue_refill(struct tolk_gemm_queue *queues, size_t thread);

/* The next of `pieces` for a thread, of its own or else of another's; `pieces` when none is left.
 * *empty counts the queues that the thread has found empty, from 0. */
size_t tolk_gemm_queue_next(struct tolk_gemm_queue *queues, size_t threads, size_t thread,
                            size_t pieces, size_t *empty);

#endif
