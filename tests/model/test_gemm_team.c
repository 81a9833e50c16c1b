/* How products are cut for threads. */
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "model/deal.h"
#include "model/gemm_team.h"

static const struct tolk_gemm_kernels low = {
    .rows = 14, .columns = 32, .mc = 56, .b_words = TOLK_GEMM_B_WORDS};
static const struct tolk_gemm_kernels high = {
    .rows = 32, .columns = 32, .mc = 128, .b_words = TOLK_GEMM_B_WORDS / 2};

static void covers(const struct tolk_gemm_kernels *kernels, size_t m, size_t n, size_t words,
                   size_t threads)
{
    const struct tolk_gemm_cut cut = tolk_gemm_cut_for(kernels, m, n, words, threads);
    const size_t columns = cut.groups * cut.rounds * cut.columns;
    ck_assert_uint_eq(threads % cut.groups, 0);
    ck_assert_uint_eq(cut.columns % kernels->columns, 0);
    ck_assert_uint_eq(cut.rows % kernels->rows, 0);
    ck_assert_uint_le(cut.columns * words, kernels->b_words);
    ck_assert_uint_le(cut.groups * cut.row_pieces, TOLK_DEAL_PIECES);
    ck_assert_uint_ge(columns, n);
    ck_assert_uint_ge(cut.rows * cut.row_pieces, m);
    ck_assert_uint_lt(cut.rows * (cut.row_pieces - 1), m);
    ck_assert(cut.together == 1 || cut.rows * cut.together <= kernels->mc);
}

START_TEST(pieces_cover_the_product_and_blocks_fit)
{
    static const size_t sizes[] = {1, 13, 32, 150, 256, 8000, 100000};
    static const size_t depths[] = {0, 1, 256, TOLK_GEMM_KC};
    for (size_t i = 0; i < 7 * 7 * 4 * 8; i++) {
        const size_t m = sizes[i % 7], n = sizes[i / 7 % 7], words = depths[i / 49 % 4];
        const size_t threads = i / 196 < 7 ? i / 196 + 1 : 2 * TOLK_DEAL_PIECES;
        covers(&low, m, n, words, threads);
        covers(&high, m, n, words, threads);
    }
}
END_TEST

START_TEST(who_packs_least_decides_between_rows_and_columns)
{
    ck_assert_uint_eq(tolk_gemm_cut_for(&low, 1024, 256, 256, 2).groups, 1);
    ck_assert_uint_eq(tolk_gemm_cut_for(&low, 256, 1024, 512, 2).groups, 2);
    ck_assert_uint_eq(tolk_gemm_cut_for(&low, 1024, 8000, 256, 2).groups, 2);
    ck_assert_uint_eq(tolk_gemm_cut_for(&low, 1, 8000, 256, 4).groups, 4);
    ck_assert_uint_eq(tolk_gemm_cut_for(&low, 1024, 1024, 256, 4).groups, 2);
}
END_TEST

TOLK_SUITE("teams of products", pieces_cover_the_product_and_blocks_fit,
           who_packs_least_decides_between_rows_and_columns)
