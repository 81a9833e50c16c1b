#include "infer/command.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/gold.h"
#include "corpora/lines.h"
#include "infer/evaluation.h"
#include "infer/pair_pass.h"

/* Lines translated together. */
enum { WINDOW_LINES = 8192 };

struct evaluating {
    struct tolk_settings settings;
    const char *hypotheses; /* a file of translations; NULL: the model makes them */
    const char *gold_path;
    const char *output; /* where the translations go, or NULL */
    struct tolk_pairs pairs;
    struct tolk_evaluation scores;
    struct tolk_head_table heads; /* where --all-heads wants it */
};

/* The lines of the pairs' file, those that were skipped among them: a file of translations has as
 * many, and the translation of a pair stands on the pair's own line. */
static size_t count_lines(const struct tolk_pairs *pairs)
{
    return pairs->count + pairs->skipped;
}

static int score_hypotheses(struct evaluating *work, struct tolk_error *error)
{
    const struct tolk_pairs *const pairs = &work->pairs;
    struct tolk_lines lines;
    if (tolk_lines_open(&lines, work->hypotheses, error) != 0) {
        return -1;
    }
    int status = 0;
    size_t next = 0;
    while (status == 0 && (status = tolk_lines_next(&lines, error)) > 0) {
        status = 0;
        if (next < pairs->count && pairs->items[next].line == lines.number) {
            status =
                tolk_evaluation_add(&work->scores, lines.text, pairs->items[next].target, error);
            next++;
        }
    }
    if (status == 0 && lines.number != count_lines(pairs)) {
        status =
            tolk_error_set(error, "%s: expected a line for each of the %zu of %s, found %zu",
                           work->hypotheses, count_lines(pairs), pairs->source_name, lines.number);
    }
    tolk_lines_close(&lines);
    return status;
}

/* Where the model's translations are kept. */
struct kept {
    FILE *file; /* or NULL */
    size_t lines;
};

/* Up to, not with, that line: lines that were skipped are empty ones. */
static void keep_empty_lines(struct kept *kept, size_t line)
{
    for (; kept->file != NULL && kept->lines + 1 < line; kept->lines++) {
        fputc('\n', kept->file);
    }
}

static void keep(struct kept *kept, size_t line, const char *translation)
{
    keep_empty_lines(kept, line);
    if (kept->file != NULL) {
        fprintf(kept->file, "%s\n", translation);
        kept->lines++;
    }
}

/* Translates the source sides of pairs [first, first + count). */
static int score_window(struct evaluating *work, struct tolk_translator *translator, size_t first,
                        size_t count, struct kept *kept, struct tolk_error *error)
{
    const char *lines[WINDOW_LINES] = {NULL};
    char *translations[WINDOW_LINES];
    for (size_t i = 0; i < count; i++) {
        lines[i] = work->pairs.items[first + i].source;
    }
    int status = tolk_translator_best(translator, lines, count, translations, error);
    for (size_t i = 0; i < count; i++) {
        const struct tolk_pair *const pair = &work->pairs.items[first + i];
        if (status == 0) {
            status = tolk_evaluation_add(&work->scores, translations[i], pair->target, error);
        }
        if (status == 0) {
            keep(kept, pair->line, translations[i]);
        }
        free(translations[i]);
    }
    return status;
}

static int score_model(struct evaluating *work, const struct tolk_session *session,
                       const struct tolk_translator_options *options, struct tolk_error *error)
{
    struct kept kept = {0};
    int status = -1;
    struct tolk_translator *const translator =
        tolk_translator_create(&session->model, session->codec, options, error);
    if (translator == NULL) {
        goto out;
    }
    if (work->output != NULL) {
        kept.file = fopen(work->output, "w");
        if (kept.file == NULL) {
            tolk_error_errno(error, "%s: cannot write", work->output);
            goto out;
        }
    }
    status = 0;
    for (size_t i = 0; status == 0 && i < work->pairs.count; i += WINDOW_LINES) {
        const size_t left = work->pairs.count - i;
        status = score_window(work, translator, i, left < WINDOW_LINES ? left : WINDOW_LINES, &kept,
                              error);
    }
    if (status == 0) {
        keep_empty_lines(&kept, count_lines(&work->pairs) + 1);
    }
out:
    if (kept.file != NULL) {
        const bool written = !ferror(kept.file);
        if ((fclose(kept.file) != 0 || !written) && status == 0) {
            status = tolk_error_errno(error, "%s: cannot write", work->output);
        }
    }
    tolk_translator_free(translator);
    return status;
}

