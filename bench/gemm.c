/* The matrix products of a Transformer's step against the processor's limit.
 *
 *     build/bench/gemm [--bfloat16] [THREADS...]
 *
 * The limit is measured, not computed: a loop of fused multiply-adds that touches registers alone.
 * It is run in turn with each product, since the clock and the neighbours of a machine change
 * meanwhile; a row gives the median of the rates and of their ratios to the limit next to them. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/gemm.h"
#include "model/isa.h"

enum { ROUNDS = 9, CHAINS = 12, PEAK_STEPS = 400000 };
static const double OPERATIONS = 5e8;

/* One thread is measured in processor time, in which the other programs of the machine do not
 * count. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(omp_get_max_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* CHAINS independent sums hide the latency of an addition. The volatile factors keep the compiler
 * from knowing the result. */
#define PEAK(name, bytes, ...)                                                                     \
    __VA_ARGS__ static double name(void)                                                           \
    {                                                                                              \
        typedef real vector __attribute__((vector_size(bytes)));                                   \
        volatile real near_one = (real)0.999999, small = (real)1e-9;                               \
        vector x[CHAINS], scale = (vector){0} + near_one, add = (vector){0} + small;               \
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                                  \
        {                                                                                          \
            x[i] = scale;                                                                          \
        }                                                                                          \
        for (int step = 0; step < PEAK_STEPS; step++) {                                            \
            _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                              \
            {                                                                                      \
                x[i] = x[i] * scale + add;                                                         \
                __asm__("" : "+x"(x[i]));                                                          \
            }                                                                                      \
        }                                                                                          \
        volatile real sink = 0;                                                                    \
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                                  \
        {                                                                                          \
            sink = sink + x[i][0];                                                                 \
        }                                                                                          \
        return 2.0 * CHAINS * (bytes) / sizeof(real) * PEAK_STEPS;                                 \
    }

PEAK(peak_baseline, 16, )
#ifdef __x86_64__
PEAK(peak_avx2, 32, __attribute__((target("avx2,fma"))))
PEAK(peak_avx512, 64, __attribute__((target("avx512f,prefer-vector-width=512"))))
#endif

/* Operations a second that all threads together reach in registers. */
static double peak(void)
{
    double (*loop)(void) = peak_baseline;
#ifdef __x86_64__
    const char *isa = tolk_isa()->name;
    loop = strncmp(isa, "avx512", 6) == 0 ? peak_avx512
           : strcmp(isa, "avx2") == 0     ? peak_avx2
                                          : peak_baseline;
#endif
    double operations = 0, start = seconds();
#pragma omp parallel reduction(+ : operations)
    operations += loop();
    return operations / (seconds() - start);
}

struct shape {
    size_t n, out, in;
};

/* The linear layers of d_model 256 and 512, a batch of 1024 tokens. */
static const struct shape layers[] = {
    {1024, 256, 256},  {1024, 768, 256},  {1024, 512, 256},  {1024, 1024, 256},
    {1024, 256, 1024}, {1024, 8000, 256}, {1024, 512, 512},  {1024, 1536, 512},
    {1024, 2048, 512}, {1024, 512, 2048}, {1024, 8000, 512},
};

/* One head's attention in a short sentence, and steps of decoding; no part of the total. */
static const struct shape small_ones[] = {
    {16, 16, 64},   {13, 11, 64},   {1, 256, 256},  {4, 256, 256},
    {64, 256, 256}, {1, 8000, 256}, {4, 8000, 256}, {64, 8000, 256},
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static enum tolk_gemm_precision precision = TOLK_REAL;

static void run(const struct shape *s, enum tolk_gemm_layout layout, real *x, real *w, real *y)
{
    switch (layout) {
    case TOLK_NT:
        tolk_gemm_in(precision, TOLK_NT, TOLK_STORE, s->n, s->out, s->in, x, s->in, w, s->in, NULL,
                     y, s->out);
        break;
    case TOLK_NN:
        tolk_gemm_in(precision, TOLK_NN, TOLK_STORE, s->n, s->in, s->out, y, s->out, w, s->in, NULL,
                     x, s->in);
        break;
    case TOLK_TN:
        tolk_gemm_in(precision, TOLK_TN, TOLK_ACCUMULATE, s->out, s->in, s->n, y, s->out, x, s->in,
                     NULL, w, s->in);
        break;
    }
}

/* Values stay small however often the products run: x, w and y are filled anew for each row. */
static void fill(real *values, size_t count, double scale)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (real)(scale * ((double)(i * 2654435761u % 1000) / 1000 - 0.5));
    }
}

