#include "model/gemm_team.h"

#include <sched.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The largest of `parts` like parts of `count`, in whole grains. */
static size_t part_of(size_t count, size_t parts, size_t grain)
{
    return ((count + grain - 1) / grain + parts - 1) / parts * grain;
}

/* What each of the threads has to do, counted in multiplications for a step of k: it packs the
 * columns of B that it multiplies, and reads or packs its rows of A. */
static double work_of_thread(const struct tolk_gemm_kernels *kernels, size_t m, size_t n,
                             size_t threads, size_t groups)
{
    static const double PACKING = 32; /* a number */
    const double rows = (double)part_of(m, threads / groups, kernels->rows);
    const double columns = (double)part_of(n, groups, kernels->columns);
    return rows * columns + PACKING * (rows + columns);
}

struct tolk_gemm_cut tolk_gemm_cut_for(const struct tolk_gemm_kernels *kernels, size_t m, size_t n,
                                       size_t words, size_t threads)
{
    const size_t tile = kernels->rows, panel = kernels->columns;
    struct tolk_gemm_cut cut = {.groups = 1};
    for (size_t groups = 2; groups <= smaller(threads, TOLK_GEMM_PIECES); groups++) {
        if (threads % groups == 0 && work_of_thread(kernels, m, n, threads, groups) <
                                         work_of_thread(kernels, m, n, threads, cut.groups)) {
            cut.groups = groups;
        }
    }
    const size_t widest = kernels->b_words / (words > 0 ? words : 1) / panel * panel;
    const size_t columns = part_of(n, cut.groups, panel);
    cut.rounds = (columns + widest - 1) / widest;
    cut.columns = part_of(n, cut.groups * cut.rounds, panel);

    const size_t highest = kernels->mc / tile * tile, most = TOLK_GEMM_PIECES / cut.groups;
    /* Two tiles, if they are low: B is read from the second cache for each piece. */
    cut.rows = tile > TOLK_GEMM_ROWS_MAX ? tile : smaller(highest, 2 * tile);
    while ((m + cut.rows - 1) / cut.rows > most) {
        cut.rows = cut.rows < highest ? highest : cut.rows + highest;
    }
    cut.row_pieces = (m + cut.rows - 1) / cut.rows;
    cut.together = highest > cut.rows ? highest / cut.rows : 1;
    return cut;
}

void tolk_gemm_deal_begin(struct tolk_gemm_deal *deal, size_t threads,
                          const struct tolk_gemm_cut *cut)
{
    const size_t pieces = cut->groups * cut->row_pieces;
    deal->threads = threads;
    deal->pieces = pieces;
    deal->together = cut->together;
    deal->row_pieces = cut->row_pieces;
    for (size_t q = 0; q < threads && q < TOLK_GEMM_QUEUES; q++) {
        atomic_init(&deal->queues[q].taken, 0);
    }
    for (size_t i = 0; i < pieces; i++) {
        atomic_init(&deal->done[i], 0);
    }
}

/* So many of `left` pieces from `piece` on, of one block of columns: as many as go together, and
 * towards the end fewer, so that nobody waits long for the last. */
static size_t share_of(const struct tolk_gemm_deal *deal, size_t piece, size_t left)
{
    const size_t fair = deal->threads > 1 ? (left + 1) / 2 : left;
    const size_t rows = deal->row_pieces - piece % deal->row_pieces;
    return smaller(smaller(fair, rows), deal->together);
}

/* All rounds, not the one before alone: they are counted, so that one that is done too early would
 * pass for another. */
static void await(struct tolk_gemm_deal *deal, struct tolk_gemm_share share, size_t round)
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

struct tolk_gemm_share tolk_gemm_deal_next(struct tolk_gemm_deal *deal, size_t thread, size_t round,
                                           size_t *empty)
{
    const size_t count = smaller(deal->threads, TOLK_GEMM_QUEUES);
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
                const struct tolk_gemm_share taken_now = {piece, share};
                await(deal, taken_now, round);
                return taken_now;
            }
        }
    }
    return (struct tolk_gemm_share){.count = 0};
}

void tolk_gemm_deal_done(struct tolk_gemm_deal *deal, struct tolk_gemm_share share)
{
    for (size_t i = share.first; i < share.first + share.count; i++) {
        atomic_fetch_add_explicit(&deal->done[i], 1, memory_order_release);
    }
}
