/* How products are cut for threads, and dealt out. */
#include "tests/support/suite.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    ck_assert_uint_le(cut.groups * cut.row_pieces, TOLK_GEMM_PIECES);
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
        const size_t threads = i / 196 < 7 ? i / 196 + 1 : 2 * TOLK_GEMM_PIECES;
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

/* Threads ask in an order drawn from `seed`, one of them seldom, each for one round after the
 * other.
 */
static void deal_out(size_t threads, size_t groups, size_t row_pieces, uint64_t seed)
{
    enum { ROUNDS = 3, TOGETHER = 3 };
    const struct tolk_gemm_cut cut = {
        .groups = groups, .row_pieces = row_pieces, .together = TOGETHER};
    struct tolk_gemm_deal deal;
    size_t taken[ROUNDS][100] = {{0}}, empty[80] = {0}, round[80] = {0}, left = threads;
    tolk_gemm_deal_begin(&deal, threads, &cut);
    while (left > 0) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const size_t t = seed >> 60 == 0 ? 0 : 1 + (size_t)(seed >> 33) % (threads - 1);
        if (round[t] == ROUNDS) {
            continue;
        }
        const struct tolk_gemm_share share = tolk_gemm_deal_next(&deal, t, round[t], &empty[t]);
        ck_assert_uint_le(share.count, TOGETHER);
        for (size_t i = share.first; i < share.first + share.count; i++) {
            taken[round[t]][i]++;
            ck_assert_uint_eq(i / row_pieces, share.first / row_pieces);
        }
        tolk_gemm_deal_done(&deal, share);
        if (share.count == 0) {
            empty[t] = 0;
            left -= ++round[t] == ROUNDS;
        }
    }
    for (size_t i = 0; i < ROUNDS * groups * row_pieces; i++) {
        ck_assert_uint_eq(taken[i / (groups * row_pieces)][i % (groups * row_pieces)], 1);
    }
}

START_TEST(each_piece_is_taken_once_a_round_whoever_is_late)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        deal_out(2, 1, 19, seed);
        deal_out(3, 1, 2, seed);
        deal_out(5, 4, 16, seed);
        deal_out(TOLK_GEMM_QUEUES + 6, 2, 50, seed); /* more than there are queues */
    }
}
END_TEST

/* Large shares first, then smaller ones, since the last is what the others wait for. */
START_TEST(shares_shrink_towards_the_end)
{
    static const size_t expected[] = {3, 3, 3, 3, 2, 1, 1};
    const struct tolk_gemm_cut cut = {.groups = 1, .row_pieces = 32, .together = 3};
    struct tolk_gemm_deal deal;
    size_t empty = 0;
    tolk_gemm_deal_begin(&deal, 2, &cut);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ck_assert_uint_eq(tolk_gemm_deal_next(&deal, 1, 0, &empty).count, expected[i]);
        ck_assert_uint_eq(empty, 0);
    }
}
END_TEST

/* Three threads go through three rounds of a single piece; who has it first sleeps on it, and the
 * others may not run ahead, each in a round of its own. */
START_TEST(a_piece_waits_for_all_its_rounds_before)
{
    enum { ROUNDS = 3 };
    static const struct timespec nap = {.tv_nsec = 20000000};
    const struct tolk_gemm_cut cut = {.groups = 1, .row_pieces = 1, .together = 1};
    struct tolk_gemm_deal deal;
    size_t order[ROUNDS] = {9, 9, 9}, next = 0;
    tolk_gemm_deal_begin(&deal, ROUNDS, &cut);
#pragma omp parallel num_threads(ROUNDS)
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t empty = 0;
        const size_t thread = (size_t)omp_get_thread_num();
        const struct tolk_gemm_share share = tolk_gemm_deal_next(&deal, thread, round, &empty);
        if (share.count > 0) {
            if (round == 0) {
                nanosleep(&nap, NULL);
            }
            order[next++] = round;
            tolk_gemm_deal_done(&deal, share);
        }
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        ck_assert_uint_eq(order[i], i);
    }
}
END_TEST

TOLK_SUITE("teams of products", pieces_cover_the_product_and_blocks_fit,
           who_packs_least_decides_between_rows_and_columns,
           each_piece_is_taken_once_a_round_whoever_is_late, shares_shrink_towards_the_end,
           a_piece_waits_for_all_its_rounds_before)
