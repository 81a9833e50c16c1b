/* The matrix products of a Transformer's step against the processor's limit, and against those of
 * other libraries.
 *
 *     gemm [--bfloat16] [--peers] [--notes FILE] [THREADS…]
 *
 * The limit is measured (bench/peak.h). It and all who multiply are run in turn, a row gives the
 * median of the rates and of their ratios to the limit of the same round. The totals weigh each
 * shape by how often a step of T or of B (bench/work.h) multiplies it. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/options.h"
#include "bench/blas.h"
#include "bench/measure.h"
#include "bench/peak.h"
#include "bench/work.h"
#include "model/isa.h"

enum { ROUNDS = 9, MOST_BLAS = 1 + BENCH_BLAS_MOST, NAME_BYTES = 80 };
enum { T, B, SIZES };

static const double OPERATIONS = 5e8; /* of a round */

/* A linear layer of n tokens, and how many of it a step has. */
struct shape {
    size_t n, out, in;
    double times[SIZES];
};

static const struct shape layers[] = {
    {1024, 256, 256, {12, 0}},  {1024, 768, 256, {6, 0}},   {1024, 512, 256, {3, 0}},
    {1024, 1024, 256, {6, 0}},  {1024, 256, 1024, {6, 0}},  {1024, 8000, 256, {1, 0}},
    {1024, 512, 512, {0, 24}},  {1024, 1536, 512, {0, 12}}, {1024, 1024, 512, {0, 6}},
    {1024, 2048, 512, {0, 12}}, {1024, 512, 2048, {0, 12}}, {1024, 8000, 512, {0, 1}},
};

/* One head's attention in a short sentence, and steps of decoding; no part of the totals. */
static const struct shape small_ones[] = {
    {16, 16, 64, {0, 0}},   {13, 11, 64, {0, 0}},   {1, 256, 256, {0, 0}},  {4, 256, 256, {0, 0}},
    {64, 256, 256, {0, 0}}, {1, 8000, 256, {0, 0}}, {4, 8000, 256, {0, 0}}, {64, 8000, 256, {0, 0}},
};

/* Who multiplies, ours first, and the seconds of all products so far with those the limit would
 * take. */
struct contest {
    struct bench_blas all[MOST_BLAS];
    size_t count;
    double seconds[MOST_BLAS][SIZES];
    double at_limit[MOST_BLAS][SIZES];
    double least; /* of ours in the layers, as a fraction */
};

struct operands {
    real *x, *w, *y;
};

static enum tolk_gemm_precision precision = TOLK_REAL;

static void by_tolk(const struct bench_product *p)
{
    tolk_gemm_in(precision, p->layout, p->mode, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, NULL,
                 p->c, p->ldc);
}

static struct bench_product product_of(const struct shape *s, enum tolk_gemm_layout layout,
                                       const struct operands *o)
{
    switch (layout) {
    case TOLK_NT:
        return (struct bench_product){layout, TOLK_STORE, s->n,  s->out, s->in, o->x,
                                      s->in,  o->w,       s->in, o->y,   s->out};
    case TOLK_NN:
        return (struct bench_product){layout, TOLK_STORE, s->n,  s->in, s->out, o->y,
                                      s->out, o->w,       s->in, o->x,  s->in};
    case TOLK_TN:
    default:
        return (struct bench_product){layout, TOLK_ACCUMULATE, s->out, s->in, s->n, o->y, s->out,
                                      o->x,   s->in,           o->w,   s->in};
    }
}

/* Values stay small however often the products run: x, w and y are filled anew for each row. */
static void fill(real *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (real)(1e-3 * ((double)(i * 2654435761u % 1000) / 1000 - 0.5));
    }
}

static void measure(struct contest *contest, const struct shape *s, enum tolk_gemm_layout layout,
                    const struct operands *o)
{
    static const char *const names[] = {"NN", "NT", "TN"};
    const struct bench_product product = product_of(s, layout, o);
    const double operations = 2.0 * (double)s->n * (double)s->out * (double)s->in;
    const size_t times = (size_t)(OPERATIONS / operations) + 1;
    double rates[MOST_BLAS][ROUNDS], ratios[MOST_BLAS][ROUNDS];
    fill(o->x, s->n * s->in), fill(o->w, s->out * s->in), fill(o->y, s->n * s->out);
    for (int round = 0; round < ROUNDS; round++) {
        const double limit = bench_peak();
        for (size_t who = 0; who < contest->count; who++) {
            contest->all[who].multiply(&product);
            const double start = bench_now_ours();
            for (size_t i = 0; i < times; i++) {
                contest->all[who].multiply(&product);
            }
            rates[who][round] = (double)times * operations / (bench_now_ours() - start);
            ratios[who][round] = rates[who][round] / limit;
        }
    }
    printf("%5zu %5zu %5zu  %s", s->n, s->out, s->in, names[layout]);
    for (size_t who = 0; who < contest->count; who++) {
        const double rate = bench_median(rates[who], ROUNDS);
        const double ratio = bench_median(ratios[who], ROUNDS);
        printf("  %8.1f %5.1f %%", rate / 1e9, 100 * ratio);
        for (int size = T; size <= B; size++) {
            contest->seconds[who][size] += s->times[size] * operations / rate;
            contest->at_limit[who][size] += s->times[size] * operations / rate * ratio;
        }
        if (who == 0 && s->times[T] + s->times[B] > 0 && ratio < contest->least) {
            contest->least = ratio;
        }
    }
    printf("\n");
    fflush(stdout);
}

