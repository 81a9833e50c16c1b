#include "tests/support/suite.h"

#include <string.h>

#include "infer/aer.h"

static void add(struct tolk_aer *aer, const char *found, const char *gold)
{
    struct tolk_links a = {0}, g = {0};
    ck_assert_int_eq(tolk_links_parse(found, strlen(found), SIZE_MAX, SIZE_MAX, "found", &a, NULL),
                     0);
    ck_assert_int_eq(tolk_links_parse(gold, strlen(gold), SIZE_MAX, SIZE_MAX, "gold", &g, NULL), 0);
    tolk_aer_add(aer, &a, &g);
    tolk_links_free(&a);
    tolk_links_free(&g);
}

START_TEST(follows_the_definition)
{
    struct tolk_aer aer = {0};
    add(&aer, "0-0 1-1 2-3 4p4", "0-0 1-1 1p2 2p3 3-4");
    ck_assert_uint_eq(aer.links, 4);
    ck_assert_uint_eq(aer.sure, 3);
    ck_assert_uint_eq(aer.sure_found, 2);
    ck_assert_uint_eq(aer.possible_found, 3);
    ck_assert_double_eq_tol(tolk_aer_rate(&aer), 1 - 5.0 / 7, 1e-12);
    ck_assert_double_eq_tol(tolk_aer_precision(&aer), 3.0 / 4, 1e-12);
    ck_assert_double_eq_tol(tolk_aer_recall(&aer), 2.0 / 3, 1e-12);
}
END_TEST

START_TEST(sums_over_sentences)
{
    struct tolk_aer aer = {0};
    add(&aer, "0-0", "0-0 1-1");
    add(&aer, "", "0-0");
    add(&aer, "5-5 0-0", "");
    ck_assert_double_eq_tol(tolk_aer_rate(&aer), 1 - 2.0 / 6, 1e-12);
    ck_assert_double_eq_tol(tolk_aer_precision(&aer), 1.0 / 3, 1e-12);
    ck_assert_double_eq_tol(tolk_aer_recall(&aer), 1.0 / 3, 1e-12);
}
END_TEST

START_TEST(knows_its_ends)
{
    struct tolk_aer none = {0}, all = {0}, wrong = {0};
    ck_assert(tolk_aer_rate(&none) == 0);
    ck_assert(tolk_aer_precision(&none) == 1);
    ck_assert(tolk_aer_recall(&none) == 1);
    /* Leaving a possible link out costs nothing. */
    add(&all, "0-0 1-1", "0-0 1-1 1p2");
    ck_assert(tolk_aer_rate(&all) == 0);
    add(&wrong, "0-1", "0-0");
    ck_assert(tolk_aer_rate(&wrong) == 1);
}
END_TEST

TOLK_SUITE("aer", follows_the_definition, sums_over_sentences, knows_its_ends)
