#include "infer/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "infer/head_grid.h"
#include "infer/heatmap.h"
#include "infer/inspection.h"
#include "infer/reading.h"
#include "infer/steps.h"

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

/* What is looked at. */
struct subject {
    const struct inspecting *work;
    const struct tolk_session *session;
    struct tolk_sentence source;
    struct tolk_sentence target;
    struct tolk_attention_choice choice;
    enum tolk_attention_kind kind;
    struct tolk_terminal terminal;
};

/* The words, or pieces, that look, and those that they look at. */
static int make_sides(const struct subject *subject, struct tolk_labels *rows,
                      struct tolk_labels *columns, struct tolk_error *error)
{
    const enum tolk_unit unit = subject->work->settings.pieces ? TOLK_PIECES : TOLK_WORDS;
    const bool inputs = subject->kind == TOLK_DECODER_SELF;
    const struct tolk_sentence *const from =
        subject->kind == TOLK_ENCODER_SELF ? &subject->source : &subject->target;
    const struct tolk_sentence *const to = inputs ? &subject->target : &subject->source;
    if (tolk_labels_make(rows, from, unit, false, error) != 0) {
        return -1;
    }
    if (tolk_labels_make(columns, to, unit, inputs, error) != 0) {
        tolk_labels_free(rows);
        return -1;
    }
    return 0;
}

/* The heads of the cross-attention that are drawn. */
static struct tolk_head_set chosen_heads(const struct tolk_attention_choice *choice)
{
    struct tolk_head_set set = {{0}};
    for (size_t i = 0; i < choice->head_count; i++) {
        tolk_head_set_add(&set, choice->layer, choice->heads[i]);
    }
    return choice->posterior ? choice->set : set;
}

/* ", layer 1 heads 0 2" for each layer with a head in the set. */
static void print_heads(const struct subject *subject, FILE *out)
{
    const struct tolk_config *const config = &subject->session->model.config;
    const struct tolk_head_set set = chosen_heads(&subject->choice);
    for (size_t l = 0; l < tolk_attention_layers(config, subject->kind); l++) {
        const bool several = (set.heads[l] & (set.heads[l] - 1)) != 0;
        if (set.heads[l] != 0) {
            fprintf(out, ", layer %zu head%s", l, several ? "s" : "");
        }
        for (size_t h = 0; h < tolk_attention_heads(config, subject->kind); h++) {
            if (tolk_head_set_has(&set, l, h)) {
                fprintf(out, " %zu", h);
            }
        }
    }
}

/* What the map shows. */
static void print_choice(const struct subject *subject, FILE *out)
{
    static const char *const names[] = {
        [TOLK_ENCODER_SELF] = "self-attention of the encoder",
        [TOLK_DECODER_SELF] = "self-attention of the decoder",
        [TOLK_CROSS] = "cross-attention",
    };
    const struct tolk_attention_choice *const choice = &subject->choice;
    const bool all = subject->work->all;
    if (choice->posterior && !all) {
        fputs("posterior attention: each source word by what it added to the word written\n\n",
              out);
        return;
    }
    fputs(names[subject->kind], out);
    if (all) {
        fputs(", every head", out);
    } else {
        print_heads(subject, out);
    }
    if (choice->shift && subject->kind != TOLK_ENCODER_SELF) {
        fputs(", shifted", out);
    }
    fputs(all && subject->kind == TOLK_CROSS ? "; * those chosen to align\n\n" : "\n\n", out);
}

