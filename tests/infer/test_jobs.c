#include "tests/support/suite.h"

#include <omp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "infer/jobs.h"

enum { JOBS = 60, THREADS = 4 };

/* What the jobs of a test saw, and which are to fail. */
struct seen {
    size_t times[JOBS];
    size_t thread[JOBS];
    int inner_threads[JOBS];
    size_t slow_failure; /* fails late, after others that come behind it */
    size_t first_quick_failure;
};

static int do_job(void *context, size_t job, size_t thread, struct tolk_error *error)
{
    static const useconds_t A_WHILE = 50000;
    struct seen *const seen = context;
    seen->times[job]++;
    seen->thread[job] = thread;
    seen->inner_threads[job] = omp_get_max_threads();
    if (job == seen->slow_failure) {
        usleep(A_WHILE);
        return tolk_error_set(error, "job %zu", job);
    }
    return job < seen->first_quick_failure ? 0 : tolk_error_set(error, "job %zu", job);
}

START_TEST(every_job_is_done_once)
{
    struct tolk_error error;
    struct seen seen = {.slow_failure = JOBS, .first_quick_failure = JOBS};
    omp_set_num_threads(THREADS);
    ck_assert_uint_eq(tolk_jobs_threads(JOBS), THREADS);
    ck_assert_uint_eq(tolk_jobs_threads(3), 3);
    ck_assert_uint_eq(tolk_jobs_threads(0), 1);
    ck_assert_int_eq(tolk_jobs_run(JOBS, THREADS, do_job, &seen, &error), 0);
    for (size_t i = 0; i < JOBS; i++) {
        ck_assert_uint_eq(seen.times[i], 1);
        ck_assert_uint_lt(seen.thread[i], THREADS);
        ck_assert_int_eq(seen.inner_threads[i], 1);
    }
    ck_assert_int_eq(tolk_jobs_run(0, 1, do_job, &seen, &error), 0);
}
END_TEST

START_TEST(a_job_alone_has_all_threads)
{
    struct tolk_error error;
    struct seen seen = {.slow_failure = JOBS, .first_quick_failure = JOBS};
    omp_set_num_threads(THREADS);
    ck_assert_int_eq(tolk_jobs_run(1, tolk_jobs_threads(1), do_job, &seen, &error), 0);
    ck_assert_int_eq(seen.inner_threads[0], THREADS);
    /* And after the jobs of several threads they are all there again. */
    ck_assert_int_eq(tolk_jobs_run(JOBS, THREADS, do_job, &seen, &error), 0);
    ck_assert_int_eq(omp_get_max_threads(), THREADS);
}
END_TEST

START_TEST(the_first_error_by_number_is_given)
{
    for (size_t threads = 1; threads <= THREADS; threads += THREADS - 1) {
        for (int again = 0; again < 5; again++) {
            struct tolk_error error;
            struct seen seen = {.slow_failure = 1, .first_quick_failure = 2};
            ck_assert_int_eq(tolk_jobs_run(JOBS, threads, do_job, &seen, &error), -1);
            ck_assert_str_eq(error.message, "job 1");
            ck_assert_uint_eq(seen.times[0], 1);
        }
    }
    struct tolk_error error;
    struct seen late = {.slow_failure = 3, .first_quick_failure = 2};
    ck_assert_int_eq(tolk_jobs_run(JOBS, THREADS, do_job, &late, &error), -1);
    ck_assert_str_eq(error.message, "job 2");
    struct seen seen = {.slow_failure = JOBS, .first_quick_failure = 7};
    ck_assert_int_eq(tolk_jobs_run(JOBS, THREADS, do_job, &seen, NULL), -1);
    for (size_t i = 0; i <= 7; i++) {
        ck_assert_uint_eq(seen.times[i], 1);
    }
    ck_assert_uint_eq(seen.times[JOBS - 1], 0);
}
END_TEST

START_TEST(within_a_parallel_region_there_is_one_thread)
{
    size_t most = 0;
    omp_set_num_threads(THREADS);
#pragma omp parallel reduction(max : most)
    most = tolk_jobs_threads(JOBS);
    ck_assert_uint_eq(most, 1);
}
END_TEST

TOLK_SUITE("jobs", every_job_is_done_once, a_job_alone_has_all_threads,
           the_first_error_by_number_is_given, within_a_parallel_region_there_is_one_thread)
