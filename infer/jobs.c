#include "infer/jobs.h"

#include <omp.h>

size_t tolk_jobs_threads(size_t count)
{
    const size_t most = omp_in_parallel() ? 1 : (size_t)omp_get_max_threads();
    return count < 1 ? 1 : count < most ? count : most;
}

static int run_alone(size_t count, tolk_job *job, void *context, struct tolk_error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = job(context, i, 0, error);
    }
    return status;
}

int tolk_jobs_run(size_t count, size_t threads, tolk_job *job, void *context,
                  struct tolk_error *error)
{
    if (threads <= 1) {
        return run_alone(count, job, context, error);
    }
    size_t failed = count; /* the first job that did */
#pragma omp parallel num_threads((int)threads)
    {
        /* Within a job nothing is divided further, and room for one thread is enough. */
        omp_set_num_threads(1);
#pragma omp for schedule(monotonic : dynamic)
        for (size_t i = 0; i < count; i++) {
            struct tolk_error own;
            size_t known;
#pragma omp atomic read
            known = failed;
            /* A job in front of the one that failed may fail too, and is then the first. */
            if (i < known && job(context, i, (size_t)omp_get_thread_num(), &own) != 0) {
#pragma omp critical(tolk_jobs_failed)
                if (i < failed) {
#pragma omp atomic write
                    failed = i;
                    if (error != NULL) {
                        *error = own;
                    }
                }
            }
        }
    }
    return failed < count ? -1 : 0;
}