/* Seconds of all rounds' medians and the operations, added to a total of ours and of the limit. */
static void measure(const struct shape *s, enum tolk_gemm_layout layout, real *x, real *w, real *y,
                    double total[2])
{
    static const char *const names[] = {"NN", "NT", "TN"};
    double rates[ROUNDS], ratios[ROUNDS];
    double operations = 2.0 * (double)s->n * (double)s->out * (double)s->in;
    size_t times = (size_t)(OPERATIONS / operations) + 1;
    fill(x, s->n * s->in, 1e-3), fill(w, s->out * s->in, 1e-3), fill(y, s->n * s->out, 1e-3);
    run(s, layout, x, w, y);
    for (int round = 0; round < ROUNDS; round++) {
        double limit = peak(), start = seconds();
        for (size_t i = 0; i < times; i++) {
            run(s, layout, x, w, y);
        }
        rates[round] = (double)times * operations / (seconds() - start);
        ratios[round] = rates[round] / limit;
    }
    double rate = median(rates, ROUNDS), ratio = median(ratios, ROUNDS);
    printf("%5zu %5zu %5zu  %s  %7.1f  %5.1f %%\n", s->n, s->out, s->in, names[layout], rate / 1e9,
           100 * ratio);
    fflush(stdout);
    total[0] += operations / rate;
    total[1] += operations / rate * ratio;
}

static void measure_all(const struct shape *shapes, size_t count, real *x, real *w, real *y,
                        double total[2])
{
    for (size_t i = 0; i < count; i++) {
        for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
            measure(&shapes[i], (enum tolk_gemm_layout)layout, x, w, y, total);
        }
    }
}

int main(int argc, char **argv)
{
    enum { ELEMENTS = 8000 * 1024 };
    struct tolk_error error;
    if (tolk_isa_choose(NULL, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    real *x = aligned_alloc(64, ELEMENTS * sizeof *x), *w = aligned_alloc(64, ELEMENTS * sizeof *w);
    real *y = aligned_alloc(64, ELEMENTS * sizeof *y);
    if (x == NULL || w == NULL || y == NULL) {
        fprintf(stderr, "no memory\n");
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "--bfloat16") == 0) {
        if (!tolk_gemm_has_bfloat16()) {
            fprintf(stderr, "%s multiplies no bfloat16\n", tolk_isa()->name);
            return 1;
        }
        precision = TOLK_BFLOAT16;
        argc--, argv++;
    }
    for (int i = 1; i < argc || i == 1; i++) {
        int threads = argc > 1 ? atoi(argv[i]) : omp_get_num_procs();
        double total[2] = {0, 0};
        omp_set_num_threads(threads);
        printf("%s%s, %d threads, limit in float32 %.1f GFLOP/s\n", tolk_isa()->name,
               precision == TOLK_BFLOAT16 ? " bfloat16" : "", threads, peak() / 1e9);
        printf("    n   out    in       GFLOP/s  of that limit\n");
        measure_all(layers, sizeof layers / sizeof layers[0], x, w, y, total);
        printf("total                           %5.1f %%\n", 100 * total[1] / total[0]);
        measure_all(small_ones, sizeof small_ones / sizeof small_ones[0], x, w, y, total);
    }
    free(x), free(w), free(y);
    return 0;
}
