#include "infer/subject.h"

#include <stdlib.h>
#include <string.h>

#include "infer/head_grid.h"
#include "infer/heatmap.h"
#include "infer/inspection.h"
#include "infer/reading.h"
#include "infer/steps.h"
#include "infer/translator.h"

/* The words, or pieces, that look, and those that they look at. */
static int make_sides(const struct tolk_subject *subject, struct tolk_labels *rows,
                      struct tolk_labels *columns, struct tolk_error *error)
{
    const bool inputs = subject->kind == TOLK_DECODER_SELF;
    const struct tolk_sentence *const from =
        subject->kind == TOLK_ENCODER_SELF ? subject->source : subject->target;
    const struct tolk_sentence *const to = inputs ? subject->target : subject->source;
    if (tolk_labels_make(rows, from, subject->unit, false, error) != 0) {
        return -1;
    }
    if (tolk_labels_make(columns, to, subject->unit, inputs, error) != 0) {
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
static void print_heads(const struct tolk_subject *subject, FILE *out)
{
    const struct tolk_config *const config = &subject->model->config;
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
static void print_choice(const struct tolk_subject *subject, FILE *out)
{
    static const char *const names[] = {
        [TOLK_ENCODER_SELF] = "self-attention of the encoder",
        [TOLK_DECODER_SELF] = "self-attention of the decoder",
        [TOLK_CROSS] = "cross-attention",
    };
    const struct tolk_attention_choice *const choice = &subject->choice;
    const bool all = subject->all;
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

static void print_sentences(const struct tolk_subject *subject, FILE *out)
{
    const struct tolk_sentence *const sides[] = {subject->source, subject->target};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        const size_t size = strlen(sides[i]->text);
        const struct tolk_label label = {sides[i]->text, size,
                                         tolk_text_width(sides[i]->text, size)};
        tolk_label_print(&label, label.width, subject->terminal->ascii, out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void draw_reading(const struct tolk_subject *subject, const struct tolk_reading *reading,
                         const struct tolk_labels *rows, const struct tolk_labels *columns,
                         FILE *out)
{
    print_sentences(subject, out);
    print_choice(subject, out);
    if (!subject->all) {
        const struct tolk_word_attention *const attention =
            subject->kind == TOLK_CROSS ? &reading->attention : &reading->views[0];
        const struct tolk_heatmap map = {rows, columns, attention->weights};
        tolk_heatmap_draw(&map, subject->terminal, out);
        tolk_terminal_legend(subject->terminal, true, out);
        return;
    }
    const struct tolk_config *const config = &subject->model->config;
    const struct tolk_head_set marked = chosen_heads(&subject->choice);
    const struct tolk_head_grid grid = {
        .rows = rows,
        .columns = columns,
        .layers = tolk_attention_layers(config, subject->kind),
        .heads = tolk_attention_heads(config, subject->kind),
        .maps = reading->views,
        .marked = subject->kind == TOLK_CROSS ? &marked : NULL,
    };
    tolk_head_grid_draw(&grid, subject->terminal, out);
    tolk_terminal_legend(subject->terminal, false, out);
}

int tolk_subject_draw(const struct tolk_subject *subject, FILE *out, struct tolk_error *error)
{
    const struct tolk_config *const config = &subject->model->config;
    const struct tolk_sentence_pair pair = {subject->source, subject->target};
    const struct tolk_attention_view chosen = {subject->kind, subject->choice};
    struct tolk_reading_options wanted = {
        .batch_tokens = TOLK_TRANSLATOR_BATCH_TOKENS,
        .choice = subject->kind == TOLK_CROSS ? &subject->choice : NULL,
        .views = &chosen,
        .view_count = subject->kind == TOLK_CROSS ? 0 : 1,
        .unit = subject->unit,
    };
    struct tolk_attention_view *all = NULL;
    if (subject->all) {
        all = tolk_attention_views(config, subject->kind, &wanted.view_count);
        if (all == NULL) {
            return tolk_error_set(error, "out of memory for the attention of all heads");
        }
        wanted.views = all;
        for (size_t i = 0; i < wanted.view_count; i++) {
            all[i].choice.shift = subject->choice.shift;
        }
    }
    struct tolk_labels rows, columns;
    struct tolk_reading reading = {0};
    struct tolk_forcer *const forcer = tolk_forcer_create(subject->model, NULL, error);
    int status = forcer != NULL ? 0 : -1;
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

int tolk_subject_row(const struct tolk_subject *subject, size_t word, size_t *row,
                     struct tolk_error *error)
{
    const struct tolk_sentence *const side =
        subject->kind == TOLK_ENCODER_SELF ? subject->source : subject->target;
    const struct tolk_word_map map = tolk_sentence_map(side, subject->unit);
    if (word > map.words) {
        return tolk_error_set(error, "--word: the %s has %s 0 to %zu, the end among them, not %zu",
                              subject->kind == TOLK_ENCODER_SELF ? "sentence" : "translation",
                              subject->unit == TOLK_PIECES ? "pieces" : "words", map.words, word);
    }
    *row = 0;
    while (*row < map.pieces && tolk_word_map_word(&map, *row) != word) {
        (*row)++;
    }
    if (subject->choice.shift && subject->kind != TOLK_ENCODER_SELF && *row < map.pieces) {
        (*row)++;
    }
    return 0;
}

int tolk_subject_walk(const struct tolk_subject *subject, size_t row, FILE *out,
                      struct tolk_error *error)
{
    const struct tolk_attention_choice *const choice = &subject->choice;
    struct tolk_inspection *const inspection =
        tolk_inspection_make(subject->model, tolk_sentence_sequence(subject->source),
                             tolk_sentence_sequence(subject->target), error);
    if (inspection == NULL) {
        return -1;
    }
    const struct tolk_steps steps = {
        .inspection = inspection,
        .source = subject->source,
        .target = subject->target,
        .kind = subject->kind,
        .layer = choice->layer,
        .head = choice->head_count > 0 ? choice->heads[0] : 0,
        .row = row,
    };
    print_sentences(subject, out);
    const int status = tolk_steps_print(&steps, subject->terminal, out, error);
    tolk_inspection_free(inspection);
    return status;
}
