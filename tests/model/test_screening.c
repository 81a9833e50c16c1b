/* The greatest logits by screening against those of the whole product, on every instruction set. */
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/isa.h"
#include "model/kernels/int8.h"
#include "model/screening.h"
#include "tests/support/reference.h"

enum { ROWS = 9, NOBODY = -1 };

/* E [n, d], b [n] and rows h [ROWS, d]. */
struct outputs {
    size_t n, d;
    real *e, *b, *h;
};

/* Rows of h that resemble one row of E each, as a trained model's do, by `likeness`. */
static struct outputs outputs_of(size_t n, size_t d, double likeness)
{
    struct outputs x = {n, d, tolk_test_numbers(n * d, 1 / sqrt((double)d), 1),
                        tolk_test_numbers(n, 0.3, 2), tolk_test_numbers(ROWS * d, 1, 3)};
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t p = 0; p < d; p++) {
            x.h[r * d + p] += (real)likeness * x.e[r * 37 % n * d + p];
        }
    }
    return x;
}

static void outputs_free(struct outputs *x)
{
    free(x->e);
    free(x->b);
    free(x->h);
}

/* The first that is greatest, by comparing them all. */
static struct tolk_greatest greatest_of(const real *logits, size_t n, int32_t barred)
{
    struct tolk_greatest found = {-1, -INFINITY};
    for (size_t j = 0; j < n; j++) {
        if (logits[j] > found.logit && (int32_t)j != barred) {
            found = (struct tolk_greatest){(int32_t)j, logits[j]};
        }
    }
    return found;
}

static void assert_same(const struct tolk_greatest *found, const struct tolk_greatest *expected)
{
    for (size_t r = 0; r < ROWS; r++) {
        ck_assert_msg(found[r].id == expected[r].id &&
                          memcmp(&found[r].logit, &expected[r].logit, sizeof(real)) == 0,
                      "%s, row %zu: expected %d with %a, found %d with %a", tolk_isa()->name, r,
                      expected[r].id, (double)expected[r].logit, found[r].id,
                      (double)found[r].logit);
    }
}

/* Screens the rows by such a projection; whether that paid. `only` is the first row's greatest when
 * it is not NOBODY. */
static bool check_by(const struct tolk_panels *projection, const struct outputs *x, int32_t barred,
                     int32_t only)
{
    struct tolk_error error;
    struct tolk_greatest expected[ROWS], found[ROWS];
    void *const bytes = aligned_alloc(64, tolk_screening_bytes(x->n, x->d));
    real *const room = malloc((ROWS + 1) * x->n * sizeof *room);
    tolk_panels_multiply(projection, ROWS, x->h, x->d, x->b, false, room, x->n);
    for (size_t r = 0; r < ROWS; r++) {
        expected[r] = greatest_of(room + r * x->n, x->n, barred);
    }
    ck_assert(only == NOBODY || expected[0].id == only);
    struct tolk_screening *const screening =
        tolk_screening_make(projection, x->e, x->b, bytes, &error);
    ck_assert_ptr_nonnull(screening);
    const bool paid = tolk_screening_find(screening, ROWS, x->h, barred, room, found);
    assert_same(found, expected);
    tolk_screening_find_among_all(screening, ROWS, x->h, barred, room, found);
    assert_same(found, expected);
    tolk_screening_free(screening);
    free(room);
    free(bytes);
    return paid;
}

/* The same kept packed, put off, and in 8-bit integers, whose greatest may be another. */
static bool check(const struct outputs *x, int32_t barred, int32_t only)
{
    struct tolk_panels kept, deferred, bytes;
    void *const room = aligned_alloc(64, tolk_panels_bytes(TOLK_PANELS_REAL, x->n, x->d));
    void *const byte_room = aligned_alloc(64, tolk_panels_bytes(TOLK_PANELS_INT8, x->n, x->d));
    tolk_panels_pack(&kept, TOLK_PANELS_REAL, x->n, x->d, x->e, x->d, room);
    tolk_panels_defer(&deferred, x->n, x->d, x->e, x->d);
    tolk_panels_pack(&bytes, TOLK_PANELS_INT8, x->n, x->d, x->e, x->d, byte_room);
    const bool paid = check_by(&kept, x, barred, only);
    ck_assert_int_eq(check_by(&deferred, x, barred, only), paid);
    check_by(&bytes, x, barred, NOBODY);
    free(byte_room);
    free(room);
    return paid;
}

static void check_shapes(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    static const size_t shapes[][2] = {{1000, 256}, {331, 64}, {40, 21}, {17, 5}, {1, 3}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (int likeness = 0; likeness < 30; likeness += 10) {
            struct outputs x = outputs_of(shapes[s][0], shapes[s][1], likeness);
            const bool paid = check(&x, NOBODY, NOBODY);
            ck_assert(s > 0 || likeness == 0 || paid); /* else there is nothing in it */
            check(&x, 0, NOBODY);
            check(&x, (int32_t)(37 % x.n), NOBODY);
            outputs_free(&x);
        }
    }
}

START_TEST(the_greatest_is_that_of_the_whole_product)
{
    tolk_test_on_each_isa(check_shapes);
}
END_TEST

