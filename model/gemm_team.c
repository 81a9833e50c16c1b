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
    for (size_t groups = 2; groups <= threads; groups++) {
        if (threads % groups == 0 && work_of_thread(kernels, m, n, threads, groups) <
                                         work_of_thread(kernels, m, n, threads, cut.groups)) {
            cut.groups = groups;
        }
    }
    const size_t widest = kernels->b_words / (words > 0 ? words : 1) / panel * panel;
    const size_t columns = part_of(n, cut.groups, panel);
    cut.rounds = (columns + widest - 1) / widest;
    cut.columns = part_of(n, cut.groups * cut.rounds, panel);

    const size_t wanted = threads > 1 ? threads / cut.groups * kernels->pieces : 1;
    const size_t highest = kernels->mc / tile * tile;
    /* Two tiles at least, if they are low: B is read from the second cache for each piece. */
    const size_t lowest = smaller(highest, tile > TOLK_GEMM_ROWS_MAX ? tile : 2 * tile);
    cut.rows = smaller(highest, part_of(m, wanted, tile));
    cut.rows = threads > 1 && cut.rows < lowest ? lowest : cut.rows;
    const size_t most = TOLK_GEMM_PIECES / cut.groups;
    while ((m + cut.rows - 1) / cut.rows > most) {
        cut.rows += highest;
    }
    cut.row_pieces = (m + cut.rows - 1) / cut.rows;
    return cut;
}

void tolk_gemm_deal_begin(struct tolk_gemm_deal *deal, size_t threads, size_t pieces)
{
    deal->threads = threads;
    deal->pieces = pieces;
    for (size_t q = 0; q < threads && q < TOLK_GEMM_QUEUES; q++) {
        atomic_init(&deal->queues[q].taken, 0);
    }
    for (size_t i = 0; i < pieces; i++) {
        atomic_init(&deal->done[i], 0);
    }
}

size_t tolk_gemm_deal_next(struct tolk_gemm_deal *deal, size_t thread, size_t round, size_t *empty)
{
    const size_t count = smaller(deal->threads, TOLK_GEMM_QUEUES);
    for (; *empty < count; (*empty)++) {
        const size_t q = (thread + *empty) % count, first = deal->pieces * q / count;
        const size_t size = deal->pieces * (q + 1) / count - first;
        atomic_size_t *const taken = &deal->queues[q].taken;
        size_t before = atomic_load_explicit(taken, memory_order_relaxed);
        while (before < (round + 1) * size) {
            if (atomic_compare_exchange_weak_explicit(taken, &before, before + 1,
                                                      memory_order_relaxed, memory_order_relaxed)) {
                return first + before - round * size;
            }
        }
    }
    return deal->pieces;
}

void tolk_gemm_deal_await(struct tolk_gemm_deal *deal, size_t piece, size_t round)
{
    enum { TURNS = 1000 }; /* before the processor is left to whoever needs it */
    for (size_t turn = 0; atomic_load_explicit(&deal->done[piece], memory_order_acquire) < round;
         turn++) {
        if (turn >= TURNS) {
            sched_yield();
        }
    }
}

void tolk_gemm_deal_done(struct tolk_gemm_deal *deal, size_t piece)
{
    atomic_fetch_add_explicit(&deal->done[piece], 1, memory_order_release);
}
