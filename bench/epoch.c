/* Training on real sentences: updates spread evenly over an epoch, as tolk-train makes them.
 *
 *     epoch [--batches N] [--ids FILE] MODEL PAIRS.tsv [-- OPTIONS OF tolk-train]
 *     epoch --serve …
 *
 * MODEL gives the tokenizer alone. A round is N updates, the same each time; reading and encoding
 * the corpus is no part of it. --ids writes the pieces of all pairs, "1 2 3 0 | 4 5 0" a line, and
 * ends. With --serve a round is run for each line on standard input and answered by its tokens,
 * source and target, eos among them, and seconds. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/threads.h"
#include "bench/measure.h"
#include "model/config.h"
#include "model/isa.h"
#include "train/corpus.h"
#include "train/examples.h"
#include "train/learner.h"

enum { ROUNDS = 5, PATH_BYTES = 4096, MOST_WORDS = 64 };

struct epoch {
    struct tolk_training_options options;
    struct tolk_training_corpus corpus;
    struct tolk_codec *codec;
    struct tolk_learner learner;
    size_t batches;
};

/* The options of tolk-train with this corpus; what it must have besides is not used. */
static int parse(struct epoch *epoch, char *pairs, int count, char **words,
                 struct tolk_error *error)
{
    static char name[] = "tolk-train", output[] = "--output", unused[] = "unused";
    static char train_option[] = "--train", dev_option[] = "--dev";
    char *all[MOST_WORDS] = {name, output, unused, train_option, pairs, dev_option, pairs};
    int n = 7;
    for (int i = 0; i < count && n < MOST_WORDS - 1; i++) {
        all[n++] = words[i];
    }
    return tolk_training_options_parse(&epoch->options, n, all, error) == TOLK_OPTIONS_GOOD ? 0
                                                                                            : -1;
}

static int open_epoch(struct epoch *epoch, const char *model, struct tolk_error *error)
{
    char path[PATH_BYTES];
    struct tolk_config config;
    snprintf(path, sizeof path, "%s/config.json", model);
    if (tolk_config_load(&config, path, error) != 0 ||
        tolk_training_corpus_read(&epoch->corpus, &epoch->options, error) != 0) {
        return -1;
    }
    epoch->codec = tolk_codec_load(model, config.vocab_size, error);
    return epoch->codec == NULL ? -1
                                : tolk_learner_create(&epoch->learner, &epoch->options,
                                                      &epoch->corpus.train, epoch->codec, error);
}

static void close_epoch(struct epoch *epoch)
{
    tolk_learner_free(&epoch->learner);
    tolk_codec_free(epoch->codec);
    tolk_training_corpus_free(&epoch->corpus);
}

static void print_ids(FILE *file, const int32_t *ids, size_t count, char end)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s%d", i > 0 ? " " : "", (int)ids[i]);
    }
    fprintf(file, "%s", end == '|' ? " | " : "\n");
}

static int write_ids(const struct epoch *epoch, const char *path)
{
    const struct tolk_examples *e = &epoch->learner.examples;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    for (size_t i = 0; i < e->count; i++) {
        print_ids(file, e->source + e->source_begin[i], e->source_begin[i + 1] - e->source_begin[i],
                  '|');
        print_ids(file, e->target + e->target_begin[i], e->target_begin[i + 1] - e->target_begin[i],
                  '\n');
    }
    return fclose(file);
}

/* Updates that begin evenly spread over the epoch's batches; the tokens of all. */
static double train(struct epoch *epoch)
{
    static const double RATE = 1e-4;
    struct tolk_learner *learner = &epoch->learner;
    struct tolk_error error;
    double tokens = 0;
    for (size_t i = 0; i < epoch->batches; i++) {
        struct tolk_update update;
        learner->cursor.epoch = learner->planned;
        learner->cursor.batch = (int64_t)(i * learner->batches.count / epoch->batches);
        if (tolk_learner_update(learner, RATE, &update, &error) != 0) {
            fprintf(stderr, "%s\n", error.message);
            exit(1);
        }
        tokens += (double)update.tokens;
    }
    return tokens;
}

static void serve(struct epoch *epoch)
{
    char words[PATH_BYTES];
    while (bench_asked(words, sizeof words)) {
        const double start = bench_now(), tokens = train(epoch);
        bench_answer(tokens, bench_now() - start);
    }
}

static void measure(struct epoch *epoch)
{
    double rates[ROUNDS], tokens = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = bench_now();
        tokens = train(epoch);
        rates[round] = tokens / (bench_now() - start);
    }
    printf("%zu of %zu batches, %.0f tokens each: %.0f tokens/s\n", epoch->batches,
           epoch->learner.batches.count, tokens / (double)epoch->batches,
           bench_median(rates, ROUNDS));
}

int main(int argc, char **argv)
{
    tolk_threads_sleep_while_waiting(argv);
    static struct epoch epoch = {.batches = 40};
    struct tolk_error error;
    bool serves = false;
    const char *ids = NULL;
    const struct tolk_option options[] = {
        TOLK_OPTION_SIZE("batches", 0, "N", "updates in a round", &epoch.batches, 1, 1e6),
        TOLK_OPTION_TEXT("ids", 0, "FILE", "write the pieces there and end", &ids),
        TOLK_OPTION_FLAG("serve", 0, "a round for each line on standard input", &serves),
    };
    const struct tolk_command command = {"epoch", "MODEL PAIRS.tsv [-- OPTIONS OF tolk-train]",
                                         "Times training on real sentences.\n", options,
                                         sizeof options / sizeof options[0]};
    int first = 0, status = 1;
    if (tolk_options_parse(&command, argc, argv, &first, &error) != TOLK_OPTIONS_GOOD ||
        argc - first < 2 ||
        parse(&epoch, argv[first + 1], argc - first - 2, argv + first + 2, &error) != 0 ||
        tolk_isa_choose(NULL, &error) != 0) {
        tolk_options_help(&command, stderr);
        return 2;
    }
    if (epoch.options.threads > 0) {
        omp_set_num_threads((int)epoch.options.threads);
    }
    if (open_epoch(&epoch, argv[first], &error) != 0 ||
        tolk_learner_plan(&epoch.learner, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        goto out;
    }
    if (ids != NULL) {
        status = write_ids(&epoch, ids) == 0 ? 0 : 1;
        goto out;
    }
    train(&epoch);
    if (serves) {
        serve(&epoch);
    } else {
        measure(&epoch);
    }
    status = 0;
out:
    close_epoch(&epoch);
    return status;
}
