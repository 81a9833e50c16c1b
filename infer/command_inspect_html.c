#include "infer/command_inspect.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/gold.h"
#include "infer/page.h"
#include "infer/page_corpus.h"

struct showing {
    struct tolk_settings settings;
    const char *page;   /* where it goes */
    const char *corpus; /* pairs; NULL: one sentence */
    const char *gold;   /* links of the sentence, or a file of those of the corpus */
    const char *given;
    const char *sentence;
};

/* A sentence, its translation, and how the translation was found. */
struct shown {
    struct tolk_sentence source;
    struct tolk_sentence target;
    struct tolk_links gold;
    struct tolk_inspection *inspection;
    struct tolk_search_record record;
};

static void shown_free(struct shown *shown)
{
    tolk_sentence_free(&shown->source);
    tolk_sentence_free(&shown->target);
    tolk_links_free(&shown->gold);
    tolk_inspection_free(shown->inspection);
    tolk_search_record_free(&shown->record);
}

static int find_translation(const struct showing *work, const struct tolk_session *session,
                            struct tolk_translator_options *options, struct shown *shown,
                            struct tolk_error *error)
{
    const struct tolk_search_observer observer = tolk_search_record_observer(&shown->record);
    options->observer = &observer;
    const int status =
        work->given != NULL
            ? tolk_inspect_encode(session, TOLK_TARGET, work->given, &shown->target, error)
            : tolk_inspect_translate(session, options, work->sentence, &shown->target, error);
    options->observer = NULL;
    return status;
}

static int inspect(const struct showing *work, const struct tolk_session *session,
                   struct tolk_translator_options *options, struct shown *shown,
                   struct tolk_error *error)
{
    shown->record.config = &session->model.config;
    if (tolk_inspect_encode(session, TOLK_SOURCE, work->sentence, &shown->source, error) != 0 ||
        find_translation(work, session, options, shown, error) != 0) {
        return -1;
    }
    if (work->gold != NULL &&
        tolk_links_parse(work->gold, strlen(work->gold), shown->source.words.count,
                         shown->target.words.count, "--gold", &shown->gold, error) != 0) {
        return -1;
    }
    shown->inspection =
        tolk_inspection_make(&session->model, tolk_sentence_sequence(&shown->source),
                             tolk_sentence_sequence(&shown->target), error);
    if (shown->inspection == NULL) {
        return -1;
    }
    tolk_inspection_posterior_of(shown->inspection, &options->choice);
    return work->given == NULL
               ? 0
               : tolk_search_record_given(&shown->record, shown->inspection, shown->target.ids,
                                          shown->target.pieces + 1, error);
}

/* Adds the sentence to the data of the page. */
static int add_sentence(const struct showing *work, const struct tolk_session *session,
                        struct tolk_translator_options *options, json_t *data,
                        struct tolk_error *error)
{
    struct shown shown = {.inspection = NULL};
    struct tolk_page_links links;
    int status = inspect(work, session, options, &shown, error);
    if (status == 0) {
        status = tolk_page_links_read(&links, shown.inspection, &shown.source, &shown.target,
                                      &options->choice, error);
    }
    if (status == 0) {
        const struct tolk_page_pair pair = {
            .source = &shown.source,
            .target = &shown.target,
            .inspection = shown.inspection,
            .codec = session->codec,
            .alignment_layer = options->choice.layer,
            .gold = work->gold != NULL ? &shown.gold : NULL,
            .given = work->given != NULL,
            .whole = true,
            .record = &shown.record,
            .search = work->given != NULL ? NULL : &options->search,
        };
        json_array_append_new(json_object_get(data, "pairs"), tolk_page_pair_json(&pair, &links));
        json_object_set_new(data, "pieces", tolk_page_pieces_json(&shown.record, session->codec));
        tolk_page_links_free(&links);
    }
    shown_free(&shown);
    return status;
}

/* The last part of a path, "model" of "build/demo/model/", in fresh memory. */
static char *name_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    return strndup(path + begin, end - begin);
}

