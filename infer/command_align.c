#include "infer/command.h"

#include <stdlib.h>

#include "infer/pair_pass.h"

struct aligning {
    struct tolk_settings settings;
    struct tolk_print_options print;
    bool word_scores;
    FILE *out;
};

static int print_line(const struct aligning *aligning, const struct tolk_pair_visit *visit,
                      struct tolk_error *error)
{
    char *const text =
        tolk_alignment_text(&aligning->print.alignment, &visit->reading->attention, error);
    if (text == NULL) {
        return -1;
    }
    fputs(text, aligning->out);
    free(text);
    if (aligning->word_scores) {
        tolk_print_scores(visit->target, visit->reading, aligning->print.unit, aligning->out);
    }
    fputc('\n', aligning->out);
    return 0;
}

static int align_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    const struct aligning *const aligning = context;
    if (!aligning->print.json) {
        return print_line(aligning, visit, error);
    }
    json_t *const object =
        tolk_pair_json(visit->source, visit->target, visit->reading, &aligning->print, error);
    return object == NULL ? -1 : tolk_print_json(object, aligning->out, error);
}

static enum tolk_exit align_all(void *context, const struct tolk_session *session,
                                const struct tolk_pairs *pairs, FILE *log, struct tolk_error *error)
{
    struct aligning *const aligning = context;
    const struct tolk_config *const config = &session->model.config;
    struct tolk_attention_choice choice;
    struct tolk_attention_view *views = NULL;
    size_t view_count = 0;
    if (tolk_settings_choice(&aligning->settings, config, &choice, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    if (tolk_settings_views(&aligning->settings, config, &views, &view_count, error) != 0) {
        return TOLK_FAILED;
    }
    aligning->print.views = views;
    const struct tolk_pair_pass pass = {
        .model = &session->model,
        .codec = session->codec,
        .reading = {.batch_tokens = tolk_settings_batch_tokens(&aligning->settings),
                    .scores = aligning->print.json || aligning->word_scores,
                    .choice = &choice,
                    .views = views,
                    .view_count = view_count,
                    .unit = aligning->print.unit},
        .weights = session->weights,
        .cut_log = log,
    };
    const int status = tolk_pair_pass_run(&pass, pairs, align_pair, aligning, error);
    free(views);
    return status == 0 && tolk_command_flush(aligning->out, error) == 0 ? TOLK_DONE : TOLK_FAILED;
}

static const char ABOUT[] =
    "Aligns the words of given pairs: the model reads each pair, and each target word is linked "
    "to\n"
    "the source word that its cross-attention looks at most. One line for each pair, `0-0 1-2 …`:\n"
    "source word, target word, from 0. Pairs are lines `source<TAB>target` of standard input or\n"
    "PAIRS.tsv, or two line-aligned files.\n"
    "`tolk align --statistical CORPUS` needs no model; `tolk align --statistical CORPUS --help`.\n";

int tolk_command_align(int argc, char **argv, FILE *out, FILE *log)
{
    if (tolk_command_has_option(argc, argv, "--statistical")) {
        return tolk_command_align_statistical(argc, argv, out, log);
    }
    struct aligning aligning = {.settings = tolk_settings_default(), .out = out};
    const char *alignment = "hard";
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("alignment", 'a', "KIND", "hard, soft, or a threshold from 0 to 1 (hard)",
                         &alignment),
        TOLK_CHOICE_OPTIONS(&aligning.settings),
        TOLK_ALIGNMENT_OPTIONS(&aligning.settings),
        TOLK_OPTION_FLAG("word-scores", 0, "log-probability of each word and of the end",
                         &aligning.word_scores),
        TOLK_JSON_OPTION(&aligning.settings),
        TOLK_PRECISION_OPTION(&aligning.settings),
        TOLK_SKIP_BAD_OPTION(&aligning.settings),
        TOLK_THREAD_OPTIONS(&aligning.settings),
    };
    const struct tolk_command command = {"tolk align", TOLK_PAIR_OPERANDS, ABOUT, options,
                                         sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 3, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    if (tolk_settings_print(&aligning.settings, alignment, &aligning.print, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    aligning.settings.packs = !aligning.print.json && !aligning.word_scores;
    return tolk_command_run_pairs(&command, &aligning.settings, argv + first, argc - first,
                                  align_all, &aligning, log);
}
