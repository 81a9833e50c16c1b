/* How a matrix product is shared out among threads: where C is cut, and who takes which piece.
 *
 * The threads stand in groups, each before a block of columns of its own, and those of a group
 * share out the rows. Groups then move on to the columns that are left, all alike. */
#ifndef TOLK_MODEL_GEMM_TEAM_H
#define TOLK_MODEL_GEMM_TEAM_H

#include <stdatomic.h>
#include <stddef.h>

#include "model/kernels/gemm.h"

struct tolk_gemm_cut {
    size_t groups;
    size_t rounds;     /* blocks of columns for each group */
    size_t columns;    /* of a block: whole panels, whose part of B fits its buffer */
    size_t rows;       /* of a piece: whole tiles */
    size_t row_pieces; /* to a block of columns; a round has `groups` times as many pieces */
    size_t together;   /* so many pieces that follow one another make a block of A */
};

/* The cut of C [m, n] for so many threads that each has the least to multiply and to pack. `words`
 * long is a column of a block of B. */
struct tolk_gemm_cut tolk_gemm_cut_for(const struct tolk_gemm_kernels *kernels, size_t m, size_t n,
                                       size_t words, size_t threads);

enum { TOLK_GEMM_QUEUES = 64, TOLK_GEMM_PIECES = 512, TOLK_GEMM_QUEUE_BYTES = 64 };

/* How many pieces were taken of the range of one thread, in all rounds: the same rows in one
 * product after another, which lie in its cache. Threads beyond TOLK_GEMM_QUEUES have none and
 * help. */
struct tolk_gemm_queue {
    _Alignas(TOLK_GEMM_QUEUE_BYTES) atomic_size_t taken;
};

/* The pieces of one product, dealt out once in each of its rounds. Nobody waits for a round to end:
 * a thread that finds all pieces of one taken goes on to the next, where a piece waits for itself
 * alone. */
struct tolk_gemm_deal {
    size_t threads;
    size_t pieces; /* at most TOLK_GEMM_PIECES */
    size_t row_pieces, together;
    struct tolk_gemm_queue queues[TOLK_GEMM_QUEUES];
    atomic_size_t done[TOLK_GEMM_PIECES]; /* rounds */
};

/* By one thread, before the others know of it. */
void tolk_gemm_deal_begin(struct tolk_gemm_deal *deal, size_t threads,
                          const struct tolk_gemm_cut *cut);

/* Pieces that follow one another, of one block of columns. */
struct tolk_gemm_share {
    size_t first, count;
};

/* The next pieces of a round for a thread, of its own or else of another's; none when none is left.
 * Returns when all rounds of these pieces before this one are done. Rounds count from 0, each
 * thread goes through all of them. *empty counts the queues that the thread has found empty in this
 * round, from 0. */
struct tolk_gemm_share tolk_gemm_deal_next(struct tolk_gemm_deal *deal, size_t thread, size_t round,
                                           size_t *empty);

/* To be called for each share. */
void tolk_gemm_deal_done(struct tolk_gemm_deal *deal, struct tolk_gemm_share share);

#endif