static int add_corpus(const struct showing *work, const struct tolk_session *session,
                      const struct tolk_attention_choice *choice, json_t *data, FILE *log,
                      struct tolk_error *error)
{
    struct tolk_pairs pairs = {0};
    struct tolk_gold gold = {0};
    char *const file = strdup(work->corpus);
    char *const name = name_of(work->corpus);
    int status = file == NULL || name == NULL
                     ? tolk_error_set(error, "out of memory")
                     : tolk_command_pairs(&file, 1, false, &pairs, log, error);
    if (status == 0 && work->gold != NULL) {
        status = tolk_gold_read(work->gold, &pairs, &gold, error);
    }
    if (status == 0) {
        const struct tolk_page_corpus corpus = {
            .name = name,
            .model = &session->model,
            .codec = session->codec,
            .choice = choice,
            .pairs = &pairs,
            .gold = work->gold != NULL ? &gold : NULL,
            .batch_tokens = tolk_settings_batch_tokens(&work->settings),
            .log = log,
        };
        status = tolk_page_corpus_json(&corpus, data, error);
    }
    tolk_gold_free(&gold);
    tolk_pairs_free(&pairs);
    free(file);
    free(name);
    return status;
}

static enum tolk_exit show(const struct showing *work, const char *folder,
                           const struct tolk_session *session, FILE *log, struct tolk_error *error)
{
    struct tolk_translator_options options =
        tolk_translator_options_default(&session->model.config);
    options.weights = session->weights;
    options.words = true;
    if (tolk_settings_search(&work->settings, &options, error) != 0 ||
        tolk_settings_choice(&work->settings, &session->model.config, &options.choice, error) !=
            0) {
        return TOLK_WRONG_USAGE;
    }
    char *const name = name_of(folder);
    const struct tolk_page_model about = {name, &session->model.config, &options.choice};
    json_t *const data = tolk_page_json(&about);
    free(name);
    if (data == NULL) {
        tolk_error_set(error, "out of memory for the page");
        return TOLK_FAILED;
    }
    const int status = work->corpus != NULL
                           ? add_corpus(work, session, &options.choice, data, log, error)
                           : add_sentence(work, session, &options, data, error);
    if (status != 0) {
        json_decref(data);
        return TOLK_FAILED;
    }
    return tolk_page_write(work->page, data, error) == 0 ? TOLK_DONE : TOLK_FAILED;
}

static const char ABOUT[] = "Translates SENTENCE and writes a page that shows every attention of "
                            "it: lines and matrices of\n"
                            "all layers and heads, the search step by step, and the arithmetic of "
                            "each weight. The page is\n"
                            "one file that needs no network. With --corpus: the AER of each head, "
                            "the most and least certain\n"
                            "words, and the pairs.\n";

/* With a corpus there is no sentence, and with a sentence there must be one. */
static int check_operands(const struct showing *work, const struct tolk_command *command, int count,
                          char **operands, struct tolk_error *error)
{
    if (work->corpus != NULL && work->given != NULL) {
        return tolk_error_set(error, "--given and --corpus exclude each other");
    }
    if (work->corpus != NULL && count > 1) {
        return tolk_error_set(error, "unexpected operand \"%s\" beside --corpus; see `%s --help`",
                              operands[1], command->name);
    }
    if (work->corpus == NULL && count < 2) {
        return tolk_error_set(error, "expected a sentence, or --corpus; see `%s --help`",
                              command->name);
    }
    return 0;
}

int tolk_command_inspect_html(int argc, char **argv, FILE *out, FILE *log)
{
    struct showing work = {.settings = tolk_settings_default()};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("html", 0, "FILE", "the page to write", &work.page),
        TOLK_OPTION_TEXT("given", 0, "TEXT", "show this translation instead of the model's own",
                         &work.given),
        TOLK_OPTION_TEXT("corpus", 0, "PAIRS",
                         "show these pairs: source, tab, target, and perhaps\n"
                         "links like 0-0 1-2 3p2",
                         &work.corpus),
        TOLK_OPTION_TEXT("gold", 0, "LINKS",
                         "links of the sentence, like \"0-0 1-2 3p2\"; of the\n"
                         "corpus a file: line number, tab, links",
                         &work.gold),
        TOLK_CHOICE_OPTIONS(&work.settings),
        TOLK_SEARCH_OPTIONS(&work.settings),
        TOLK_THREAD_OPTIONS(&work.settings),
    };
    const struct tolk_command command = {"tolk inspect --html",
                                         "FILE MODEL SENTENCE, or FILE --corpus PAIRS MODEL", ABOUT,
                                         options, sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 2, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    if (check_operands(&work, &command, argc - first, argv + first, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    work.sentence = argv[first + 1];
    tolk_settings_threads(&work.settings);
    struct tolk_session session = {.codec = NULL};
    const bool translates = work.given == NULL && work.corpus == NULL;
    work.settings.scores = true;
    if (tolk_session_open(&session, argv[first], translates ? &work.settings : NULL, &error) != 0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status = show(&work, argv[first], &session, log, &error);
    tolk_session_close(&session);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
