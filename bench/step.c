/* Full training steps of the reference work (bench/work.h): forward, loss with label smoothing,
 * backward, clipping by the global norm, Adam.
 *
 *     step [--threads N] [--precision float32|bfloat16] [--notes FILE] [T|B]
 *     step --serve …
 *
 * Each round runs the processor's limit and then some steps. With --serve a round is run for each
 * line on standard input, without the limit, and answered by its steps and seconds. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/threads.h"
#include "bench/measure.h"
#include "bench/peak.h"
#include "bench/work.h"
#include "model/gemm.h"
#include "model/isa.h"
#include "model/transformer.h"
#include "train/optimizer.h"

enum { ROUNDS = 7, PARTS = 4, NAME_BYTES = 80 };

static const char *const PART_NAMES[PARTS] = {"forward", "loss", "backward", "optimiser"};
static const double ROUND_SECONDS = 0.8; /* about so long is a round */

struct step {
    struct tolk_model model;
    struct tolk_workspace *workspace;
    real *gradients;
    struct tolk_weights views;
    struct tolk_optimizer optimizer;
    struct tolk_batch batch;
    double operations;
    uint64_t updates;
};

static int create(struct step *step, char size, enum tolk_gemm_precision precision,
                  struct tolk_error *error)
{
    const struct tolk_config config = bench_config(size);
    const struct tolk_optimizer_options adam = {
        .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9, .clip = 1};
    *step = (struct step){.batch = bench_batch()};
    step->operations = bench_step_operations(&config, &step->batch);
    if (tolk_model_create(&step->model, &config, 1, error) != 0 ||
        tolk_optimizer_create(&step->optimizer, &step->model.layout, &adam, step->model.values,
                              error) != 0) {
        return -1;
    }
    step->workspace = tolk_workspace_create(&step->model, error);
    step->gradients = tolk_memory_take_zeroed(step->model.layout.size * sizeof(real));
    if (step->workspace == NULL || step->gradients == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    tolk_workspace_set_precision(step->workspace, precision);
    if (tolk_workspace_reserve(step->workspace, &step->batch, TOLK_TRAINING, error) != 0) {
        return -1;
    }
    return tolk_weights_bind(&step->views, &config, step->gradients, error);
}

static void destroy(struct step *step)
{
    tolk_weights_free(&step->views);
    tolk_optimizer_free(&step->optimizer);
    tolk_workspace_free(step->workspace);
    tolk_model_free(&step->model);
    free(step->gradients);
}

/* Adds the seconds of each part. */
static void run(struct step *step, double parts[PARTS])
{
    static const double SMOOTHING = 0.1, RATE = 1e-4;
    double times[PARTS + 1] = {bench_now_ours()};
    tolk_transformer_forward(&step->model, &step->batch, NULL, step->workspace);
    times[1] = bench_now_ours();
    const struct tolk_loss loss =
        tolk_transformer_loss(&step->model, &step->batch, SMOOTHING, step->workspace);
    times[2] = bench_now_ours();
    tolk_transformer_backward(&step->model, &step->batch, NULL, 1.0 / (double)loss.tokens,
                              step->workspace, &step->views);
    times[3] = bench_now_ours();
    const double norm = tolk_optimizer_norm(&step->optimizer, step->gradients);
    tolk_optimizer_update(&step->optimizer, ++step->updates, RATE, norm, step->model.values,
                          step->gradients);
    times[4] = bench_now_ours();
    for (int p = 0; p < PARTS; p++) {
        parts[p] += times[p + 1] - times[p];
    }
}

/* How many steps make a round; the first steps, which touch the memory, are not counted. */
static int steps_of_round(struct step *step)
{
    double parts[PARTS] = {0};
    run(step, parts);
    const double start = bench_now();
    run(step, parts);
    return (int)(ROUND_SECONDS / (bench_now() - start)) + 1;
}

static void serve(struct step *step, int count)
{
    char words[NAME_BYTES];
    double parts[PARTS] = {0};
    while (bench_asked(words, sizeof words)) {
        const double start = bench_now();
        for (int i = 0; i < count; i++) {
            run(step, parts);
        }
        bench_answer(count, bench_now() - start);
    }
}

static void measure(struct step *step, int count, const char *name, const char *notes)
{
    double seconds[PARTS][ROUNDS], totals[ROUNDS], fractions[ROUNDS], limits[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double parts[PARTS] = {0}, total = 0;
        limits[round] = bench_peak();
        for (int i = 0; i < count; i++) {
            run(step, parts);
        }
        for (int p = 0; p < PARTS; p++) {
            seconds[p][round] = parts[p] / count;
            total += parts[p] / count;
        }
        totals[round] = total;
        fractions[round] = step->operations / total / limits[round];
    }
    const double total = bench_median(totals, ROUNDS), fraction = bench_median(fractions, ROUNDS);
    printf("%-28s", name);
    for (int p = 0; p < PARTS; p++) {
        printf(" %s %6.1f ", PART_NAMES[p], 1e3 * bench_median(seconds[p], ROUNDS));
    }
    printf(" step %6.1f ms  %6.1f GFLOP/s  %5.1f %% of %.1f\n", 1e3 * total,
           step->operations / total / 1e9, 100 * fraction, bench_median(limits, ROUNDS) / 1e9);
    bench_note(notes, name, fraction);
}

int main(int argc, char **argv)
{
    tolk_threads_sleep_while_waiting(argv);
    struct tolk_error error;
    size_t threads = (size_t)omp_get_max_threads(), precision = TOLK_REAL;
    bool serves = false;
    const char *notes = NULL;
    const struct tolk_option options[] = {
        TOLK_OPTION_SIZE("threads", 't', "N", "OpenMP threads", &threads, 1, 1024),
        TOLK_OPTION_CHOICE("precision", 0, "float32|bfloat16", "of the products", &precision),
        TOLK_OPTION_FLAG("serve", 0, "a round for each line on standard input", &serves),
        TOLK_OPTION_TEXT("notes", 0, "FILE", "add the fraction for bench/plot", &notes),
    };
    const struct tolk_command command = {"step", "[T|B]", "Times full training steps.\n", options,
                                         sizeof options / sizeof options[0]};
    int first = 0;
    if (tolk_options_parse(&command, argc, argv, &first, &error) != TOLK_OPTIONS_GOOD ||
        tolk_isa_choose(NULL, &error) != 0) {
        tolk_options_help(&command, stderr);
        return 2;
    }
    const char *const wanted = first < argc ? argv[first] : "T";
    if (argc - first > 1 || (strcmp(wanted, "T") != 0 && strcmp(wanted, "B") != 0)) {
        tolk_options_help(&command, stderr);
        return 2;
    }
    const char size = wanted[0];
    if (precision == TOLK_BFLOAT16 && !tolk_gemm_has_bfloat16()) {
        fprintf(stderr, "%s multiplies no bfloat16\n", tolk_isa()->name);
        return 1;
    }
    omp_set_num_threads((int)threads);
    struct step step;
    if (create(&step, size, (enum tolk_gemm_precision)precision, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "step %c, %s, %zu thread%s", size,
             precision == TOLK_BFLOAT16 ? "bfloat16" : "float32", threads, threads > 1 ? "s" : "");
    const int count = steps_of_round(&step);
    if (serves) {
        serve(&step, count);
    } else {
        measure(&step, count, name, notes);
    }
    destroy(&step);
    return 0;
}
