#include "tests/support/suite.h"

#include "model/vocabulary_cut.h"

enum { COUNT = 10 };

START_TEST(the_lower_heap_is_left_out)
{
    static const real bias[COUNT] = {0.1F,   -0.3F, 0,      -0.02F, -0.25F,
                                     -0.35F, 0.02F, -0.01F, -0.28F, 0.05F};
    static const int32_t expected[] = {0, 2, 3, 6, 7, 9};
    int32_t ids[COUNT];
    ck_assert_uint_eq(tolk_vocabulary_cut(bias, COUNT, 0, ids), 6);
    ck_assert_mem_eq(ids, expected, sizeof expected);
}
END_TEST

START_TEST(what_is_needed_stays)
{
    static const real bias[COUNT] = {-0.3F, -0.3F, 0, 0, 0, 0, 0, 0, 0, 0};
    int32_t ids[COUNT];
    ck_assert_uint_eq(tolk_vocabulary_cut(bias, COUNT, 1, ids), COUNT - 1);
    ck_assert_int_eq(ids[0], 1);
}
END_TEST

START_TEST(equal_biases_leave_all)
{
    static const real bias[COUNT] = {0};
    int32_t ids[COUNT];
    ck_assert_uint_eq(tolk_vocabulary_cut(bias, COUNT, 0, ids), COUNT);
    ck_assert_int_eq(ids[COUNT - 1], COUNT - 1);
}
END_TEST

START_TEST(a_few_outliers_are_no_heap)
{
    static const real bias[COUNT] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    int32_t ids[COUNT];
    ck_assert_uint_eq(tolk_vocabulary_cut(bias, COUNT, 3, ids), COUNT);
}
END_TEST

TOLK_SUITE("vocabulary cut", a_few_outliers_are_no_heap, the_lower_heap_is_left_out,
           what_is_needed_stays, equal_biases_leave_all)
