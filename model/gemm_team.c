#include "model/gemm_team.h"

#include "model/deal.h"

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
    for (size_t groups = 2; groups <= smaller(threads, TOLK_DEAL_PIECES); groups++) {
        if (threads % groups == 0 && work_of_thread(kernels, m, n, threads, groups) <
                                         work_of_thread(kernels, m, n, threads, cut.groups)) {
            cut.groups = groups;
        }
    }
    const size_t widest = kernels->b_words / (words > 0 ? words : 1) / panel * panel;
    const size_t columns = part_of(n, cut.groups, panel);
    cut.rounds = (columns + widest - 1) / widest;
    cut.columns = part_of(n, cut.groups * cut.rounds, panel);

    const size_t highest = kernels->mc / tile * tile, most = TOLK_DEAL_PIECES / cut.groups;
    /* Two tiles, if they are low: B is read from the second cache for each piece. */
    cut.rows = tile > TOLK_GEMM_ROWS_MAX ? tile : smaller(highest, 2 * tile);
    while ((m + cut.rows - 1) / cut.rows > most) {
        cut.rows = cut.rows < highest ? highest : cut.rows + highest;
    }
    cut.row_pieces = (m + cut.rows - 1) / cut.rows;
    cut.together = highest > cut.rows ? highest / cut.rows : 1;
    return cut;
}
