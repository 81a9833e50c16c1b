/* Pieces of work dealt out to threads. */
#include "tests/support/suite.h"

#include <omp.h>
#include <time.h>

#include "model/deal.h"

/* Threads ask in an order drawn from `seed`, one of them seldom, each for one round after the
 * other.
 */
static void deal_out(size_t threads, size_t runs, size_t run, uint64_t seed)
{
    enum { ROUNDS = 3, TOGETHER = 3 };
    struct tolk_deal deal;
    size_t taken[ROUNDS][100] = {{0}}, empty[80] = {0}, round[80] = {0}, left = threads;
    tolk_deal_begin(&deal, threads, runs * run, run, TOGETHER);
    while (left > 0) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const size_t t = seed >> 60 == 0 ? 0 : 1 + (size_t)(seed >> 33) % (threads - 1);
        if (round[t] == ROUNDS) {
            continue;
        }
        const struct tolk_deal_share share = tolk_deal_next(&deal, t, round[t], &empty[t]);
        ck_assert_uint_le(share.count, TOGETHER);
        for (size_t i = share.first; i < share.first + share.count; i++) {
            taken[round[t]][i]++;
            ck_assert_uint_eq(i / run, share.first / run);
        }
        tolk_deal_done(&deal, share);
        if (share.count == 0) {
            empty[t] = 0;
            left -= ++round[t] == ROUNDS;
        }
    }
    for (size_t i = 0; i < ROUNDS * runs * run; i++) {
        ck_assert_uint_eq(taken[i / (runs * run)][i % (runs * run)], 1);
    }
}

START_TEST(each_piece_is_taken_once_a_round_whoever_is_late)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        deal_out(2, 1, 19, seed);
        deal_out(3, 1, 2, seed);
        deal_out(5, 4, 16, seed);
        deal_out(TOLK_DEAL_QUEUES + 6, 2, 50, seed); /* more than there are queues */
    }
}
END_TEST

/* Large shares first, then smaller ones, since the last is what the others wait for. */
START_TEST(shares_shrink_towards_the_end)
{
    static const size_t expected[] = {3, 3, 3, 3, 2, 1, 1};
    struct tolk_deal deal;
    size_t empty = 0;
    tolk_deal_begin(&deal, 2, 32, 32, 3);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ck_assert_uint_eq(tolk_deal_next(&deal, 1, 0, &empty).count, expected[i]);
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
    struct tolk_deal deal;
    size_t order[ROUNDS] = {9, 9, 9}, next = 0;
    tolk_deal_begin(&deal, ROUNDS, 1, 1, 1);
#pragma omp parallel num_threads(ROUNDS)
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t empty = 0;
        const size_t thread = (size_t)omp_get_thread_num();
        const struct tolk_deal_share share = tolk_deal_next(&deal, thread, round, &empty);
        if (share.count > 0) {
            if (round == 0) {
                nanosleep(&nap, NULL);
            }
            order[next++] = round;
            tolk_deal_done(&deal, share);
        }
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        ck_assert_uint_eq(order[i], i);
    }
}
END_TEST

TOLK_SUITE("deals", each_piece_is_taken_once_a_round_whoever_is_late, shares_shrink_towards_the_end,
           a_piece_waits_for_all_its_rounds_before)
