/* Translates a file again and again, with the model loaded and warm.
 *
 *     translate [--beam N] [--threads N] [--precision float32|int8] [--single] MODEL TEXT
 *     translate --serve …
 *
 * Text in, text out: tokenizer and detokenizer are part of the time. With --single each sentence is
 * a batch of its own: one at a time, by each thread. With --serve a round is run for each line on
 * standard input and answered by the pieces found (eos among them) and seconds. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/threads.h"
#include "bench/measure.h"
#include "bench/peak.h"
#include "bench/work.h"
#include "corpora/lines.h"
#include "infer/command.h"
#include "infer/translator.h"
#include "model/isa.h"

enum { ROUNDS = 5, NAME_BYTES = 96, MOST_SENTENCES = 10000 };

struct text {
    char *lines[MOST_SENTENCES];
    size_t count;
};

struct work {
    struct tolk_session session;
    struct tolk_translator *translator;
    struct text text;
    struct tolk_translated *results; /* [text.count] */
    bool single;
    double source_pieces; /* eos among them */
};

struct wishes {
    size_t beam;
    size_t sentences;    /* of the text, the first so many */
    size_t batch_tokens; /* source pieces in a batch */
    size_t precision;    /* enum tolk_panels_format */
};

static int text_read(struct text *text, const char *path, size_t most, struct tolk_error *error)
{
    struct tolk_lines lines;
    int got = 0;
    if (tolk_lines_open(&lines, path, error) != 0) {
        return -1;
    }
    while (text->count < most && (got = tolk_lines_next(&lines, error)) > 0) {
        text->lines[text->count++] = strdup(lines.text);
    }
    tolk_lines_close(&lines);
    return got < 0 ? -1 : 0;
}

static void forget(struct work *work)
{
    for (size_t i = 0; i < work->text.count; i++) {
        tolk_translated_free(&work->results[i]);
    }
}

