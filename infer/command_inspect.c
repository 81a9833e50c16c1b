#include "infer/command_inspect.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "infer/subject.h"

struct inspecting {
    struct tolk_settings settings;
    const char *sentence;
    const char *given; /* a translation to look at; NULL: the model's own */
    size_t colour;     /* enum tolk_when */
    size_t kind;       /* a word of --kind */
    bool all;          /* every layer and head */
    bool steps;        /* in numbers */
    size_t word;       /* whose */
    bool ascii;
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

int tolk_inspect_encode(const struct tolk_session *session, enum tolk_side side, const char *text,
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

int tolk_inspect_translate(const struct tolk_session *session,
                           const struct tolk_translator_options *options, const char *text,
                           struct tolk_sentence *target, struct tolk_error *error)
{
    struct tolk_translator *const translator =
        tolk_translator_create(&session->model, session->codec, options, error);
    if (translator == NULL) {
        return -1;
    }
    struct tolk_translated result = {0};
    const int status = tolk_translator_run(translator, &text, 1, &result, error);
    if (status == 0) {
        *target = result.items[0].sentence;
        result.items[0].sentence = (struct tolk_sentence){0};
        tolk_translated_free(&result);
    }
    tolk_translator_free(translator);
    return status;
}

/* Wrong usage is left to say where the words are known: --word. */
static enum tolk_exit show(const struct inspecting *work, const struct tolk_subject *subject,
                           FILE *out, struct tolk_error *error)
{
    size_t row = 0;
    if (work->steps && tolk_subject_row(subject, work->word, &row, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    const int status = work->steps ? tolk_subject_walk(subject, row, out, error)
                                   : tolk_subject_draw(subject, out, error);
    return status == 0 && tolk_command_flush(out, error) == 0 ? TOLK_DONE : TOLK_FAILED;
}

static enum tolk_exit inspect(const struct inspecting *work, const struct tolk_session *session,
                              FILE *out, struct tolk_error *error)
{
    static const enum tolk_attention_kind kinds[] = {TOLK_CROSS, TOLK_ENCODER_SELF,
                                                     TOLK_DECODER_SELF};
    struct tolk_sentence source = {0};
    struct tolk_sentence target = {0};
    struct tolk_terminal terminal = tolk_terminal_of(out, (enum tolk_when)work->colour);
    terminal.ascii = terminal.ascii || work->ascii;
    struct tolk_subject subject = {
        .model = &session->model,
        .source = &source,
        .target = &target,
        .terminal = &terminal,
        .kind = kinds[work->kind],
        .unit = work->settings.pieces ? TOLK_PIECES : TOLK_WORDS,
        .all = work->all,
    };
    struct tolk_translator_options options =
        tolk_translator_options_default(&session->model.config);
    options.weights = session->weights;
    options.words = true;
    if (tolk_settings_search(&work->settings, &options, error) != 0 ||
        tolk_settings_choice_kind(&work->settings, &session->model.config, subject.kind,
                                  &subject.choice, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    int status = tolk_inspect_encode(session, TOLK_SOURCE, work->sentence, &source, error);
    if (status == 0) {
        status = work->given != NULL
                     ? tolk_inspect_encode(session, TOLK_TARGET, work->given, &target, error)
                     : tolk_inspect_translate(session, &options, work->sentence, &target, error);
    }
    const enum tolk_exit shown = status == 0 ? show(work, &subject, out, error) : TOLK_FAILED;
    tolk_sentence_free(&source);
    tolk_sentence_free(&target);
    return shown;
}

/* Options that make no sense together. */
static int check_options(const struct inspecting *work, struct tolk_error *error)
{
    const bool one = work->settings.layer != TOLK_NOT_GIVEN_SIZE || work->settings.heads != NULL;
    if (work->all && (one || work->steps)) {
        return tolk_error_set(error, "--all shows every layer and head: leave out %s",
                              work->steps                    ? "--steps"
                              : work->settings.heads != NULL ? "--head"
                                                             : "--layer");
    }
    if (work->word != TOLK_NOT_GIVEN_SIZE && !work->steps) {
        return tolk_error_set(error, "--word needs --steps");
    }
    return 0;
}

static const char ABOUT[] =
    "Translates SENTENCE and draws where the model looked while it wrote each word: a row for "
    "each\n"
    "word of the translation, a column for each word of the sentence, the darker the more.\n"
    "With --steps it walks through the attention of one word in numbers.\n"
    "`tolk inspect --html FILE …` writes a page instead; `tolk inspect --html FILE --help`.\n";

int tolk_command_inspect(int argc, char **argv, FILE *out, FILE *log)
{
    if (tolk_command_has_option(argc, argv, "--html")) {
        return tolk_command_inspect_html(argc, argv, out, log);
    }
    struct inspecting work = {.settings = tolk_settings_default(), .word = TOLK_NOT_GIVEN_SIZE};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("given", 0, "TEXT", "look at this translation instead of the model's own",
                         &work.given),
        TOLK_OPTION_CHOICE("kind", 0, "cross|encoder|decoder",
                           "attention between the sentences, or of the encoder or\nthe decoder to "
                           "itself (cross)",
                           &work.kind),
        TOLK_CHOICE_OPTIONS(&work.settings),
        TOLK_OPTION_FLAG("all", 0, "small maps of every layer and head, the chosen starred",
                         &work.all),
        TOLK_OPTION_FLAG("pieces", 0, "the model's pieces instead of words", &work.settings.pieces),
        TOLK_OPTION_FLAG("steps", 0, "embedding, q, k, v, scores, softmax and sum in numbers",
                         &work.steps),
        TOLK_OPTION_SIZE("word", 0, "N",
                         "with --steps: the word that looks, from 0, or with\n--pieces the piece "
                         "(0)",
                         &work.word, 0, TOLK_MOST_TOKENS),
        TOLK_OPTION_CHOICE("colour", 0, TOLK_WHEN_WORDS,
                           "auto: in a terminal that has colours and without\n$NO_COLOR (auto)",
                           &work.colour),
        TOLK_OPTION_FLAG("ascii", 0, "draw with ASCII characters", &work.ascii),
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
    if (check_options(&work, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    work.word = work.word == TOLK_NOT_GIVEN_SIZE ? 0 : work.word;
    work.sentence = argv[first + 1];
    tolk_settings_threads(&work.settings);
    struct tolk_session session = {.codec = NULL};
    work.settings.scores = true;
    if (tolk_session_open(&session, argv[first], work.given == NULL ? &work.settings : NULL,
                          &error) != 0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status = inspect(&work, &session, out, &error);
    tolk_session_close(&session);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
