/* How a matrix product is shared out among threads: where C is cut.
 *
 * The threads stand in groups, each before a block of columns of its own, and those of a group
 * share out the rows. Groups then move on to the columns that are left, all alike. */
#ifndef TOLK_MODEL_GEMM_TEAM_H
#define TOLK_MODEL_GEMM_TEAM_H

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

#endif
