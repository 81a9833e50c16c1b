#include "infer/command.h"

#include <math.h>
#include <string.h>

#include "infer/pair_pass.h"
#include "infer/print.h"

struct scoring {
    bool normalise;
    bool word_scores;
    bool json;
    FILE *out;
    double total;
    size_t pieces;
};

static int print_json(const struct tolk_pair_visit *visit, double normalised, FILE *out,
                      struct tolk_error *error)
{
    json_t *const object = json_object();
    json_object_set_new(object, "source", json_string(visit->source->text));
    json_object_set_new(object, "translation", json_string(visit->target->text));
    json_object_set_new(object, "score", json_real(visit->reading->score));
    json_object_set_new(object, "normalised_score", json_real(normalised));
    json_object_set_new(object, "words", tolk_words_json(visit->target));
    json_object_set_new(
        object, "word_scores",
        tolk_numbers_json(visit->reading->word_scores, visit->target->words.count + 1));
    return tolk_print_json(object, out, error);
}

static int score_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    struct scoring *const scoring = context;
    const size_t pieces = visit->target->pieces + 1;
    const double normalised = visit->reading->score / (double)pieces;
    scoring->total += visit->reading->score;
    scoring->pieces += pieces;
    if (scoring->json) {
        return print_json(visit, normalised, scoring->out, error);
    }
    fprintf(scoring->out, "%.6f", scoring->normalise ? normalised : visit->reading->score);
    if (scoring->word_scores) {
        tolk_print_word_scores(visit->reading->word_scores, visit->target->words.count,
                               scoring->out);
    }
    fputc('\n', scoring->out);
    return 0;
}

static const char ABOUT[] =
    "The log-probability (natural logarithm) that the model gives each target sentence, one line\n"
    "for each pair. Pairs are lines `source<TAB>target` of standard input or PAIRS.tsv, or two\n"
    "line-aligned files. The sum and the perplexity of a piece follow on standard error.\n";

static int score_all(const struct tolk_settings *settings, const char *model_folder,
                     const struct tolk_pairs *pairs, struct scoring *scoring, FILE *log,
                     struct tolk_error *error)
{
    struct tolk_session session;
    if (tolk_session_open(&session, model_folder, NULL, error) != 0) {
        return -1;
    }
    const struct tolk_pair_pass pass = {
        .model = &session.model,
        .codec = session.codec,
        .reading = {.batch_tokens = tolk_settings_batch_tokens(settings), .scores = true},
    };
    int status = tolk_pair_pass_run(&pass, pairs, score_pair, scoring, error);
    if (tolk_command_flush(scoring->out, status == 0 ? error : NULL) != 0) {
        status = -1;
    }
    if (status == 0) {
        fprintf(log, "%zu pairs, log-probability %.4f, perplexity %.4f\n", pairs->count,
                scoring->total, exp(-scoring->total / (double)scoring->pieces));
    }
    tolk_session_close(&session);
    return status;
}

int tolk_command_score(int argc, char **argv, FILE *out, FILE *log)
{
    struct tolk_settings settings = tolk_settings_default();
    struct scoring scoring = {.out = out};
    bool skip_bad = false;
    const struct tolk_option options[] = {
        TOLK_OPTION_FLAG("normalise", 'n', "divide by the number of pieces, the end among them",
                         &scoring.normalise),
        TOLK_OPTION_FLAG("word-scores", 0, "log-probability of each word and of the end",
                         &scoring.word_scores),
        TOLK_OPTION_FLAG("json", 0, "one JSON object a line", &scoring.json),
        TOLK_OPTION_FLAG("skip-bad", 0, "leave out and count what is no pair", &skip_bad),
        TOLK_THREAD_OPTIONS(&settings),
    };
    const struct tolk_command command = {"tolk score", "MODEL [PAIRS.tsv | SOURCE TARGET]", ABOUT,
                                         options, sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 3, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    tolk_settings_threads(&settings);
    struct tolk_pairs pairs = {0};
    int status =
        tolk_command_pairs(argv + first + 1, argc - first - 1, skip_bad, &pairs, log, &error);
    if (status == 0) {
        status = score_all(&settings, argv[first], &pairs, &scoring, log, &error);
        tolk_pairs_free(&pairs);
    }
    return status == 0 ? TOLK_DONE : tolk_command_fail(&command, TOLK_FAILED, &error, log);
}
