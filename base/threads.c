#include "base/threads.h"

#include <stdlib.h>
#include <unistd.h>

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
        execv(path, argv);
    }
}