/* Pieces found, eos among them; the translations stay until they are forgotten. */
static double translate(struct work *work)
{
    const char *const *lines = (const char *const *)work->text.lines;
    struct tolk_error error;
    const size_t count = work->text.count;
    double pieces = 0;
    if (tolk_translator_run(work->translator, lines, count, work->results, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    work->source_pieces = 0;
    for (size_t i = 0; i < count; i++) {
        pieces += (double)work->results[i].items[0].sentence.pieces + 1;
        work->source_pieces += (double)work->results[i].source.pieces + 1;
    }
    return pieces;
}

static void serve(struct work *work)
{
    char words[NAME_BYTES];
    while (bench_asked(words, sizeof words)) {
        const double start = bench_now(), pieces = translate(work);
        bench_answer(pieces, bench_now() - start);
        forget(work);
    }
}

/* Pieces a second. The limit of a batch is the processor's peak, 0 where none is known; that of one
 * sentence the bandwidth, at which each step reads the weights of the decoder once. */
static double limit(const struct work *work, const struct wishes *wishes, double pieces)
{
    const struct tolk_config *config = &work->session.model.config;
    const bool bytes = wishes->precision == TOLK_PANELS_INT8;
    if (work->single) {
        const double read =
            (double)(bench_decoder_weights(config) * (bytes ? sizeof(int8_t) : sizeof(real)));
        return bench_bandwidth((size_t)read) / read;
    }
    return (bytes ? bench_peak_int8() : bench_peak()) * pieces /
           bench_translation_operations(config, work->source_pieces, pieces, (double)wishes->beam);
}

static void measure(struct work *work, const struct wishes *wishes, const char *name,
                    const char *notes)
{
    double rates[ROUNDS], fractions[ROUNDS], limits[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        const double start = bench_now(), pieces = translate(work);
        rates[round] = pieces / (bench_now() - start);
        limits[round] = limit(work, wishes, pieces);
        fractions[round] = limits[round] > 0 ? rates[round] / limits[round] : 0;
        forget(work);
    }
    const double fraction = bench_median(fractions, ROUNDS);
    printf("%-48s %8.0f pieces/s", name, bench_median(rates, ROUNDS));
    if (fraction > 0) {
        printf("  %5.1f %% of %8.0f, the %s's", 100 * fraction, bench_median(limits, ROUNDS),
               work->single ? "bandwidth" : "peak");
        bench_note(notes, name, fraction);
    }
    printf("\n");
}

static int write_output(struct work *work, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    translate(work);
    for (size_t i = 0; i < work->text.count; i++) {
        fprintf(file, "%s\n", work->results[i].items[0].sentence.text);
    }
    forget(work);
    return fclose(file);
}

static int open_work(struct work *work, const char *model, const char *text,
                     const struct wishes *wishes, struct tolk_error *error)
{
    struct tolk_settings settings = tolk_settings_default();
    settings.precision = wishes->precision;
    if (tolk_session_open(&work->session, model, &settings, error) != 0 ||
        text_read(&work->text, text, wishes->sentences, error) != 0) {
        return -1;
    }
    struct tolk_translator_options options =
        tolk_translator_options_default(&work->session.model.config);
    options.search.beam = wishes->beam;
    options.search.n_best = 1;
    options.search.scores = false;
    options.batch_tokens = work->single ? 1 : wishes->batch_tokens;
    options.precision = (enum tolk_panels_format)wishes->precision;
    options.weights = work->session.weights;
    work->translator =
        tolk_translator_create(&work->session.model, work->session.codec, &options, error);
    work->results = calloc(work->text.count + 1, sizeof *work->results);
    return work->translator == NULL || work->results == NULL ? -1 : 0;
}

static void close_work(struct work *work)
{
    tolk_translator_free(work->translator);
    for (size_t i = 0; i < work->text.count; i++) {
        free(work->text.lines[i]);
    }
    free(work->results);
    tolk_session_close(&work->session);
}

int main(int argc, char **argv)
{
    tolk_threads_sleep_while_waiting(argv);
    static struct work work;
    struct tolk_error error;
    size_t threads = (size_t)omp_get_max_threads();
    struct wishes wishes = {1, MOST_SENTENCES, TOLK_TRANSLATOR_BATCH_TOKENS, TOLK_PANELS_REAL};
    bool serves = false;
    const char *notes = NULL, *output = NULL;
    const struct tolk_option options[] = {
        TOLK_OPTION_SIZE("beam", 'b', "N", "hypotheses, 1 is greedy", &wishes.beam, 1,
                         TOLK_MOST_BEAM),
        TOLK_OPTION_SIZE("threads", 't', "N", "OpenMP threads", &threads, 1, TOLK_MOST_THREADS),
        TOLK_OPTION_SIZE("sentences", 0, "N", "the first so many lines", &wishes.sentences, 1,
                         MOST_SENTENCES),
        TOLK_OPTION_SIZE("batch-tokens", 0, "N", "source pieces in a batch", &wishes.batch_tokens,
                         1, TOLK_MOST_TOKENS),
        TOLK_OPTION_CHOICE("precision", 0, "float32|int8", "of the weights", &wishes.precision),
        TOLK_OPTION_FLAG("single", 0, "one sentence at a time", &work.single),
        TOLK_OPTION_FLAG("serve", 0, "a round for each line on standard input", &serves),
        TOLK_OPTION_TEXT("output", 0, "FILE", "write the translations there first", &output),
        TOLK_OPTION_TEXT("notes", 0, "FILE", "add the fraction for bench/plot", &notes),
    };
    const struct tolk_command command = {"translate", "MODEL TEXT", "Times translation.\n", options,
                                         sizeof options / sizeof options[0]};
    int first = 0;
    if (tolk_options_parse(&command, argc, argv, &first, &error) != TOLK_OPTIONS_GOOD ||
        argc - first != 2 || tolk_isa_choose(NULL, &error) != 0) {
        tolk_options_help(&command, stderr);
        return 2;
    }
    omp_set_num_threads((int)threads);
    if (open_work(&work, argv[first], argv[first + 1], &wishes, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s, beam %zu, %s, %zu thread%s",
             work.single ? "one at a time" : "batches", wishes.beam,
             wishes.precision == TOLK_PANELS_INT8 ? "int8" : "float32", threads,
             threads > 1 ? "s" : "");
    if (output != NULL && write_output(&work, output) != 0) {
        return 1;
    }
    translate(&work), forget(&work);
    if (serves) {
        serve(&work);
    } else {
        measure(&work, &wishes, name, notes);
    }
    close_work(&work);
    return 0;
}
