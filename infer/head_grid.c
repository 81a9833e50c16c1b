#include "infer/head_grid.h"

enum {
    WIDEST_CELL = 3,
    WIDEST_LABEL = 14,
    GAP = 2,
    LONG_TITLE = sizeof "layer 0 head 0*",
    SHORT_TITLE = sizeof "L0 H0*",
    TITLE_ROOM = 64
};

/* What the width of the terminal makes of the grid. */
struct frame {
    const struct tolk_head_grid *grid;
    const struct tolk_terminal *terminal;
    size_t label_width; /* of the rows */
    size_t cell;        /* columns of the terminal that a cell takes */
    size_t merged;      /* columns of the map that share a cell */
    size_t cells;       /* of a row of a map */
    size_t tile;        /* columns of the terminal that a map takes */
    size_t beside;      /* maps beside each other */
    FILE *out;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct frame make_frame(const struct tolk_head_grid *grid,
                               const struct tolk_terminal *terminal, FILE *out)
{
    struct frame frame = {.grid = grid, .terminal = terminal, .merged = 1, .out = out};
    frame.label_width = smaller(grid->rows->widest, WIDEST_LABEL);
    const size_t room =
        greater(terminal->width, frame.label_width + GAP + SHORT_TITLE) - frame.label_width;
    const size_t columns = grid->columns->count;
    frame.cell = WIDEST_CELL;
    while (frame.cell > 1 &&
           grid->heads * (GAP + greater(columns * frame.cell, SHORT_TITLE)) > room) {
        frame.cell--;
    }
    if (columns > room - GAP) {
        frame.merged = (columns + room - GAP - 1) / (room - GAP);
    }
    frame.cells = (columns + frame.merged - 1) / frame.merged;
    frame.tile = greater(frame.cells * frame.cell, SHORT_TITLE);
    frame.beside = smaller(greater(room / (GAP + frame.tile), 1), grid->heads);
    return frame;
}

/* "0 De  1 kat …", broken where the terminal ends. */
static void print_legend(const struct frame *frame)
{
    const struct tolk_labels *const columns = frame->grid->columns;
    size_t at = 0;
    for (size_t s = 0; s < columns->count; s++) {
        char number[TITLE_ROOM];
        const size_t digits = (size_t)snprintf(number, sizeof number, "%zu ", s);
        const size_t room = frame->terminal->width > digits ? frame->terminal->width - digits : 1;
        const size_t width = digits + smaller(columns->items[s].width, room);
        if (at > 0 && at + GAP + width > frame->terminal->width) {
            fputc('\n', frame->out);
            at = 0;
        }
        at += (size_t)fprintf(frame->out, "%*s%s", at > 0 ? GAP : 0, "", number);
        at += tolk_label_print(&columns->items[s], room, frame->terminal->ascii, frame->out);
    }
    fputc('\n', frame->out);
    if (frame->merged > 1) {
        fprintf(frame->out, "Each cell is the greatest weight of %zu columns.\n", frame->merged);
    }
}

static void print_titles(const struct frame *frame, size_t layer, size_t begin, size_t end)
{
    fprintf(frame->out, "%*s", (int)frame->label_width, "");
    const struct tolk_head_set *const marked = frame->grid->marked;
    for (size_t head = begin; head < end; head++) {
        char title[TITLE_ROOM];
        snprintf(title, sizeof title,
                 frame->tile >= LONG_TITLE ? "layer %zu head %zu%s" : "L%zu H%zu%s", layer, head,
                 marked != NULL && tolk_head_set_has(marked, layer, head) ? "*" : "");
        fprintf(frame->out, "%*s%-*s", GAP, "", head + 1 < end ? (int)frame->tile : 0, title);
    }
    fputc('\n', frame->out);
}

/* The numbers of the columns, or of as many of their last digits as a cell holds. */
static void print_numbers(const struct frame *frame, size_t maps)
{
    fprintf(frame->out, "%*s", (int)frame->label_width, "");
    for (size_t i = 0; i < maps; i++) {
        fprintf(frame->out, "%*s", GAP, "");
        for (size_t s = 0; s < frame->cells; s++) {
            const size_t shown = frame->cell == 1 ? s % 10 : frame->cell == 2 ? s % 100 : s % 1000;
            fprintf(frame->out, "%-*zu", (int)frame->cell, shown);
        }
        if (i + 1 < maps) {
            fprintf(frame->out, "%*s", (int)(frame->tile - frame->cells * frame->cell), "");
        }
    }
    fputc('\n', frame->out);
}

static void print_row(const struct frame *frame, const struct tolk_word_attention *map, size_t t)
{
    const size_t columns = frame->grid->columns->count;
    const float *const row = map->weights + t * columns;
    for (size_t s = 0; s < columns; s += frame->merged) {
        double most = 0;
        for (size_t i = s; i < smaller(s + frame->merged, columns); i++) {
            most = (double)row[i] > most ? (double)row[i] : most;
        }
        tolk_terminal_cell(frame->terminal, most, frame->cell, false, frame->out);
    }
}

/* Heads [begin, end) of a layer beside each other. */
static void print_band(const struct frame *frame, size_t layer, size_t begin, size_t end)
{
    const struct tolk_head_grid *const grid = frame->grid;
    print_titles(frame, layer, begin, end);
    if (frame->merged == 1) {
        print_numbers(frame, end - begin);
    }
    for (size_t t = 0; t < grid->rows->count; t++) {
        tolk_label_print_padded(&grid->rows->items[t], frame->label_width, frame->terminal->ascii,
                                frame->out);
        for (size_t head = begin; head < end; head++) {
            fprintf(frame->out, "%*s", GAP, "");
            print_row(frame, &grid->maps[layer * grid->heads + head], t);
            if (head + 1 < end) {
                fprintf(frame->out, "%*s", (int)(frame->tile - frame->cells * frame->cell), "");
            }
        }
        fputc('\n', frame->out);
    }
}

void tolk_head_grid_draw(const struct tolk_head_grid *grid, const struct tolk_terminal *terminal,
                         FILE *out)
{
    const struct frame frame = make_frame(grid, terminal, out);
    print_legend(&frame);
    for (size_t layer = 0; layer < grid->layers; layer++) {
        for (size_t begin = 0; begin < grid->heads; begin += frame.beside) {
            fputc('\n', out);
            print_band(&frame, layer, begin, smaller(begin + frame.beside, grid->heads));
        }
    }
}
