/* Draws what the other programs noted: a bar for each fraction of the limit.
 *
 *     plot TITLE NOTES.tsv PICTURE.svg */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "corpora/lines.h"

enum {
    WIDTH = 720,
    LEFT = 300,  /* labels end here, bars begin */
    RIGHT = 660, /* of the longest bar; its number stands behind it */
    TOP = 56,
    ROW = 24,
    BAR = 15,
    MOST_ROWS = 200,
    MOST_FRACTION = 20, /* the grid has a line each fifth */
};

struct row {
    char *label;
    double fraction;
};

static int read_rows(const char *path, struct row *rows, size_t *count, struct tolk_error *error)
{
    struct tolk_lines lines;
    int got = 0;
    *count = 0;
    if (tolk_lines_open(&lines, path, error) != 0) {
        return -1;
    }
    while (*count < MOST_ROWS && (got = tolk_lines_next(&lines, error)) > 0) {
        const char *tab = strchr(lines.text, '\t');
        const double fraction = tab != NULL ? atof(tab + 1) : -1;
        if (!(fraction >= 0 && fraction <= MOST_FRACTION)) {
            got = tolk_error_set(error, "%s:%zu: expected a label, a tab and a fraction", path,
                                 lines.number);
            break;
        }
        rows[*count].label = strndup(lines.text, (size_t)(tab - lines.text));
        rows[(*count)++].fraction = fraction;
    }
    tolk_lines_close(&lines);
    return got < 0 ? -1 : 0;
}

static const char STYLE[] = "<style>\n"
                            "svg { background: #fff; }\n"
                            "text { font: 12px sans-serif; fill: #222; }\n"
                            ".title { font-weight: bold; }\n"
                            ".end { text-anchor: end; }\n"
                            ".middle { text-anchor: middle; }\n"
                            ".grid { stroke: #ddd; }\n"
                            ".limit { stroke: #c4501b; }\n"
                            ".bar { fill: #1f6fb4; }\n"
                            "@media (prefers-color-scheme: dark) {\n"
                            "  svg { background: #16181c; }\n"
                            "  text { fill: #ddd; } .grid { stroke: #333; }\n"
                            "  .limit { stroke: #f0925f; } .bar { fill: #6cb2f0; }\n"
                            "}\n"
                            "</style>\n";

/* A line each fifth of the limit, the limit itself in another colour. */
static void draw_grid(FILE *svg, double most, double scale, int bottom)
{
    static const double STEP = 0.2;
    for (double v = 0; v <= most + STEP / 2; v += STEP) {
        const double x = LEFT + v * scale;
        fprintf(svg,
                "<path class=\"%s\" d=\"M%.1f %dV%d\"/><text class=\"middle\" x=\"%.1f\" "
                "y=\"%d\">%.0f %%</text>\n",
                fabs(v - 1) < STEP / 2 ? "limit" : "grid", x, TOP - 6, bottom, x, bottom + 16,
                100 * v);
    }
}

static void draw(FILE *svg, const char *title, const struct row *rows, size_t count)
{
    const int bottom = TOP + ROW * (int)count, height = bottom + 36;
    double most = 1;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, rows[i].fraction);
    }
    const double scale = (RIGHT - LEFT) / most;
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"%s\">\n%s<text class=\"title\" x=\"16\" y=\"24\">%s</text>\n",
            WIDTH, height, title, STYLE, title);
    draw_grid(svg, most, scale, bottom);
    for (size_t i = 0; i < count; i++) {
        const double width = scale * rows[i].fraction;
        const int y = TOP + ROW * (int)i;
        fprintf(svg,
                "<text class=\"end\" x=\"%d\" y=\"%d\">%s</text><rect class=\"bar\" x=\"%d\" "
                "y=\"%d\" width=\"%.1f\" height=\"%d\"/><text x=\"%.1f\" y=\"%d\">%.0f "
                "%%</text>\n",
                LEFT - 8, y + 12, rows[i].label, LEFT, y, width, BAR, LEFT + width + 5, y + 12,
                100 * rows[i].fraction);
    }
    fprintf(svg, "</svg>\n");
}

int main(int argc, char **argv)
{
    static struct row rows[MOST_ROWS];
    struct tolk_error error;
    size_t count = 0, size = 0;
    char *text = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: plot TITLE NOTES.tsv PICTURE.svg\n");
        return 2;
    }
    FILE *svg = open_memstream(&text, &size);
    if (svg == NULL) {
        perror(argv[0]);
        return 1;
    }
    if (read_rows(argv[2], rows, &count, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    draw(svg, argv[1], rows, count);
    fclose(svg);
    const int status = tolk_file_write_atomic(argv[3], text, size, &error);
    if (status != 0) {
        fprintf(stderr, "%s\n", error.message);
    }
    for (size_t i = 0; i < count; i++) {
        free(rows[i].label);
    }
    free(text);
    return status == 0 ? 0 : 1;
}
