#include "bench/measure.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double bench_now_ours(void)
{
    return seconds(omp_get_max_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

bool bench_asked(char *words, size_t room)
{
    if (fgets(words, (int)room, stdin) == NULL) {
        return false;
    }
    words[strcspn(words, "\n")] = '\0';
    return true;
}

void bench_answer(double amount, double seconds_taken)
{
    printf("%.9g %.9g\n", amount, seconds_taken);
    fflush(stdout);
}

void bench_note(const char *path, const char *label, double fraction)
{
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file != NULL) {
        fprintf(file, "%s\t%.4f\n", label, fraction);
        fclose(file);
    }
}