struct scoring_links {
    struct tolk_evaluation *scores;
    struct tolk_head_table *heads; /* NULL: not wanted */
    const struct tolk_gold *gold;  /* NULL: the links stand in the pairs */
};

static int score_links(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    const struct scoring_links *const scoring = context;
    const struct tolk_links *const gold =
        scoring->gold != NULL ? &scoring->gold->items[visit->index].links : &visit->pair->links;
    struct tolk_links links = {0};
    if (tolk_word_attention_hard(&visit->reading->attention, &links) != 0) {
        tolk_links_free(&links);
        return tolk_error_set(error, "out of memory for the alignment");
    }
    tolk_aer_add(&scoring->scores->aer, &links, gold);
    scoring->scores->aligned++;
    tolk_links_free(&links);
    return scoring->heads == NULL
               ? 0
               : tolk_head_table_add(scoring->heads, visit->reading->views, gold, error);
}

/* AER of the alignments that the model gives the pairs as they stand. */
static int score_alignment(struct evaluating *work, const struct tolk_session *session,
                           const struct tolk_attention_choice *choice, FILE *log,
                           struct tolk_error *error)
{
    struct tolk_gold gold = {0};
    struct tolk_pairs some = {0};
    int status = -1;
    if (work->gold_path != NULL) {
        if (tolk_gold_read(work->gold_path, &work->pairs, &gold, error) != 0) {
            return -1;
        }
        some.items = calloc(gold.count + 1, sizeof *some.items);
        if (some.items == NULL) {
            tolk_error_set(error, "out of memory for %zu pairs", gold.count);
            goto out;
        }
        some.source_name = work->pairs.source_name;
        some.target_name = work->pairs.target_name;
        for (size_t i = 0; i < gold.count; i++) {
            some.items[some.count++] = work->pairs.items[gold.items[i].pair];
        }
    }
    if (work->settings.all_heads) {
        if (tolk_head_table_make(&work->heads, &session->model.config, error) != 0) {
            goto out;
        }
        work->scores.heads = &work->heads;
    }
    struct scoring_links scoring = {&work->scores, work->settings.all_heads ? &work->heads : NULL,
                                    work->gold_path != NULL ? &gold : NULL};
    const struct tolk_pair_pass pass = {
        .model = &session->model,
        .codec = session->codec,
        .reading = {.batch_tokens = tolk_settings_batch_tokens(&work->settings),
                    .choice = choice,
                    .views = work->heads.views,
                    .view_count = work->heads.count},
        .cut_log = log,
    };
    status = tolk_pair_pass_run(&pass, work->gold_path != NULL ? &some : &work->pairs, score_links,
                                &scoring, error);
out:
    free(some.items);
    tolk_gold_free(&gold);
    return status;
}

static bool has_gold(const struct evaluating *work)
{
    return work->gold_path != NULL || work->pairs.aligned;
}

/* Some links are not enough for the AER of the file; their owner is told why there is none. */
static void note_partial_gold(const struct tolk_pairs *pairs, FILE *log)
{
    size_t with = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        with += pairs->items[i].links.count > 0;
    }
    if (with > 0) {
        fprintf(log,
                "no AER: %zu of %zu pairs have links; every line wants a third column, or name the "
                "lines by --gold\n",
                with, pairs->count);
    }
}

static enum tolk_exit evaluate_model(struct evaluating *work, const char *model_folder, FILE *log,
                                     struct tolk_error *error)
{
    struct tolk_session session = {.codec = NULL};
    if (work->settings.all_heads && !has_gold(work)) {
        tolk_error_set(error,
                       "--all-heads needs gold: --gold FILE, or a third column of all pairs");
        return TOLK_WRONG_USAGE;
    }
    if (tolk_session_open(&session, model_folder, &work->settings, error) != 0) {
        return TOLK_FAILED;
    }
    enum tolk_exit status = TOLK_FAILED;
    struct tolk_translator_options options = tolk_translator_options_default(&session.model.config);
    options.weights = session.weights;
    options.search.scores = false;
    struct tolk_attention_choice choice;
    if (tolk_settings_search(&work->settings, &options, error) != 0 ||
        tolk_settings_choice(&work->settings, &session.model.config, &choice, error) != 0) {
        status = TOLK_WRONG_USAGE;
        goto out;
    }
    if (score_model(work, &session, &options, error) != 0) {
        goto out;
    }
    if (!has_gold(work)) {
        note_partial_gold(&work->pairs, log);
    } else if (score_alignment(work, &session, &choice, log, error) != 0) {
        goto out;
    }
    status = TOLK_DONE;
out:
    tolk_session_close(&session);
    return status;
}

