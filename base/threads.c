#define _GNU_SOURCE /* sched_setaffinity; NOLINT(bugprone-reserved-identifier): its name */
#include "base/threads.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Where threads are bound to places (OMP_PROC_BIND, OMP_PLACES), libgomp has bound this one to the
 * first before main began, and the second start would know of no other. */
static void leave_the_place(void)
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    for (int place = 0; place < omp_get_num_places(); place++) {
        int ids[CPU_SETSIZE];
        const int count = omp_get_place_num_procs(place);
        if (count > CPU_SETSIZE) {
            return;
        }
        omp_get_place_proc_ids(place, ids);
        for (int i = 0; i < count; i++) {
            CPU_SET(ids[i], &processors);
        }
    }
    if (CPU_COUNT(&processors) > 0) {
        sched_setaffinity(0, sizeof processors, &processors);
    }
}

void tolk_threads_sleep_while_waiting(char **argv)
{
    char path[4096];
    if (getenv("OMP_WAIT_POLICY") != NULL) {
        return;
    }
    /* A short spin, 50 to 200 microseconds as processors' pauses go, catches the next region of the
     * same pass; the policy alone would put a thread to sleep at every end of a region. */
    setenv("GOMP_SPINCOUNT", "5000", 0);
    /* By its own path, so that the program keeps its name in the list of processes. */
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0 && setenv("OMP_WAIT_POLICY", "passive", 0) == 0) {
        path[length] = '\0';
        leave_the_place();
        execv(path, argv);
    }
}
