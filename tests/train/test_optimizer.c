#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "train/optimizer.h"

enum { MATRIX = 12, NUMBERS = 17, UPDATES = 12 };

/* A matrix of 3 × 4 and a bias of 5, as in tests/oracle/make_optimizer.py. */
static struct tolk_tensor small_tensors[] = {
    {.name = "matrix", .rank = 2, .shape = {3, 4}, .size = MATRIX, .offset = 0},
    {.name = "bias", .rank = 1, .shape = {5, 1}, .size = 5, .offset = MATRIX},
};
static const struct tolk_layout SMALL = {small_tensors, 2, NUMBERS};

static void read_numbers(FILE *file, double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(fscanf(file, "%lf", &numbers[i]), 1);
    }
}

static void assert_close(const real *found, const double *expected, size_t count, const char *what,
                         int update)
{
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(fabs(found[i] - expected[i]) < 2e-6, "%s[%zu] after update %d: %g, not %g",
                      what, i, update, (double)found[i], expected[i]);
    }
}

static void follow_pytorch(double average_decay)
{
    const struct tolk_optimizer_options options = {0.9, 0.98, 1e-9, 0.01, 1.0, average_decay};
    struct tolk_optimizer optimizer;
    struct tolk_error error;
    double numbers[NUMBERS];
    real values[NUMBERS];
    real gradients[NUMBERS];
    FILE *file = fopen(tolk_fixture("optimizer/adamw.txt"), "r");
    ck_assert_ptr_nonnull(file);
    read_numbers(file, numbers, NUMBERS);
    for (size_t i = 0; i < NUMBERS; i++) {
        values[i] = (real)numbers[i];
    }
    ck_assert_int_eq(tolk_optimizer_create(&optimizer, &SMALL, &options, values, &error), 0);
    for (int update = 1; update <= UPDATES; update++) {
        double rate = 0;
        double norm = 0;
        read_numbers(file, &rate, 1);
        read_numbers(file, &norm, 1);
        read_numbers(file, numbers, NUMBERS);
        for (size_t i = 0; i < NUMBERS; i++) {
            gradients[i] = (real)numbers[i];
        }
        const double found = tolk_optimizer_norm(&optimizer, gradients);
        ck_assert_double_eq_tol(found, norm, 1e-5);
        tolk_optimizer_update(&optimizer, (uint64_t)update, rate, found, values, gradients);
        read_numbers(file, numbers, NUMBERS);
        assert_close(values, numbers, NUMBERS, "value", update);
        read_numbers(file, numbers, NUMBERS);
        if (average_decay > 0) {
            assert_close(optimizer.average, numbers, NUMBERS, "average", update);
        } else {
            ck_assert_ptr_eq(optimizer.average, values);
        }
        for (size_t i = 0; i < NUMBERS; i++) {
            ck_assert_double_eq((double)gradients[i], 0);
        }
    }
    tolk_optimizer_free(&optimizer);
    fclose(file);
}

START_TEST(equals_adamw_of_pytorch)
{
    follow_pytorch(0.5);
}
END_TEST

START_TEST(without_a_decay_the_average_is_the_values)
{
    follow_pytorch(0);
}
END_TEST

START_TEST(norm_of_what_is_not_finite)
{
    const struct tolk_optimizer_options options = {0.9, 0.98, 1e-9, 0, 1, 0};
    struct tolk_optimizer optimizer;
    struct tolk_error error;
    real gradients[NUMBERS] = {0};
    ck_assert_int_eq(tolk_optimizer_create(&optimizer, &SMALL, &options, gradients, &error), 0);
    gradients[0] = 3;
    gradients[NUMBERS - 1] = 4;
    ck_assert_double_eq_tol(tolk_optimizer_norm(&optimizer, gradients), 5, 1e-12);
    gradients[MATRIX] = INFINITY;
    ck_assert(!isfinite(tolk_optimizer_norm(&optimizer, gradients)));
    gradients[MATRIX] = NAN;
    ck_assert(isnan(tolk_optimizer_norm(&optimizer, gradients)));
    tolk_optimizer_free(&optimizer);
}
END_TEST

enum { LARGE = 100003 };

/* Three updates of many numbers with so many threads. */
static void train_large(int threads, real *values)
{
    struct tolk_tensor tensor = {
        .name = "large", .rank = 2, .shape = {LARGE, 1}, .size = LARGE, .offset = 0};
    const struct tolk_layout layout = {&tensor, 1, LARGE};
    const struct tolk_optimizer_options options = {0.9, 0.98, 1e-9, 0.01, 0.5, 0.9};
    struct tolk_optimizer optimizer;
    struct tolk_error error;
    real *gradients = calloc(LARGE, sizeof(real));
    memset(values, 0, LARGE * sizeof(real));
    omp_set_num_threads(threads);
    ck_assert_int_eq(tolk_optimizer_create(&optimizer, &layout, &options, values, &error), 0);
    for (uint64_t update = 1; update <= 3; update++) {
        const struct tolk_random_key key = tolk_random_key(7, update, 0);
        for (uint32_t i = 0; i < LARGE; i++) {
            gradients[i] = (real)tolk_random_uniform(key, i) - (real)0.4;
        }
        const double norm = tolk_optimizer_norm(&optimizer, gradients);
        tolk_optimizer_update(&optimizer, update, 0.01, norm, values, gradients);
    }
    tolk_optimizer_free(&optimizer);
    free(gradients);
}

START_TEST(same_bits_for_any_number_of_threads)
{
    real *one = calloc(LARGE, sizeof(real));
    real *more = calloc(LARGE, sizeof(real));
    train_large(1, one);
    for (int threads = 2; threads <= 4; threads++) {
        train_large(threads, more);
        ck_assert_mem_eq(one, more, LARGE * sizeof(real));
    }
    free(one);
    free(more);
}
END_TEST

TOLK_SUITE("optimizer", equals_adamw_of_pytorch, without_a_decay_the_average_is_the_values,
           norm_of_what_is_not_finite, same_bits_for_any_number_of_threads)
