#include "tests/support/suite.h"

#include <stdbool.h>
#include <string.h>

#include "corpora/split.h"

enum { PAIRS = 400, DEV = 30, TEST = 50 };

static char texts[2 * PAIRS][16];

/* Every fourth pair shares its source with the next and its target with the one after; the last
 * hundred pairs are all translations of one sentence. */
static void make_pairs(struct tolk_split_pair *pairs)
{
    for (size_t i = 0; i < PAIRS; i++) {
        const size_t of_source = i % 4 == 1 ? i - 1 : i, of_target = i % 4 == 2 ? i - 2 : i;
        snprintf(texts[2 * i], sizeof texts[0], "s%zu", i >= PAIRS - 100 ? 0 : of_source);
        snprintf(texts[2 * i + 1], sizeof texts[0], "t%zu", of_target);
        pairs[i] = (struct tolk_split_pair){texts[2 * i], texts[2 * i + 1]};
    }
}

static void count_sets(const enum tolk_split_set *sets, size_t counts[TOLK_SPLIT_SETS])
{
    memset(counts, 0, TOLK_SPLIT_SETS * sizeof *counts);
    for (size_t i = 0; i < PAIRS; i++) {
        counts[sets[i]]++;
    }
}

START_TEST(sets_share_no_sentence)
{
    struct tolk_split_pair pairs[PAIRS];
    enum tolk_split_set sets[PAIRS];
    size_t order[PAIRS], counts[TOLK_SPLIT_SETS];
    make_pairs(pairs);
    for (uint64_t seed = 0; seed < 10; seed++) {
        ck_assert_int_eq(tolk_split(pairs, PAIRS, DEV, TEST, seed, sets, order), 0);
        count_sets(sets, counts);
        ck_assert_uint_eq(counts[TOLK_SPLIT_DEV], DEV);
        ck_assert_uint_eq(counts[TOLK_SPLIT_TEST], TEST);
        ck_assert_uint_gt(counts[TOLK_SPLIT_LEFT_OUT], 0);
        for (size_t i = 0; i < PAIRS; i++) {
            for (size_t j = 0; j < i; j++) {
                const int share = strcmp(pairs[i].source, pairs[j].source) == 0 ||
                                  strcmp(pairs[i].target, pairs[j].target) == 0;
                const int left = sets[i] == TOLK_SPLIT_LEFT_OUT || sets[j] == TOLK_SPLIT_LEFT_OUT;
                const int both_train = sets[i] == TOLK_SPLIT_TRAIN && sets[j] == TOLK_SPLIT_TRAIN;
                ck_assert_msg(!share || left || both_train, "seed %d: pairs %zu and %zu share",
                              (int)seed, i, j);
            }
        }
    }
}
END_TEST

START_TEST(a_large_family_trains)
{
    struct tolk_split_pair pairs[PAIRS];
    enum tolk_split_set sets[PAIRS];
    size_t order[PAIRS];
    make_pairs(pairs);
    ck_assert_int_eq(tolk_split(pairs, PAIRS, DEV, TEST, 1, sets, order), 0);
    for (size_t i = PAIRS - 100; i < PAIRS; i++) {
        ck_assert_int_eq(sets[i], TOLK_SPLIT_TRAIN);
    }
}
END_TEST

START_TEST(depends_on_the_seed_alone)
{
    struct tolk_split_pair pairs[PAIRS];
    enum tolk_split_set sets[3][PAIRS];
    size_t order[3][PAIRS];
    bool seen[PAIRS] = {false};
    make_pairs(pairs);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(tolk_split(pairs, PAIRS, DEV, TEST, i / 2, sets[i], order[i]), 0);
    }
    ck_assert_mem_eq(sets[0], sets[1], sizeof sets[0]);
    ck_assert_mem_eq(order[0], order[1], sizeof order[0]);
    ck_assert_mem_ne(sets[0], sets[2], sizeof sets[0]);
    for (size_t i = 0; i < PAIRS; i++) {
        ck_assert(!seen[order[0][i]]);
        seen[order[0][i]] = true;
    }
}
END_TEST

START_TEST(takes_few_pairs_or_none)
{
    struct tolk_split_pair pairs[PAIRS];
    enum tolk_split_set sets[PAIRS];
    size_t order[PAIRS];
    make_pairs(pairs);
    ck_assert_int_eq(tolk_split(pairs, 0, DEV, TEST, 1, sets, order), 0);
    ck_assert_int_eq(tolk_split(pairs, 1, DEV, TEST, 1, sets, order), 0);
    ck_assert_int_eq(sets[0], TOLK_SPLIT_TEST);
    ck_assert_int_eq(tolk_split(pairs, 1, 0, 0, 1, sets, order), 0);
    ck_assert_int_eq(sets[0], TOLK_SPLIT_TRAIN);
}
END_TEST

TOLK_SUITE("split", sets_share_no_sentence, a_large_family_trains, depends_on_the_seed_alone,
           takes_few_pairs_or_none)