static void measure_all(struct contest *contest, const struct shape *shapes, size_t count,
                        const struct operands *o)
{
    for (size_t i = 0; i < count; i++) {
        for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
            measure(contest, &shapes[i], (enum tolk_gemm_layout)layout, o);
        }
    }
}

static void print_total(const struct contest *contest, int size, int threads, const char *notes)
{
    printf("all of a step of %c     ", "TB"[size]);
    for (size_t who = 0; who < contest->count; who++) {
        const double ratio = contest->at_limit[who][size] / contest->seconds[who][size];
        char label[NAME_BYTES];
        snprintf(label, sizeof label, "%s%sproducts of %c, %d thread%s",
                 who > 0 ? contest->all[who].name : "", who > 0 ? ", " : "", "TB"[size], threads,
                 threads > 1 ? "s" : "");
        printf(" %5.1f %%         ", 100 * ratio);
        bench_note(notes, label, ratio);
    }
    printf("\n");
}

static void run(int threads, bool peers, const struct operands *o, const char *notes)
{
    struct contest contest = {.all = {{"tolk", by_tolk}}, .count = 1, .least = 1e9};
    omp_set_num_threads(threads);
    if (peers) {
        contest.count += bench_blas_load(contest.all + 1, threads);
    }
    printf("%s%s, %d threads, limit in float32 %.1f GFLOP/s\n    n   out    in    ",
           tolk_isa()->name, precision == TOLK_BFLOAT16 ? " bfloat16" : "", threads,
           bench_peak() / 1e9);
    for (size_t who = 0; who < contest.count; who++) {
        printf("  %16s", contest.all[who].name);
    }
    printf("  (GFLOP/s, of the limit)\n");
    measure_all(&contest, layers, sizeof layers / sizeof layers[0], o);
    print_total(&contest, T, threads, notes);
    print_total(&contest, B, threads, notes);
    printf("the slowest of these     %5.1f %%\n", 100 * contest.least);
    char label[NAME_BYTES];
    snprintf(label, sizeof label, "the slowest product, %d thread%s", threads,
             threads > 1 ? "s" : "");
    bench_note(notes, label, contest.least);
    measure_all(&contest, small_ones, sizeof small_ones / sizeof small_ones[0], o);
}

int main(int argc, char **argv)
{
    enum { ELEMENTS = 8000 * 1024 };
    struct tolk_error error;
    bool bfloat16 = false, peers = false;
    const char *notes = NULL;
    const struct tolk_option options[] = {
        TOLK_OPTION_FLAG("bfloat16", 0, "products of bfloat16", &bfloat16),
        TOLK_OPTION_FLAG("peers", 0, "OpenBLAS and oneDNN too, where they are", &peers),
        TOLK_OPTION_TEXT("notes", 0, "FILE", "add the fractions for bench/plot", &notes),
    };
    const struct tolk_command command = {"gemm", "[THREADS…]", "Times matrix products.\n", options,
                                         sizeof options / sizeof options[0]};
    int first = 0;
    if (tolk_options_parse(&command, argc, argv, &first, &error) != TOLK_OPTIONS_GOOD ||
        tolk_isa_choose(NULL, &error) != 0) {
        tolk_options_help(&command, stderr);
        return 2;
    }
    if (bfloat16 && !tolk_gemm_has_bfloat16()) {
        fprintf(stderr, "%s multiplies no bfloat16\n", tolk_isa()->name);
        return 1;
    }
    precision = bfloat16 ? TOLK_BFLOAT16 : TOLK_REAL;
    const struct operands o = {tolk_memory_take(ELEMENTS * sizeof(real)),
                               tolk_memory_take(ELEMENTS * sizeof(real)),
                               tolk_memory_take(ELEMENTS * sizeof(real))};
    if (o.x == NULL || o.w == NULL || o.y == NULL) {
        fprintf(stderr, "no memory\n");
        return 1;
    }
    for (int i = first; i < argc || i == first; i++) {
        run(i < argc ? atoi(argv[i]) : omp_get_num_procs(), peers, &o, notes);
    }
    free(o.x), free(o.w), free(o.y);
    return 0;
}
