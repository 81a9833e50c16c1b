#include "infer/command.h"

#include <math.h>
#include <string.h>

#include "infer/pair_pass.h"

struct scoring {
    struct tolk_settings settings;
    bool normalise;
    bool word_scores;
    FILE *out;
    double total;
    size_t pieces;
};

static int print_json(const struct tolk_pair_visit *visit, double normalised, FILE *out,
                      struct tolk_error *error)
{
    static const struct tolk_print_options no_alignment = {.json = true};
    json_t *const object =
        tolk_pair_json(visit->source, visit->target, visit->reading, &no_alignment, error);
    if (object == NULL) {
        return -1;
    }
    json_object_set_new(object, "normalised_score", json_real(normalised));
    return tolk_print_json(object, out, error);
}

static int score_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    struct scoring *const scoring = context;
    const size_t pieces = visit->target->pieces + 1;
    const double normalised = visit->reading->score / (double)pieces;
    scoring->total += visit->reading->score;
    scoring->pieces += pieces;
    if (scoring->settings.json) {
        return print_json(visit, normalised, scoring->out, error);
    }
    fprintf(scoring->out, "%.6f", scoring->normalise ? normalised : visit->reading->score);
    if (scoring->word_scores) {
        tolk_print_scores(visit->target, visit->reading, TOLK_WORDS, scoring->out);
    }
    fputc('\n', scoring->out);
    return 0;
}

static const char ABOUT[] =
    "The log-probability (natural logarithm) that the model gives each target sentence, one line\n"
    "for each pair. Pairs are lines `source<TAB>target` of standard input or PAIRS.tsv, or two\n"
    "line-aligned files. The sum and the perplexity of a piece follow on standard error.\n";

static enum tolk_exit score_all(void *context, const struct tolk_session *session,
                                const struct tolk_pairs *pairs, FILE *log, struct tolk_error *error)
{
    struct scoring *const scoring = context;
    const struct tolk_pair_pass pass = {
        .model = &session->model,
        .codec = session->codec,
        .reading = {.batch_tokens = tolk_settings_batch_tokens(&scoring->settings), .scores = true},
    };
    const int status = tolk_pair_pass_run(&pass, pairs, score_pair, scoring, error);
    if (tolk_command_flush(scoring->out, status == 0 ? error : NULL) != 0 || status != 0) {
        return TOLK_FAILED;
    }
    fprintf(log, "%zu pairs, log-probability %.4f, perplexity %.4f\n", pairs->count, scoring->total,
            exp(-scoring->total / (double)scoring->pieces));
    return TOLK_DONE;
}

int tolk_command_score(int argc, char **argv, FILE *out, FILE *log)
{
    struct scoring scoring = {.settings = tolk_settings_default(), .out = out};
    const struct tolk_option options[] = {
        TOLK_OPTION_FLAG("normalise", 'n', "divide by the number of pieces, the end among them",
                         &scoring.normalise),
        TOLK_OPTION_FLAG("word-scores", 0, "log-probability of each word and of the end",
                         &scoring.word_scores),
        TOLK_JSON_OPTION(&scoring.settings),
        TOLK_SKIP_BAD_OPTION(&scoring.settings),
        TOLK_THREAD_OPTIONS(&scoring.settings),
    };
    const struct tolk_command command = {"tolk score", TOLK_PAIR_OPERANDS, ABOUT, options,
                                         sizeof options / sizeof options[0]};
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 3, argc, argv, &first, out, log);
    return begun >= 0 ? begun
                      : tolk_command_run_pairs(&command, &scoring.settings, argv + first,
                                               argc - first, score_all, &scoring, log);
}
