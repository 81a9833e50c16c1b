#include "infer/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "corpora/lines.h"

/* Lines translated together: what is there without waiting, up to these. Threads wait for each
 * other at the end of a window, and the more lines, the more alike are those of a batch; but the
 * first windows are smaller, so that the first lines of a long file show soon. */
enum { FIRST_WINDOW_LINES = 2048, WINDOW_LINES = 8192, WINDOW_BYTES = 1 << 20 };

struct window {
    char *lines[WINDOW_LINES];
    struct tolk_translated results[WINDOW_LINES];
    size_t count;
    size_t limit; /* of count */
    size_t bytes;
    size_t first; /* number of the first line, from 1 */
};

struct translating {
    const struct tolk_model *model;
    struct tolk_translator *translator;
    struct tolk_lines *input;
    const struct tolk_print_options *print;
    bool skip_bad;
    FILE *out;
    FILE *log;
};

/* -1: the line cannot be translated. */
static int check_line(const struct tolk_lines *input, struct tolk_error *error)
{
    const size_t valid = tolk_utf8_valid_prefix(input->text, input->size);
    if (valid < input->size) {
        return tolk_error_set(error, "%s:%zu: byte %zu (0x%02x) is not UTF-8", input->name,
                              input->number, valid + 1, (unsigned char)input->text[valid]);
    }
    if (memchr(input->text, '\0', input->size) != NULL) {
        return tolk_error_set(error, "%s:%zu: a NUL byte in the line", input->name, input->number);
    }
    return 0;
}

static int window_add(struct translating *work, struct window *window, struct tolk_error *error)
{
    const struct tolk_lines *const input = work->input;
    size_t size = input->size;
    if (check_line(input, error) != 0) {
        if (!work->skip_bad) {
            return -1;
        }
        fprintf(work->log, "%s; skipped\n", error->message);
        size = 0;
    }
    if (size > 0 && input->text[size - 1] == '\r') {
        size--;
    }
    char *const line = strndup(input->text, size);
    if (line == NULL) {
        return tolk_error_set(error, "%s:%zu: out of memory", input->name, input->number);
    }
    if (window->count == 0) {
        window->first = input->number;
    }
    window->lines[window->count++] = line;
    window->bytes += size;
    return 0;
}

/* Waits for one line and takes those behind it that are there already. 1: more may come; 0: the
 * end; -1: an error, the lines before it are in the window. */
static int window_fill(struct translating *work, struct window *window, struct tolk_error *error)
{
    window->count = 0;
    window->bytes = 0;
    do {
        const int got = tolk_lines_next(work->input, error);
        if (got <= 0) {
            return got;
        }
        if (window_add(work, window, error) != 0) {
            return -1;
        }
    } while (window->count < window->limit && window->bytes < WINDOW_BYTES &&
             tolk_lines_ready(work->input));
    return 1;
}

static int window_translate(const struct translating *work, struct window *window,
                            struct tolk_error *error)
{
    int status = tolk_translator_run(work->translator, (const char *const *)window->lines,
                                     window->count, window->results, error);
    if (status != 0) {
        return -1;
    }
    for (size_t i = 0; i < window->count; i++) {
        const struct tolk_sentence *const source = &window->results[i].source;
        if (source->pieces < source->all_pieces) {
            fprintf(work->log,
                    "%s:%zu: %zu pieces, more than the %zu that the model can read; only the first "
                    "%zu are translated\n",
                    work->input->name, window->first + i, source->all_pieces,
                    work->model->config.max_position_embeddings - 1, source->pieces);
        }
        if (status == 0) {
            status = tolk_print_translated(&window->results[i], window->first + i - 1, work->print,
                                           work->out, error);
        }
        tolk_translated_free(&window->results[i]);
    }
    return status == 0 ? tolk_command_flush(work->out, error) : -1;
}