static void print_sentences(const struct subject *subject, FILE *out)
{
    const struct tolk_sentence *const sides[] = {&subject->source, &subject->target};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        const size_t size = strlen(sides[i]->text);
        const struct tolk_label label = {sides[i]->text, size,
                                         tolk_text_width(sides[i]->text, size)};
        tolk_label_print(&label, label.width, subject->terminal.ascii, out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void draw_reading(const struct subject *subject, const struct tolk_reading *reading,
                         const struct tolk_labels *rows, const struct tolk_labels *columns,
                         FILE *out)
{
    print_sentences(subject, out);
    print_choice(subject, out);
    if (!subject->work->all) {
        const struct tolk_word_attention *const attention =
            subject->kind == TOLK_CROSS ? &reading->attention : &reading->views[0];
        const struct tolk_heatmap map = {rows, columns, attention->weights};
        tolk_heatmap_draw(&map, &subject->terminal, out);
        return;
    }
    const struct tolk_config *const config = &subject->session->model.config;
    const struct tolk_head_set marked = chosen_heads(&subject->choice);
    const struct tolk_head_grid grid = {
        .rows = rows,
        .columns = columns,
        .layers = tolk_attention_layers(config, subject->kind),
        .heads = tolk_attention_heads(config, subject->kind),
        .maps = reading->views,
        .marked = subject->kind == TOLK_CROSS ? &marked : NULL,
    };
    tolk_head_grid_draw(&grid, &subject->terminal, out);
}

/* One map, or those of all heads. */
static int draw(const struct subject *subject, FILE *out, struct tolk_error *error)
{
    const struct tolk_config *const config = &subject->session->model.config;
    const struct tolk_sentence_pair pair = {&subject->source, &subject->target};
    const struct tolk_attention_view chosen = {subject->kind, subject->choice};
    struct tolk_reading_options wanted = {
        .batch_tokens = TOLK_TRANSLATOR_BATCH_TOKENS,
        .choice = subject->kind == TOLK_CROSS ? &subject->choice : NULL,
        .views = &chosen,
        .view_count = subject->kind == TOLK_CROSS ? 0 : 1,
        .unit = subject->work->settings.pieces ? TOLK_PIECES : TOLK_WORDS,
    };
    struct tolk_attention_view *all = NULL;
    if (subject->work->all) {
        all = tolk_attention_views(config, subject->kind, &wanted.view_count);
        wanted.views = all;
        for (size_t i = 0; all != NULL && i < wanted.view_count; i++) {
            all[i].choice.shift = subject->choice.shift;
        }
    }
    struct tolk_labels rows, columns;
    struct tolk_reading reading = {0};
    struct tolk_forcer *const forcer = tolk_forcer_create(&subject->session->model, NULL, error);
    int status = forcer != NULL && wanted.views != NULL ? 0 : -1;
    if (status == 0) {
        status = tolk_read_pairs(forcer, &pair, 1, &wanted, &reading, error);
    }
    if (status == 0 && (status = make_sides(subject, &rows, &columns, error)) == 0) {
        draw_reading(subject, &reading, &rows, &columns, out);
        tolk_labels_free(&rows);
        tolk_labels_free(&columns);
    }
    tolk_reading_free(&reading);
    tolk_forcer_free(forcer);
    free(all);
    return status;
}

/* The row of the model that --word names: that of the word's first piece. */
static int find_row(const struct subject *subject, size_t *row, struct tolk_error *error)
{
    const enum tolk_unit unit = subject->work->settings.pieces ? TOLK_PIECES : TOLK_WORDS;
    const struct tolk_sentence *const side =
        subject->kind == TOLK_ENCODER_SELF ? &subject->source : &subject->target;
    const struct tolk_word_map map = tolk_sentence_map(side, unit);
    if (subject->work->word > map.words) {
        return tolk_error_set(error, "--word: the %s has %s 0 to %zu, the end among them, not %zu",
                              subject->kind == TOLK_ENCODER_SELF ? "sentence" : "translation",
                              unit == TOLK_PIECES ? "pieces" : "words", map.words,
                              subject->work->word);
    }
    *row = 0;
    while (*row < map.pieces && tolk_word_map_word(&map, *row) != subject->work->word) {
        (*row)++;
    }
    if (subject->choice.shift && subject->kind != TOLK_ENCODER_SELF && *row < map.pieces) {
        (*row)++;
    }
    return 0;
}

static enum tolk_exit walk(const struct subject *subject, FILE *out, struct tolk_error *error)
{
    struct tolk_steps steps = {
        .source = &subject->source,
        .target = &subject->target,
        .kind = subject->kind,
        .layer = subject->choice.layer,
        .head = subject->choice.head_count > 0 ? subject->choice.heads[0] : 0,
    };
    if (find_row(subject, &steps.row, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    struct tolk_inspection *const inspection =
        tolk_inspection_make(&subject->session->model, tolk_sentence_sequence(&subject->source),
                             tolk_sentence_sequence(&subject->target), error);
    if (inspection == NULL) {
        return TOLK_FAILED;
    }
    steps.inspection = inspection;
    print_sentences(subject, out);
    const int status = tolk_steps_print(&steps, &subject->terminal, out, error);
    tolk_inspection_free(inspection);
    return status == 0 ? TOLK_DONE : TOLK_FAILED;
}

static enum tolk_exit show(const struct subject *subject, FILE *out, struct tolk_error *error)
{
    const enum tolk_exit status = subject->work->steps             ? walk(subject, out, error)
                                  : draw(subject, out, error) == 0 ? TOLK_DONE
                                                                   : TOLK_FAILED;
    return status == TOLK_DONE && tolk_command_flush(out, error) != 0 ? TOLK_FAILED : status;
}

static enum tolk_exit inspect(const struct inspecting *work, const struct tolk_session *session,
                              FILE *out, struct tolk_error *error)
{
    static const enum tolk_attention_kind kinds[] = {TOLK_CROSS, TOLK_ENCODER_SELF,
                                                     TOLK_DECODER_SELF};
    struct subject subject = {.work = work, .session = session, .kind = kinds[work->kind]};
    struct tolk_translator_options options =
        tolk_translator_options_default(&session->model.config);
    options.weights = session->weights;
    options.words = true;
    if (tolk_settings_search(&work->settings, &options, error) != 0 ||
        tolk_settings_choice_kind(&work->settings, &session->model.config, subject.kind,
                                  &subject.choice, error) != 0) {
        return TOLK_WRONG_USAGE;
    }
    subject.terminal = tolk_terminal_of(out, (enum tolk_when)work->colour);
    subject.terminal.ascii = subject.terminal.ascii || work->ascii;
    int status = encode(session, TOLK_SOURCE, work->sentence, &subject.source, error);
    if (status == 0) {
        status = work->given != NULL
                     ? encode(session, TOLK_TARGET, work->given, &subject.target, error)
                     : translate(session, &options, work->sentence, &subject.target, error);
    }
    const enum tolk_exit shown = status == 0 ? show(&subject, out, error) : TOLK_FAILED;
    tolk_sentence_free(&subject.source);
    tolk_sentence_free(&subject.target);
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
    "With --steps it walks through the attention of one word in numbers.\n";

int tolk_command_inspect(int argc, char **argv, FILE *out, FILE *log)
{
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
    struct tolk_session session;
    if (tolk_session_open(&session, argv[first], work.given == NULL ? &work.settings : NULL,
                          &error) != 0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status = inspect(&work, &session, out, &error);
    tolk_session_close(&session);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
