#include "infer/heatmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

static const char END[] = "(end)";
static const char *const SHADES[] = {" ", "░", "▒", "▓", "█"};
/* Colours of the 256-colour palette, from little to much, and of the number on it. */
static const int BACKGROUNDS[] = {235, 17, 18, 24, 31, 38, 45, 51};
static const int INKS[] = {244, 250, 252, 255, 255, 16, 16, 16};
enum {
    SHADE_COUNT = sizeof SHADES / sizeof SHADES[0],
    COLOUR_COUNT = sizeof BACKGROUNDS / sizeof BACKGROUNDS[0],
    NARROWEST_CELL = 3
};

/* The words of one side and the end of the sentence: a label each. */
struct label {
    const char *text;
    size_t size;
    size_t width;
};

struct heatmap {
    const struct tolk_word_attention *attention;
    struct label *columns; /* [source words + 1] */
    struct label *rows;    /* [target words + 1] */
    size_t label_width;    /* of the rows */
    bool stairs;           /* column words on lines of their own, one step each */
    bool colour;
};

size_t tolk_text_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        const size_t length = tolk_utf8_decode(text + i, size - i, &point);
        if (length == 0) {
            return width;
        }
        width += (size_t)utf8proc_charwidth((utf8proc_int32_t)point);
        i += length;
    }
    return width;
}

static struct label *make_labels(const struct tolk_sentence *sentence)
{
    const size_t words = sentence->words.count;
    struct label *const labels = calloc(words + 1, sizeof *labels);
    if (labels == NULL) {
        return NULL;
    }
    for (size_t w = 0; w < words; w++) {
        labels[w].text = sentence->text + sentence->words.begin[w];
        labels[w].size = sentence->words.end[w] - sentence->words.begin[w];
        labels[w].width = tolk_text_width(labels[w].text, labels[w].size);
    }
    labels[words] = (struct label){END, strlen(END), strlen(END)};
    return labels;
}

static void print_label(const struct label *label, size_t width, FILE *out)
{
    fprintf(out, "%.*s", (int)label->size, label->text);
    for (size_t i = label->width; i < width; i++) {
        fputc(' ', out);
    }
}

static size_t cell_width(const struct heatmap *map, size_t column)
{
    const size_t width = map->columns[column].width;
    return map->stairs || width < NARROWEST_CELL ? NARROWEST_CELL : width;
}

static size_t total_width(const struct heatmap *map)
{
    size_t width = map->label_width;
    for (size_t s = 0; s <= map->attention->source_words; s++) {
        width += 1 + cell_width(map, s);
    }
    return width;
}

static void print_words_in_a_line(const struct heatmap *map, FILE *out)
{
    fprintf(out, "%*s", (int)map->label_width, "");
    for (size_t s = 0; s <= map->attention->source_words; s++) {
        fputc(' ', out);
        print_label(&map->columns[s], s == map->attention->source_words ? 0 : cell_width(map, s),
                    out);
    }
    fputc('\n', out);
}

static void print_words_as_stairs(const struct heatmap *map, FILE *out)
{
    for (size_t step = 0; step <= map->attention->source_words; step++) {
        fprintf(out, "%*s", (int)map->label_width, "");
        for (size_t s = 0; s < step; s++) {
            fprintf(out, " │%*s", NARROWEST_CELL - 1, "");
        }
        fputc(' ', out);
        print_label(&map->columns[step], 0, out);
        fputc('\n', out);
    }
}

/* The step of a scale of `count` steps that stands for a weight from 0 to 1. */
static size_t scale_step(double weight, size_t count)
{
    const double step = weight * (double)(count - 1) + 0.5;
    return step < 0 ? 0 : step >= (double)count ? count - 1 : (size_t)step;
}

static void print_cell(const struct heatmap *map, double weight, size_t width, FILE *out)
{
    if (!map->colour) {
        const char *const shade = SHADES[scale_step(weight, SHADE_COUNT)];
        for (size_t i = 0; i < width; i++) {
            fputs(shade, out);
        }
        return;
    }
    const size_t step = scale_step(weight, COLOUR_COUNT);
    const size_t hundredths = scale_step(weight, 101);
    const size_t left = (width - NARROWEST_CELL) / 2;
    fprintf(out, "\033[48;5;%d;38;5;%dm%*s%3zu%*s\033[0m", BACKGROUNDS[step], INKS[step], (int)left,
            "", hundredths, (int)(width - NARROWEST_CELL - left), "");
}

static void print_rows(const struct heatmap *map, FILE *out)
{
    const size_t columns = map->attention->source_words + 1;
    for (size_t t = 0; t <= map->attention->target_words; t++) {
        print_label(&map->rows[t], map->label_width, out);
        for (size_t s = 0; s < columns; s++) {
            fputc(' ', out);
            print_cell(map, (double)map->attention->weights[t * columns + s], cell_width(map, s),
                       out);
        }
        fputc('\n', out);
    }
}

int tolk_heatmap_draw(const struct tolk_sentence *source, const struct tolk_sentence *target,
                      const struct tolk_word_attention *attention,
                      const struct tolk_heatmap_options *options, FILE *out,
                      struct tolk_error *error)
{
    struct heatmap map = {
        .attention = attention,
        .columns = make_labels(source),
        .rows = make_labels(target),
        .colour = options->colour,
    };
    if (map.columns == NULL || map.rows == NULL) {
        free(map.columns);
        free(map.rows);
        return tolk_error_set(error, "out of memory for a heat map");
    }
    for (size_t t = 0; t <= attention->target_words; t++) {
        map.label_width = map.rows[t].width > map.label_width ? map.rows[t].width : map.label_width;
    }
    map.stairs = options->width > 0 && total_width(&map) > options->width;
    if (map.stairs) {
        print_words_as_stairs(&map, out);
    } else {
        print_words_in_a_line(&map, out);
    }
    print_rows(&map, out);
    free(map.columns);
    free(map.rows);
    return 0;
}
