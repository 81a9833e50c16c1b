#include "bench/peak.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "bench/measure.h"
#include "model/isa.h"
#ifdef TOLK_HAVE_amx
#include "model/kernels/amx.h"
#endif
#include "model/real.h"

/* CHAINS independent sums hide the latency of an addition. */
enum { CHAINS = 12, STEPS = 400000, LINE = 64 };

/* The volatile factors keep the compiler from knowing the result. */
#define FLOAT_LOOP(name, bytes, ...)                                                               \
    __VA_ARGS__ static double name(void)                                                           \
    {                                                                                              \
        typedef real vector __attribute__((vector_size(bytes)));                                   \
        volatile real near_one = (real)0.999999, small = (real)1e-9;                               \
        vector x[CHAINS], scale = (vector){0} + near_one, add = (vector){0} + small;               \
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                                  \
        {                                                                                          \
            x[i] = scale;                                                                          \
        }                                                                                          \
        for (int step = 0; step < STEPS; step++) {                                                 \
            _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                              \
            {                                                                                      \
                x[i] = x[i] * scale + add;                                                         \
                __asm__ volatile("" : "+x"(x[i]));                                                 \
            }                                                                                      \
        }                                                                                          \
        volatile real sink = 0;                                                                    \
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                                  \
        {                                                                                          \
            sink = sink + x[i][0];                                                                 \
        }                                                                                          \
        return 2.0 * CHAINS * (bytes) / sizeof(real) * STEPS;                                      \
    }

/* Sums of products of short numbers: `step` adds `each` products to a vector. The compiler must
 * not know that the factor stays. */
#define SHORT_LOOP(name, type, factor_type, each, step, isa)                                       \
    __attribute__((target(isa))) static double name(void)                                          \
    {                                                                                              \
        type x[CHAINS] = {{0}};                                                                    \
        factor_type factor = {0};                                                                  \
        for (int round = 0; round < STEPS; round++) {                                              \
            _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                              \
            {                                                                                      \
                x[i] = step;                                                                       \
                __asm__ volatile("" : "+v"(x[i]), "+v"(factor));                                   \
            }                                                                                      \
        }                                                                                          \
        return 2.0 * CHAINS * (each)*STEPS;                                                        \
    }

FLOAT_LOOP(float_baseline, 16, )
#ifdef __x86_64__
FLOAT_LOOP(float_avx2, 32, __attribute__((target("avx2,fma"))))
FLOAT_LOOP(float_avx512, 64, __attribute__((target("avx512f,prefer-vector-width=512"))))
SHORT_LOOP(bfloat16_avx512, __m512, __m512i, 32,
           _mm512_dpbf16_ps(x[i], (__m512bh)factor, (__m512bh)factor),
           "avx512f,avx512bf16,prefer-vector-width=512")
SHORT_LOOP(int8_avx512, __m512i, __m512i, 64, _mm512_dpbusd_epi32(x[i], factor, factor),
           "avx512f,avx512vnni,prefer-vector-width=512")
SHORT_LOOP(int8_avx2, __m256i, __m256i, 32,
           _mm256_add_epi32(x[i], _mm256_madd_epi16(_mm256_maddubs_epi16(factor, factor), factor)),
           "avx2")
#endif

#ifdef TOLK_HAVE_amx
/* Four sums hide the latency here; no compiler moves or drops what stands for these instructions.
 */
__attribute__((target("amx-tile,amx-bf16"))) static double bfloat16_amx(void)
{
    enum { TILES = 4, TILE_STEPS = STEPS / 4, SIDE = 16, DEPTH = 32 };
    tolk_amx_begin();
    for (int step = 0; step < TILE_STEPS; step++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    tolk_amx_end();
    return 2.0 * SIDE * SIDE * DEPTH * TILES * TILE_STEPS;
}
#endif

static double rate(double (*loop)(void))
{
    double operations = 0, start = bench_now_ours();
#pragma omp parallel reduction(+ : operations)
    operations += loop();
    return operations / (bench_now_ours() - start);
}

double bench_peak(void)
{
    double (*loop)(void) = float_baseline;
#ifdef __x86_64__
    const char *isa = tolk_isa()->name;
    loop = strncmp(isa, "avx512", 6) == 0 || strcmp(isa, "amx") == 0 ? float_avx512
           : strcmp(isa, "avx2") == 0                                ? float_avx2
                                                                     : float_baseline;
#endif
    return rate(loop);
}

double bench_peak_bfloat16(void)
{
#ifdef __x86_64__
#ifdef TOLK_HAVE_amx
    if (strcmp(tolk_isa()->name, "amx") == 0) {
        return rate(bfloat16_amx);
    }
#endif
    if (__builtin_cpu_supports("avx512bf16")) {
        return rate(bfloat16_avx512);
    }
#endif
    return 0;
}

double bench_peak_int8(void)
{
#ifdef __x86_64__
    if (strcmp(tolk_isa()->name, "avx2") == 0) {
        return rate(int8_avx2);
    }
    if (__builtin_cpu_supports("avx512vnni")) {
        return rate(int8_avx512);
    }
#endif
    return 0;
}

/* Eight sums: as many lines under way at once as the processor can have. */
static uint64_t read_all(const uint64_t *words, size_t count)
{
    enum { SUMS = 8 };
    uint64_t sums[SUMS] = {0}, sum = 0;
    for (size_t i = 0; i + SUMS <= count; i += SUMS) {
        for (int s = 0; s < SUMS; s++) {
            sums[s] += words[i + (size_t)s];
        }
    }
    for (int s = 0; s < SUMS; s++) {
        sum += sums[s];
    }
    return sum;
}

double bench_bandwidth(size_t bytes)
{
    enum { READ = 1 << 30 };
    const size_t threads = (size_t)omp_get_max_threads();
    const size_t part = bytes / threads / LINE * LINE;
    const size_t times = READ / bytes + 1;
    char *buffer = aligned_alloc(LINE, part * threads);
    volatile uint64_t sink = 0;
    uint64_t sum = 0;
    if (buffer == NULL) {
        return 0;
    }
    double start = 0;
#pragma omp parallel reduction(+ : sum)
    {
        char *mine = buffer + part * (size_t)omp_get_thread_num();
        memset(mine, 1, part);
#pragma omp barrier
#pragma omp master
        start = bench_now();
        for (size_t i = 0; i < times; i++) {
            sum += read_all((const uint64_t *)(const void *)mine, part / sizeof(uint64_t));
            __asm__ volatile("" ::: "memory");
        }
    }
    const double seconds = bench_now() - start;
    sink = sum;
    (void)sink;
    free(buffer);
    return (double)times * (double)(part * threads) / seconds;
}
