/* What the processor and its memory can do: the limits that the other programs compare with.
 *
 *     machine [THREADS…]
 *     machine --serve THREADS     a round of the float32 limit for each line on standard input */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/peak.h"
#include "model/isa.h"

enum { ROUNDS = 9, WORDS_BYTES = 80 };

static double median_of(double (*limit)(void))
{
    double values[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        values[round] = limit();
    }
    return bench_median(values, ROUNDS) / 1e9;
}

static double from_memory(void)
{
    return bench_bandwidth((size_t)256 << 20);
}

static double from_cache(void)
{
    return bench_bandwidth((size_t)16 << 20);
}

static void serve(void)
{
    char words[WORDS_BYTES];
    while (bench_asked(words, sizeof words)) {
        bench_answer(median_of(bench_peak) * 1e9, 1);
    }
}

int main(int argc, char **argv)
{
    struct tolk_error error;
    if (tolk_isa_choose(NULL, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (argc == 3 && strcmp(argv[1], "--serve") == 0) {
        omp_set_num_threads(atoi(argv[2]));
        serve();
        return 0;
    }
    printf("threads  float32  bfloat16     int8 GFLOP/s   256 MiB   16 MiB GB/s read\n");
    for (int i = 1; i < argc || i == 1; i++) {
        const int threads = argc > 1 ? atoi(argv[i]) : omp_get_num_procs();
        omp_set_num_threads(threads);
        printf("%7d  %7.1f  %8.1f %8.1f           %7.1f  %7.1f\n", threads, median_of(bench_peak),
               median_of(bench_peak_bfloat16), median_of(bench_peak_int8), median_of(from_memory),
               median_of(from_cache));
    }
    return 0;
}
