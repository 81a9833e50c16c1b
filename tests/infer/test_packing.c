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
    const struct tolk_plan_limits limits = {BATCH_TOKENS, batch_items, 1};
    ck_assert_int_eq(tolk_plan_make(&plan, LENGTHS, ITEMS, &limits, &error), 0);
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

START_TEST(each_thread_gets_as_many_batches_of_a_size)
{
    enum { MANY = 100, THREADS = 3, TOKENS = 60 };
    struct tolk_error error;
    struct tolk_plan plan;
    size_t lengths[MANY];
    size_t total = 0;
    for (size_t i = 0; i < MANY; i++) {
        lengths[i] = 1 + i * 7 % 11;
        total += lengths[i];
    }
    const struct tolk_plan_limits limits = {TOKENS, SIZE_MAX, THREADS};
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, MANY, &limits, &error), 0);
    ck_assert_uint_eq(plan.batches % THREADS, 0);
    ck_assert_uint_ge(plan.batches, total / TOKENS);
    for (size_t b = 0; b < plan.batches; b++) {
        size_t tokens = 0;
        for (size_t i = plan.begin[b]; i < plan.begin[b + 1]; i++) {
            tokens += lengths[plan.order[i]];
        }
        ck_assert_uint_le(tokens, TOKENS);
        ck_assert_uint_lt(tokens, total / plan.batches + 11);
        ck_assert_uint_gt(tokens + 11, total / plan.batches);
    }
    ck_assert_uint_eq(plan.begin[plan.batches], MANY);
    tolk_plan_free(&plan);

    /* A batch that fits is divided, a handful is not. */
    const struct tolk_plan_limits roomy = {10000, SIZE_MAX, THREADS};
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, 40, &roomy, &error), 0);
    ck_assert_uint_eq(plan.batches, THREADS);
    tolk_plan_free(&plan);
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, 5, &roomy, &error), 0);
    ck_assert_uint_eq(plan.batches, 1);
    tolk_plan_free(&plan);
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, 0, &roomy, &error), 0);
    ck_assert_uint_eq(plan.batches, 0);
    tolk_plan_free(&plan);
}
END_TEST

START_TEST(the_last_batches_of_many_are_halves)
{
    enum { MANY = 400, THREADS = 2, TOKENS = 100, WHOLE = 8, HALVES = 4 };
    struct tolk_error error;
    struct tolk_plan plan;
    size_t lengths[MANY];
    for (size_t i = 0; i < MANY; i++) {
        lengths[i] = 2;
    }
    const struct tolk_plan_limits limits = {TOKENS + 2, SIZE_MAX, THREADS};
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, MANY, &limits, &error), 0);
    ck_assert_uint_eq(plan.batches, WHOLE + HALVES);
    for (size_t b = 0; b < plan.batches; b++) {
        const size_t items = plan.begin[b + 1] - plan.begin[b];
        ck_assert_uint_eq(items, b < WHOLE ? 40 : 20);
    }
    tolk_plan_free(&plan);
    const struct tolk_plan_limits alone = {TOKENS + 2, SIZE_MAX, 1};
    ck_assert_int_eq(tolk_plan_make(&plan, lengths, MANY, &alone, &error), 0);
    ck_assert_uint_eq(plan.batches, 9);
    tolk_plan_free(&plan);
}
END_TEST

TOLK_SUITE("packing", the_last_batches_of_many_are_halves,
           each_thread_gets_as_many_batches_of_a_size,
           the_longest_come_first_within_the_budget_of_tokens,
           a_batch_holds_no_more_items_than_allowed_and_always_one)