static int translate_lines(struct translating *work, struct tolk_error *error)
{
    struct window *const window = malloc(sizeof *window);
    if (window == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    window->limit = FIRST_WINDOW_LINES;
    int more = 1;
    while (more > 0) {
        struct tolk_error later;
        more = window_fill(work, window, &later);
        int status = window->count > 0 ? window_translate(work, window, error) : 0;
        for (size_t i = 0; i < window->count; i++) {
            free(window->lines[i]);
        }
        if (status == 0 && more < 0) {
            status = tolk_error_set(error, "%s", later.message);
        }
        if (status != 0) {
            more = -1;
        }
        window->limit = window->limit < WINDOW_LINES / 2 ? 2 * window->limit : WINDOW_LINES;
    }
    free(window);
    return more;
}

/* Standard input where `path` is NULL. */
static int translate_input(struct translating work, const char *path, struct tolk_error *error)
{
    struct tolk_lines input;
    work.input = &input;
    if (path == NULL) {
        tolk_lines_attach(&input, STDIN_FILENO, "standard input");
    } else if (tolk_lines_open(&input, path, error) != 0) {
        return -1;
    }
    const int status = translate_lines(&work, error);
    tolk_lines_close(&input);
    return status;
}

/* Options as they were given. */
struct wishes {
    struct tolk_settings settings;
    struct tolk_print_options print;
    size_t n_best; /* 0: not given */
};

static enum tolk_exit translate(struct wishes *wishes, const struct tolk_session *session,
                                const char *path, FILE *out, FILE *log, struct tolk_error *error)
{
    const struct tolk_config *const config = &session->model.config;
    struct tolk_translator_options how = tolk_translator_options_default(config);
    how.weights = session->weights;
    how.search.n_best = wishes->n_best > 0 ? wishes->n_best : 1;
    how.search.scores = wishes->settings.scores;
    how.words = wishes->print.word_scores || wishes->print.json;
    how.attention =
        wishes->print.alignment.kind != TOLK_ALIGNMENT_NONE || wishes->settings.all_heads;
    how.unit = wishes->print.unit;
    if (tolk_settings_search(&wishes->settings, &how, error) != 0 ||
        tolk_settings_choice(&wishes->settings, config, &how.choice, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    struct tolk_attention_view *views = NULL;
    if (tolk_settings_views(&wishes->settings, config, &views, &how.view_count, error) != 0) {
        return TOLK_FAILED;
    }
    how.views = wishes->print.views = views;
    int status = -1;
    struct tolk_translator *const translator =
        tolk_translator_create(&session->model, session->codec, &how, error);
    if (translator != NULL) {
        const struct translating work = {
            .model = &session->model,
            .translator = translator,
            .print = &wishes->print,
            .skip_bad = wishes->settings.skip_bad,
            .out = out,
            .log = log,
        };
        status = translate_input(work, path, error);
    }
    tolk_translator_free(translator);
    free(views);
    return status == 0 ? TOLK_DONE : TOLK_FAILED;
}

static const char ABOUT[] =
    "Translates standard input, or FILE, line by line: one line out for each line in, in order. A\n"
    "blank line gives an empty one. Lines are translated together when they are there together;\n"
    "none waits for the next. A line longer than the model can read is cut, with a warning.\n";

int tolk_command_translate(int argc, char **argv, FILE *out, FILE *log)
{
    struct wishes wishes = {.settings = tolk_settings_default()};
    const char *alignment = NULL;
    const struct tolk_option options[] = {
        TOLK_SEARCH_OPTIONS(&wishes.settings),
        TOLK_OPTION_SIZE("n-best", 0, "N",
                         "the N best translations of each line, by a beam of N\n"
                         "or more, as\nline ||| text ||| F0= score ||| normalised score",
                         &wishes.n_best, 1, TOLK_MOST_BEAM),
        TOLK_OPTION_TEXT("alignment", 'a', "KIND",
                         "word alignment behind the text: hard, soft,\nor a threshold from 0 to 1",
                         &alignment),
        TOLK_CHOICE_OPTIONS(&wishes.settings),
        TOLK_ALIGNMENT_OPTIONS(&wishes.settings),
        TOLK_OPTION_FLAG("word-scores", 0, "log-probability of each word and of the end",
                         &wishes.print.word_scores),
        TOLK_JSON_OPTION(&wishes.settings),
        TOLK_OPTION_FLAG("skip-bad", 0, "an empty line for a line that is not UTF-8",
                         &wishes.settings.skip_bad),
        TOLK_THREAD_OPTIONS(&wishes.settings),
    };
    const struct tolk_command command = {"tolk translate", "MODEL [FILE]", ABOUT, options,
                                         sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 2, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    if (tolk_settings_print(&wishes.settings, alignment, &wishes.print, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    wishes.print.n_best = wishes.n_best > 0;
    wishes.settings.scores = wishes.print.json || wishes.print.word_scores || wishes.n_best > 0;
    tolk_settings_threads(&wishes.settings);
    struct tolk_session session = {.codec = NULL};
    if (tolk_session_open(&session, argv[first], &wishes.settings, &error) != 0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status =
        translate(&wishes, &session, argc - first > 1 ? argv[first + 1] : NULL, out, log, &error);
    tolk_session_close(&session);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
