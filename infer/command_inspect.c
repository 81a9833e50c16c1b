#include "infer/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "infer/heatmap.h"
#include "infer/reading.h"

struct inspecting {
    struct tolk_settings settings;
    const char *sentence;
    const char *given;  /* a translation to look at; NULL: the model's own */
    const char *colour; /* always, never or auto */
};

static int check_text(const char *text, const char *what, struct tolk_error *error)
{
    const size_t size = strlen(text);
    const size_t valid = tolk_utf8_valid_prefix(text, size);
    if (valid < size) {
        return tolk_error_set(error, "the %s is not UTF-8 at byte %zu", what, valid + 1);
    }
    if (strpbrk(text, "\n\r") != NULL) {
        return tolk_error_set(error, "the %s has more than one line", what);
    }
    return 0;
}

static int encode(const struct tolk_session *session, enum tolk_side side, const char *text,
                  struct tolk_sentence *sentence, struct tolk_error *error)
{
    const char *const what = side == TOLK_SOURCE ? "sentence" : "given translation";
    const size_t longest = session->model.config.max_position_embeddings;
    if (check_text(text, what, error) != 0 ||
        tolk_sentence_encode(sentence, session->codec, side, text, longest, error) != 0) {
        return -1;
    }
    if (sentence->pieces == 0) {
        return tolk_error_set(error, "the %s is empty", what);
    }
    if (sentence->pieces < sentence->all_pieces) {
        return tolk_error_set(error, "the %s has %zu pieces, the model reads at most %zu", what,
                              sentence->all_pieces, longest - 1);
    }
    return 0;
}

/* The model's own translation, as the sentence whose steps are looked at. */
static int translate(const struct tolk_session *session,
                     const struct tolk_translator_options *options, const char *text,
                     struct tolk_sentence *target, struct tolk_error *error)
{
    struct tolk_translator *const translator =
        tolk_translator_create(&session->model, session->codec, options, error);
    if (translator == NULL) {
        return -1;
    }
    struct tolk_translated result;
    const int status = tolk_translator_run(translator, &text, 1, &result, error);
    if (status == 0) {
        *target = result.items[0].sentence;
        result.items[0].sentence = (struct tolk_sentence){0};
        tolk_translated_free(&result);
    }
    tolk_translator_free(translator);
    return status;
}

static struct tolk_heatmap_options heatmap_options(const char *colour, FILE *out)
{
    const int descriptor = fileno(out);
    const bool terminal = descriptor >= 0 && isatty(descriptor) == 1;
    struct winsize size;
    struct tolk_heatmap_options options = {
        .colour = strcmp(colour, "auto") == 0 ? terminal : strcmp(colour, "always") == 0,
    };
    if (terminal && ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
        options.width = size.ws_col;
    }
    return options;
}

static int draw(const struct inspecting *work, const struct tolk_session *session,
                const struct tolk_sentence *source, const struct tolk_sentence *target,
                const struct tolk_attention_choice *choice, FILE *out, struct tolk_error *error)
{
    struct tolk_forcer *const forcer = tolk_forcer_create(&session->model, NULL, error);
    if (forcer == NULL) {
        return -1;
    }
    const struct tolk_sentence_pair pair = {source, target};
    struct tolk_reading reading = {0};
    const struct tolk_reading_options wanted = {
        .batch_tokens = TOLK_TRANSLATOR_BATCH_TOKENS,
        .choice = choice,
    };
    int status = tolk_read_pairs(forcer, &pair, 1, &wanted, &reading, error);
    if (status == 0) {
        const struct tolk_heatmap_options options = heatmap_options(work->colour, out);
        fprintf(out, "%s\n%s\n\n", source->text, target->text);
        status = tolk_heatmap_draw(source, target, &reading.attention, &options, out, error);
        tolk_reading_free(&reading);
    }
    tolk_forcer_free(forcer);
    return status == 0 ? tolk_command_flush(out, error) : -1;
}

static enum tolk_exit inspect(const struct inspecting *work, const struct tolk_session *session,
                              FILE *out, struct tolk_error *error)
{
    struct tolk_translator_options options =
        tolk_translator_options_default(&session->model.config);
    options.weights = session->weights;
    if (tolk_settings_search(&work->settings, &options, error) != 0 ||
        tolk_settings_choice(&work->settings, &session->model.config, &options.choice, error) !=
            0) {
        return TOLK_WRONG_USAGE;
    }
    options.words = true;
    struct tolk_sentence source = {0};
    struct tolk_sentence target = {0};
    int status = encode(session, TOLK_SOURCE, work->sentence, &source, error);
    if (status == 0) {
        status = work->given != NULL ? encode(session, TOLK_TARGET, work->given, &target, error)
                                     : translate(session, &options, work->sentence, &target, error);
    }
    if (status == 0) {
        status = draw(work, session, &source, &target, &options.choice, out, error);
    }
    tolk_sentence_free(&source);
    tolk_sentence_free(&target);
    return status == 0 ? TOLK_DONE : TOLK_FAILED;
}

static const char ABOUT[] =
    "Translates SENTENCE and draws where the model looked while it wrote each word: a row for "
    "each\n"
    "word of the translation, a column for each word of the sentence, the darker the more.\n";

int tolk_command_inspect(int argc, char **argv, FILE *out, FILE *log)
{
    struct inspecting work = {.settings = tolk_settings_default(), .colour = "auto"};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("given", 0, "TEXT", "look at this translation instead of the model's own",
                         &work.given),
        TOLK_CHOICE_OPTIONS(&work.settings),
        TOLK_OPTION_TEXT("colour", 0, "WHEN", "always, never, or auto: in a terminal (auto)",
                         &work.colour),
        TOLK_SEARCH_OPTIONS(&work.settings),
        TOLK_THREAD_OPTIONS(&work.settings),
    };
    const struct tolk_command command = {"tolk inspect", "MODEL SENTENCE", ABOUT, options,
                                         sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 2, 2, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    if (strcmp(work.colour, "auto") != 0 && strcmp(work.colour, "always") != 0 &&
        strcmp(work.colour, "never") != 0) {
        tolk_error_set(&error, "--colour: expected always, never or auto, found \"%s\"",
                       work.colour);
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    work.sentence = argv[first + 1];
    tolk_settings_threads(&work.settings);
    struct tolk_session session;
    if (tolk_session_open(&session, argv[first], work.given == NULL ? &work.settings : NULL,
                          &error) != 0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status = inspect(&work, &session, out, &error);
    tolk_session_close(&session);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
