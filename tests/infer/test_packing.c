#include "tests/support/suite.h"

#include <stdint.h>

#include "infer/packing.h"

enum { ITEMS = 6, BATCH_TOKENS = 10 };
static const size_t LENGTHS[ITEMS] = {1, 4, 30, 2, 4, 1};

static void check_plan(size_t batch_items, const size_t *begin, size_t batches)
{
    static const size_t order[ITEMS] = {2, 1, 4, 3, 0, 5};
    struct tolk_error error;
    struct tolk_plan plan;
    ck_assert_int_eq(tolk_plan_make(&plan, LENGTHS, ITEMS, BATCH_TOKENS, batch_items, &error), 0);
    ck_assert_mem_eq(plan.order, order, sizeof order);
    ck_assert_uint_eq(plan.batches, batches);
    ck_assert_mem_eq(plan.begin, begin, (batches + 1) * sizeof *begin);
    tolk_plan_free(&plan);
}

START_TEST(the_longest_come_first_within_the_budget_of_tokens)
{
    static const size_t begin[] = {0, 1, 4, 6};
    check_plan(SIZE_MAX, begin, 3);
}
END_TEST

START_TEST(a_batch_holds_no_more_items_than_allowed_and_always_one)
{
    static const size_t in_twos[] = {0, 1, 3, 5, 6};
    check_plan(2, in_twos, 4);
    static const size_t alone[] = {0, 1, 2, 3, 4, 5, 6};
    check_plan(1, alone, ITEMS);
    check_plan(0, alone, ITEMS);
}
END_TEST

TOLK_SUITE("packing", the_longest_come_first_within_the_budget_of_tokens,
           a_batch_holds_no_more_items_than_allowed_and_always_one)