static enum tolk_exit evaluate(struct evaluating *work, char *const *operands, int count, FILE *out,
                               FILE *log, struct tolk_error *error)
{
    const int models = work->hypotheses == NULL ? 1 : 0;
    if (tolk_command_pairs(operands + models, count - models, work->settings.skip_bad, &work->pairs,
                           log, error) != 0) {
        return TOLK_FAILED;
    }
    enum tolk_exit status = TOLK_FAILED;
    if (models == 1) {
        status = evaluate_model(work, operands[0], log, error);
    } else if (score_hypotheses(work, error) == 0) {
        status = TOLK_DONE;
    }
    if (status == TOLK_DONE &&
        (tolk_evaluation_print(&work->scores, work->settings.json, out, error) != 0 ||
         tolk_command_flush(out, error) != 0)) {
        status = TOLK_FAILED;
    }
    tolk_pairs_free(&work->pairs);
    tolk_head_table_free(&work->heads);
    return status;
}

/* With --hypotheses there is no model, so options that ask something of it are a mistake. */
static int check_no_model(const struct evaluating *work, struct tolk_error *error)
{
    const char *const option = work->gold_path != NULL ? "--gold"
                               : work->output != NULL  ? "--output"
                               : work->settings.all_heads
                                   ? "--all-heads"
                                   : tolk_settings_for_model(&work->settings);
    return work->hypotheses == NULL || option == NULL
               ? 0
               : tolk_error_set(error, "%s needs a model, and --hypotheses takes its place",
                                option);
}

static const char ABOUT[] =
    "Translates the source sides of PAIRS.tsv (or of two line-aligned files) and prints BLEU and\n"
    "chrF against the target sides, and how many are equal. Where the pairs have word alignments,\n"
    "as third column or by --gold, the AER of the model's own alignment of the pairs follows.\n"
    "With --hypotheses no model is named: the translations of that file are scored, line by line.\n"
    "Skipped lines count there, and are empty in what --output keeps.\n"
    "`tolk evaluate --links FILE PAIRS` scores alignments; `tolk evaluate --links FILE --help`.\n";

int tolk_command_evaluate(int argc, char **argv, FILE *out, FILE *log)
{
    if (tolk_command_has_option(argc, argv, "--links")) {
        return tolk_command_evaluate_links(argc, argv, out, log);
    }
    struct evaluating work = {.settings = tolk_settings_default()};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("hypotheses", 0, "FILE", "score these translations, a line for each pair",
                         &work.hypotheses),
        TOLK_OPTION_TEXT("gold", 0, "FILE",
                         "alignments of some pairs: line number, tab,\nlinks like 0-0 1-2 3p2",
                         &work.gold_path),
        TOLK_OPTION_FLAG("all-heads", 0,
                         "AER of every layer and head and of each layer's mean,\nat the output "
                         "step and shifted",
                         &work.settings.all_heads),
        TOLK_OPTION_TEXT("output", 'o', "FILE", "keep the translations", &work.output),
        TOLK_SEARCH_OPTIONS(&work.settings),
        TOLK_CHOICE_OPTIONS(&work.settings),
        TOLK_OPTION_FLAG("json", 0, "one JSON object", &work.settings.json),
        TOLK_SKIP_BAD_OPTION(&work.settings),
        TOLK_THREAD_OPTIONS(&work.settings),
    };
    const struct tolk_command command = {"tolk evaluate",
                                         "(MODEL | --hypotheses FILE) (PAIRS.tsv | SOURCE TARGET)",
                                         ABOUT, options, sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 3, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    const int operands = argc - first - (work.hypotheses == NULL ? 1 : 0);
    if (operands < 1 || operands > 2) {
        tolk_error_set(&error, "expected %s; see `%s --help`", command.operands, command.name);
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    if (check_no_model(&work, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    tolk_settings_threads(&work.settings);
    const enum tolk_exit status = evaluate(&work, argv + first, argc - first, out, log, &error);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
