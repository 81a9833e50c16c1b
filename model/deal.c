#include "model/deal.h"

#include <sched.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void tolk_deal_begin(struct tolk_deal *deal, size_t threads, size_t pieces, size_t run,
                     size_t together)
{
    deal->threads = threads;
    deal->pieces = pieces;
    deal->run = run;
    deal->together = together;
    for (size_t q = 0; q < threads && q < TOLK_DEAL_QUEUES; q++) {
        atomic_init(&deal->queues[q].taken, 0);
    }
    for (size_t i = 0; i < pieces; i++) {
        atomic_init(&deal->done[i], 0);
    }
}

/* So many of `left` pieces from `piece` on: as many as go together, and towards the end fewer, so
 * that nobody waits long for the last. */
static size_t share_of(const struct tolk_deal *deal, size_t piece, size_t left)
{
    const size_t fair = deal->threads > 1 ? (left + 1) / 2 : left;
    const size_t rest = deal->run - piece % deal->run;
    return smaller(smaller(fair, rest), deal->together);
}

/* All rounds, not the one before alone: they are counted, so that one that is done too early would
 * pass for another. */
static void await(struct tolk_deal *deal, struct tolk_deal_share share, size_t round)
{
    enum { TURNS = 1000 }; /* before the processor is left to whoever needs it */
    for (size_t turn = 0, i = share.first; i < share.first + share.count; turn++) {
        if (atomic_load_explicit(&deal->done[i], memory_order_acquire) >= round) {
            i++;
        } else if (turn >= TURNS) {
            sched_yield();
        }
    }
}

struct tolk_deal_share tolk_deal_next(struct tolk_deal *deal, size_t thread, size_t round,
                                      size_t *empty)
{
    const size_t count = smaller(deal->threads, TOLK_DEAL_QUEUES);
    for (; *empty < count; (*empty)++) {
        const size_t q = (thread + *empty) % count, first = deal->pieces * q / count;
        const size_t size = deal->pieces * (q + 1) / count - first, end = (round + 1) * size;
        atomic_size_t *const taken = &deal->queues[q].taken;
        size_t before = atomic_load_explicit(taken, memory_order_relaxed);
        while (before < end) {
            const size_t piece = first + before - round * size;
            const size_t share = share_of(deal, piece, end - before);
            if (atomic_compare_exchange_weak_explicit(taken, &before, before + share,
                                                      memory_order_relaxed, memory_order_relaxed)) {
                const struct tolk_deal_share taken_now = {piece, share};
                await(deal, taken_now, round);
                return taken_now;
            }
        }
    }
    return (struct tolk_deal_share){.count = 0};
}

void tolk_deal_done(struct tolk_deal *deal, struct tolk_deal_share share)
{
    for (size_t i = share.first; i < share.first + share.count; i++) {
        atomic_fetch_add_explicit(&deal->done[i], 1, memory_order_release);
    }
}
