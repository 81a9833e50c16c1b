/* How products are cut for threads, and dealt out. */
#include "tests/support/suite.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/gemm_team.h"

static const struct tolk_gemm_kernels low = {
    .rows = 14, .columns = 32, .mc = 56, .b_words = TOLK_GEMM_B_WORDS, .pieces = 8};
static const struct tolk_gemm_kernels high = {
    .rows = 32, .columns = 32, .mc = 128, .b_words = TOLK_GEMM_B_WORDS / 2, .pieces = 4};

static void covers(const struct tolk_gemm_kernels *kernels, size_t m, size_t n, size_t words,
                   size_t threads)
{
    const struct tolk_gemm_cut cut = tolk_gemm_cut_for(kernels, m, n, words, threads);
    const size_t columns = cut.groups * cut.rounds * cut.columns;
    ck_assert_uint_eq(threads % cut.groups, 0);
    ck_assert_uint_eq(cut.columns % kernels->columns, 0);
    ck_assert_uint_eq(cut.rows % kernels->rows, 0);
    ck_assert_uint_le(cut.columns * words, TOLK_GEMM_B_WORDS);
    ck_assert_uint_le(cut.groups * cut.row_pieces, TOLK_GEMM_PIECES);
    ck_assert_uint_ge(columns, n);
    ck_assert_uint_ge(cut.rows * cut.row_pieces, m);
    ck_assert_uint_lt(cut.rows * (cut.row_pieces - 1), m);
}

START_TEST(pieces_cover_the_product_and_blocks_fit)
{
    static const size_t sizes[] = {1, 13, 32, 150, 256, 8000, 100000};
    static const size_t depths[] = {0, 1, 256, TOLK_GEMM_KC};
    for (size_t i = 0; i < 7 * 7 * 4 * 8; i++) {
        const size_t m = sizes[i % 7], n = sizes[i / 7 % 7], words = depths[i / 49 % 4];
        covers(&low, m, n, words, i / 196 + 1);
        covers(&high, m, n, words, i / 196 + 1);
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
static void deal_out(size_t threads, size_t pieces, uint64_t seed)
{
    enum { ROUNDS = 3 };
    struct tolk_gemm_deal deal;
    size_t taken[ROUNDS][100] = {{0}}, empty[80] = {0}, round[80] = {0}, left = threads;
    tolk_gemm_deal_begin(&deal, threads, pieces);
    while (left > 0) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const size_t t = seed >> 60 == 0 ? 0 : 1 + (size_t)(seed >> 33) % (threads - 1);
        if (round[t] == ROUNDS) {
            continue;
        }
        const size_t piece = tolk_gemm_deal_next(&deal, t, round[t], &empty[t]);
        if (piece < pieces) {
            taken[round[t]][piece]++;
        } else {
            empty[t] = 0;
            left -= ++round[t] == ROUNDS;
        }
    }
    for (size_t i = 0; i < ROUNDS * pieces; i++) {
        ck_assert_uint_eq(taken[i / pieces][i % pieces], 1);
    }
}

START_TEST(each_piece_is_taken_once_a_round_whoever_is_late)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        deal_out(2, 19, seed);
        deal_out(3, 2, seed);
        deal_out(5, 64, seed);
        deal_out(TOLK_GEMM_QUEUES + 6, 100, seed); /* more than there are queues */
    }
}
END_TEST

/* Whoever has a piece adds 1 to what the round before left; one thread sleeps on each of its own. */
START_TEST(a_piece_waits_for_its_round_before)
{
    enum { THREADS = 4, PIECES = 9, ROUNDS = 20 };
    struct tolk_gemm_deal deal;
    size_t sums[PIECES] = {0}, early = 0;
    tolk_gemm_deal_begin(&deal, THREADS, PIECES);
#pragma omp parallel num_threads(THREADS) reduction(+ : early)
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t empty = 0, piece;
        while ((piece = tolk_gemm_deal_next(&deal, (size_t)omp_get_thread_num(), round, &empty)) <
               PIECES) {
            tolk_gemm_deal_await(&deal, piece, round);
            if (omp_get_thread_num() == 0) {
                nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            }
            early += sums[piece]++ != round;
            tolk_gemm_deal_done(&deal, piece);
        }
    }
    ck_assert_uint_eq(early, 0);
    for (size_t i = 0; i < PIECES; i++) {
        ck_assert_uint_eq(sums[i], ROUNDS);
    }
}
END_TEST

TOLK_SUITE("teams of products", pieces_cover_the_product_and_blocks_fit,
           who_packs_least_decides_between_rows_and_columns,
           each_piece_is_taken_once_a_round_whoever_is_late, a_piece_waits_for_its_round_before)
