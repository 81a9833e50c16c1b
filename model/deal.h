/* Pieces of work dealt out to threads: each has a range of its own, the same in one work after
 * another, so that it finds in its cache what it left there. Whoever has done with his own helps
 * the others, in shares that shrink towards the end. */
#ifndef TOLK_MODEL_DEAL_H
#define TOLK_MODEL_DEAL_H

#include <stdatomic.h>
#include <stddef.h>

enum { TOLK_DEAL_QUEUES = 64, TOLK_DEAL_PIECES = 512, TOLK_DEAL_QUEUE_BYTES = 64 };

/* How many pieces were taken of the range of one thread, in all rounds. Threads beyond
 * TOLK_DEAL_QUEUES have none and help. */
struct tolk_deal_queue {
    _Alignas(TOLK_DEAL_QUEUE_BYTES) atomic_size_t taken;
};

/* The pieces of one work, dealt out once in each of its rounds. Nobody waits for a round to end:
 * a thread that finds all pieces of one taken goes on to the next, where a piece waits for itself
 * alone. */
struct tolk_deal {
    size_t threads;
    size_t pieces; /* at most TOLK_DEAL_PIECES */
    size_t run, together;
    struct tolk_deal_queue queues[TOLK_DEAL_QUEUES];
    atomic_size_t done[TOLK_DEAL_PIECES]; /* rounds */
};

/* By one thread, before the others know of it. Pieces that go `together` at most are taken at once,
 * and never across a multiple of `run`. */
void tolk_deal_begin(struct tolk_deal *deal, size_t threads, size_t pieces, size_t run,
                     size_t together);

/* Pieces that follow one another. */
struct tolk_deal_share {
    size_t first, count;
};

/* The next pieces of a round for a thread, of its own or else of another's; none when none is left.
 * Returns when all rounds of these pieces before this one are done. Rounds count from 0, each
 * thread goes through all of them. *empty counts the queues that the thread has found empty in this
 * round, from 0. */
struct tolk_deal_share tolk_deal_next(struct tolk_deal *deal, size_t thread, size_t round,
                                      size_t *empty);

/* To be called for each share, but in the last round. */
void tolk_deal_done(struct tolk_deal *deal, struct tolk_deal_share share);

#endif
