#include "infer/heatmap.h"

/* A cell holds three digits; of a narrow terminal the words of the rows get a third. */
enum { NARROWEST_CELL = 3, NARROWEST_LABEL = 8, LABEL_SHARE = 3 };

/* What of a map is drawn, and how. */
struct part {
    const struct tolk_heatmap *map;
    const struct tolk_terminal *terminal;
    size_t label_width; /* of the rows */
    size_t begin, end;  /* columns */
    bool stairs;        /* column words on lines of their own, one step each */
    FILE *out;
};

static size_t cell_width(const struct part *part, size_t column)
{
    const size_t width = part->map->columns->items[column].width;
    return part->stairs || width < NARROWEST_CELL ? NARROWEST_CELL : width;
}

static size_t total_width(const struct part *part)
{
    size_t width = part->label_width;
    for (size_t s = part->begin; s < part->end; s++) {
        width += 1 + cell_width(part, s);
    }
    return width;
}

static void print_words_in_a_line(const struct part *part)
{
    fprintf(part->out, "%*s", (int)part->label_width, "");
    for (size_t s = part->begin; s < part->end; s++) {
        const struct tolk_label *const label = &part->map->columns->items[s];
        const size_t width = s + 1 < part->end ? cell_width(part, s) : label->width;
        fputc(' ', part->out);
        tolk_label_print_padded(label, width, part->terminal->ascii, part->out);
    }
    fputc('\n', part->out);
}

static void print_words_as_stairs(const struct part *part)
{
    const char *const rail = part->terminal->ascii ? "|" : "│";
    for (size_t step = part->begin; step < part->end; step++) {
        fprintf(part->out, "%*s", (int)part->label_width, "");
        for (size_t s = part->begin; s < step; s++) {
            fprintf(part->out, " %s%*s", rail, NARROWEST_CELL - 1, "");
        }
        const size_t at = part->label_width + (step - part->begin) * (1 + NARROWEST_CELL) + 1;
        const size_t room =
            part->terminal->width > at ? part->terminal->width - at : NARROWEST_CELL;
        fputc(' ', part->out);
        tolk_label_print(&part->map->columns->items[step], room, part->terminal->ascii, part->out);
        fputc('\n', part->out);
    }
}

static void print_part(const struct part *part)
{
    const struct tolk_heatmap *const map = part->map;
    if (part->stairs) {
        print_words_as_stairs(part);
    } else {
        print_words_in_a_line(part);
    }
    for (size_t t = 0; t < map->rows->count; t++) {
        tolk_label_print_padded(&map->rows->items[t], part->label_width, part->terminal->ascii,
                                part->out);
        for (size_t s = part->begin; s < part->end; s++) {
            fputc(' ', part->out);
            tolk_terminal_cell(part->terminal, (double)map->weights[t * map->columns->count + s],
                               cell_width(part, s), true, part->out);
        }
        fputc('\n', part->out);
    }
}

void tolk_heatmap_draw(const struct tolk_heatmap *map, const struct tolk_terminal *terminal,
                       FILE *out)
{
    const size_t share = terminal->width / LABEL_SHARE;
    const size_t most = share > NARROWEST_LABEL ? share : NARROWEST_LABEL;
    struct part part = {
        .map = map,
        .terminal = terminal,
        .label_width = map->rows->widest < most ? map->rows->widest : most,
        .end = map->columns->count,
        .out = out,
    };
    part.stairs = total_width(&part) > terminal->width;
    if (!part.stairs) {
        print_part(&part);
        return;
    }
    const size_t left = terminal->width > part.label_width ? terminal->width - part.label_width : 0;
    const size_t fitting = left / (1 + NARROWEST_CELL);
    const size_t columns = fitting > 0 ? fitting : 1;
    for (size_t begin = 0; begin < map->columns->count; begin += columns) {
        part.begin = begin;
        part.end = begin + columns < map->columns->count ? begin + columns : map->columns->count;
        if (begin > 0) {
            fputc('\n', out);
        }
        print_part(&part);
    }
}