/* Rows that 8 bits do not tell apart: of equal ones the first, else the one that is greater. */
static void check_alike(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    struct outputs x = outputs_of(1000, 256, 20);
    memcpy(x.e + 700 * x.d, x.e, x.d * sizeof *x.e);
    x.b[700] = x.b[0] += 1;
    check(&x, NOBODY, 0);
    for (size_t p = 0; p < x.d; p++) {
        x.e[700 * x.d + p] += (real)1e-6 * x.h[p];
    }
    check(&x, NOBODY, 700);
    check(&x, 700, 0);
    for (size_t p = 0; p < x.d; p++) {
        x.e[700 * x.d + p] -= (real)2e-6 * x.h[p];
    }
    check(&x, NOBODY, 0);
    outputs_free(&x);
}

/* Equal logits of which 8 bits make now the one greater, now the other. */
static void check_ties(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    for (int i = 1; i < 20; i++) {
        struct outputs x = outputs_of(1000, 256, 20);
        memcpy(x.e + 700 * x.d, x.e, x.d * sizeof *x.e);
        x.b[700] = x.b[0] += 1;
        x.h[9] = 0;
        x.e[9] = (real)(0.3 * i);
        check(&x, NOBODY, 0);
        outputs_free(&x);
    }
}

START_TEST(logits_that_differ_little_are_told_apart)
{
    tolk_test_on_each_isa(check_alike);
    tolk_test_on_each_isa(check_ties);
}
END_TEST

/* Row 500 of E has the greatest logit by many small numbers that one outlier makes zeros of, in its
 * own row of 8-bit integers or in h's; what row 20 has is its own in 8 bits too. */
static void check_outlier(bool of_h)
{
    enum { OUTLIER = 9, OTHER = 10, BEST = 500, SECOND = 20 };
    const real lost = (real)0.49 / TOLK_INT8_LARGEST;
    struct outputs x = {1000, 256, tolk_test_numbers(256000, 1e-5, 1),
                        tolk_test_numbers(1000, 1e-5, 2),
                        tolk_test_numbers((size_t)ROWS * 256, 1e-5, 3)};
    for (size_t j = 0; j < x.n; j++) {
        x.e[j * x.d + OUTLIER] = 0;
    }
    for (size_t p = 0; p < x.d; p++) {
        x.e[BEST * x.d + p] = of_h ? 1 : lost;
        x.h[p] = of_h ? lost : 1;
    }
    x.e[BEST * x.d + OUTLIER] = of_h ? 0 : 1;
    x.e[BEST * x.d + OTHER] = 0;
    x.e[SECOND * x.d + OTHER] = (real)0.3;
    x.h[OUTLIER] = of_h ? 1 : 0;
    x.h[OTHER] = 1;
    check(&x, NOBODY, BEST);
    outputs_free(&x);
}

static void check_outliers(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    check_outlier(false);
    check_outlier(true);
}

START_TEST(what_is_quantised_badly_is_found)
{
    tolk_test_on_each_isa(check_outliers);
}
END_TEST

static void check_flat(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    struct outputs x = outputs_of(1000, 256, 20);
    for (size_t j = 1; j < x.n; j++) {
        memcpy(x.e + j * x.d, x.e, x.d * sizeof *x.e);
        x.b[j] = x.b[0];
    }
    ck_assert(!check(&x, NOBODY, 0));
    ck_assert(!check(&x, 0, 1));
    outputs_free(&x);
}

START_TEST(logits_that_are_all_alike_do_not_pay)
{
    tolk_test_on_each_isa(check_flat);
}
END_TEST

static void check_spoilt(const struct tolk_row_kernels *kernels)
{
    (void)kernels;
    const real bad[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct outputs x = outputs_of(331, 64, 20);
        x.b[7] = bad[i];
        check(&x, NOBODY, NOBODY);
        x.h[3 * x.d + 5] = bad[i];
        check(&x, NOBODY, NOBODY);
        x.e[45 * x.d + 1] = bad[i];
        check(&x, NOBODY, NOBODY);
        x.e[1] = bad[i];
        check(&x, NOBODY, NOBODY);
        outputs_free(&x);
    }
    /* In the same panels as the greatest. */
    for (size_t j = 0; j < 80; j++) {
        struct outputs x = outputs_of(331, 64, 20);
        x.b[j] = (real)NAN;
        check(&x, NOBODY, NOBODY);
        x.b[j] = 0;
        x.e[j * x.d + 3] = (real)NAN;
        check(&x, NOBODY, NOBODY);
        outputs_free(&x);
    }
    struct outputs x = outputs_of(331, 64, 20);
    for (size_t j = 0; j < x.n; j++) {
        x.b[j] = (real)-INFINITY;
    }
    check(&x, NOBODY, -1);
    outputs_free(&x);
}

START_TEST(nan_and_infinity_are_what_they_are_in_the_whole_product)
{
    tolk_test_on_each_isa(check_spoilt);
}
END_TEST

TOLK_SUITE("screening", the_greatest_is_that_of_the_whole_product,
           logits_that_differ_little_are_told_apart, what_is_quantised_badly_is_found,
           logits_that_are_all_alike_do_not_pay,
           nan_and_infinity_are_what_they_are_in_the_whole_product)
