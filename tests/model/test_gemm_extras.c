/* What a product does along the way: a last step over finished rectangles, and the sums of A. */
#include "tests/support/suite.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/gemm.h"
#include "tests/support/reference.h"

enum { M = 131, N = 70, MOST_K = 1100 };

static real a[MOST_K * M], b[MOST_K * N], plain[M * N], c[M * N];

static void fill(void)
{
    real *numbers = tolk_test_numbers(MOST_K * (M + N), 1, 1);
    memcpy(a, numbers, sizeof a);
    memcpy(b, numbers + MOST_K * M, sizeof b);
    free(numbers);
}

/* Had a rectangle come twice, or before its last block of k, its numbers would differ. */
static void negate(const void *context, size_t row, size_t rows, size_t column, size_t columns)
{
    real *matrix = *(real *const *)context;
    for (size_t i = row; i < row + rows; i++) {
        for (size_t j = column; j < column + columns; j++) {
            matrix[i * N + j] = -1 - matrix[i * N + j];
        }
    }
}

START_TEST(each_number_is_finished_once_when_its_sum_is_complete)
{
    static const size_t depths[] = {0, 1, 64, MOST_K};
    real *const matrix = c;
    const struct tolk_gemm_extras extras = {.finish = negate, .context = &matrix};
    fill();
    for (size_t d = 0; d < 4; d++) {
        for (int threads = 1; threads <= 3; threads++) {
            const size_t k = depths[d];
            omp_set_num_threads(threads);
            tolk_gemm(TOLK_NN, TOLK_STORE, M, N, k, a, MOST_K, b, N, NULL, plain, N);
            tolk_gemm_with(&extras, TOLK_REAL, TOLK_NN, TOLK_STORE, M, N, k, a, MOST_K, b, N, NULL,
                           c, N);
            for (size_t i = 0; i < M * N; i++) {
                ck_assert(c[i] == -1 - plain[i]);
            }
        }
    }
}
END_TEST

/* The slower of two threads, which comes last and looks for what the other has left. */
static void dawdle(const void *context, size_t row, size_t rows, size_t column, size_t columns)
{
    negate(context, row, rows, column, columns);
    if (omp_get_thread_num() == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    }
}

START_TEST(a_thread_that_comes_late_repeats_nothing)
{
    static const size_t depths[] = {300, MOST_K};
    real *const matrix = c;
    const struct tolk_gemm_extras extras = {.finish = dawdle, .context = &matrix};
    fill();
    for (size_t d = 0; d < 2; d++) {
        const size_t k = depths[d];
        omp_set_num_threads(1);
        tolk_gemm(TOLK_TN, TOLK_STORE, M, N, k, a, M, b, N, NULL, plain, N);
        memset(c, 0, sizeof c);
        omp_set_num_threads(2);
        tolk_gemm_with(&extras, TOLK_REAL, TOLK_TN, TOLK_ACCUMULATE, M, N, k, a, M, b, N, NULL, c,
                       N);
        for (size_t i = 0; i < M * N; i++) {
            ck_assert(c[i] == -1 - plain[i]);
        }
    }
}
END_TEST

START_TEST(columns_of_a_are_summed_along_with_any_number_of_threads)
{
    static real sums[M], alone[M];
    fill();
    for (int threads = 1; threads <= 3; threads++) {
        const struct tolk_gemm_extras extras = {.sums = sums};
        omp_set_num_threads(threads);
        for (size_t i = 0; i < M; i++) {
            sums[i] = 2;
        }
        tolk_gemm_with(&extras, TOLK_REAL, TOLK_TN, TOLK_STORE, M, N, MOST_K, a, M, b, N, NULL, c,
                       N);
        for (size_t i = 0; threads == 1 && i < M; i++) {
            double sum = 2, magnitude = 2;
            for (size_t p = 0; p < MOST_K; p++) {
                sum += a[p * M + i], magnitude += a[p * M + i] < 0 ? -a[p * M + i] : a[p * M + i];
            }
            tolk_test_near("sum", i, sums[i], sum, magnitude, 40);
            alone[i] = sums[i];
        }
        ck_assert(memcmp(sums, alone, sizeof sums) == 0);
    }
}
END_TEST

TOLK_SUITE("extras of products", each_number_is_finished_once_when_its_sum_is_complete,
           a_thread_that_comes_late_repeats_nothing,
           columns_of_a_are_summed_along_with_any_number_of_threads)
