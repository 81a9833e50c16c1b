#include "train/curves.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "train/log.h"

enum {
    WIDTH = 720,
    HEIGHT = 560,
    LEFT = 56,     /* of a panel, in user units */
    RIGHT = 650,   /* names of the series stand behind it */
    PANEL = 210,   /* height of a panel */
    TOP_LOSS = 40, /* where the panels begin */
    TOP_SCORES = 300,
    TICKS = 5,        /* about so many on an axis */
    MOST_POINTS = 600 /* of a curve; more would not be seen */
};

/* A straight map from values to places on the picture. */
struct axis {
    double low, high;   /* values */
    double begin, size; /* places */
};

static double place(const struct axis *axis, double value)
{
    return axis->begin + axis->size * (value - axis->low) / (axis->high - axis->low);
}

/* 1, 2 or 5 times a power of ten, about `TICKS` of them in the range. */
static double tick_distance(double range)
{
    const double rough = range / TICKS;
    const double power = pow(10, floor(log10(rough)));
    const double digits = rough / power;
    return power * (digits < 1.5 ? 1 : digits < 3.5 ? 2 : digits < 7.5 ? 5 : 10);
}

/* Which number of a record a curve shows. */
struct curve {
    const char *name;
    const char *class;
    enum tolk_log_type type;
    size_t offset;
};

#define AT(field) offsetof(struct tolk_log_record, field)

static const struct curve LOSSES[] = {
    {"train", "a", TOLK_LOG_UPDATE, AT(loss)},
    {"dev", "b", TOLK_LOG_VALIDATION, AT(loss)},
};
static const struct curve SCORES[] = {
    {"BLEU", "a", TOLK_LOG_VALIDATION, AT(bleu)},
    {"chrF", "b", TOLK_LOG_VALIDATION, AT(chrf)},
};
enum { CURVES = 2 };

struct records {
    struct tolk_log_record *items;
    size_t count;
};

static bool value_of(const struct curve *curve, const struct tolk_log_record *record, double *value)
{
    *value = *(const double *)(const void *)((const char *)record + curve->offset);
    return record->type == curve->type && isfinite(*value);
}

/* The least and greatest value of both curves, with a little air; false when there is none. */
static bool span(const struct records *records, const struct curve *curves, struct axis *axis)
{
    double value = 0;
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < records->count; i++) {
        for (size_t c = 0; c < CURVES; c++) {
            if (value_of(&curves[c], &records->items[i], &value)) {
                low = fmin(low, value);
                high = fmax(high, value);
            }
        }
    }
    if (low > high) {
        return false;
    }
    const double air = low < high ? (high - low) / 20 : 0.5;
    axis->low = fmax(low - air, 0);
    axis->high = high + air;
    return true;
}

static void draw_axes(FILE *svg, const struct axis *x, const struct axis *y, const char *title)
{
    const double bottom = y->begin;
    fprintf(svg, "<text class=\"title\" x=\"%d\" y=\"%g\">%s</text>\n", LEFT, bottom - PANEL - 12,
            title);
    const double dy = tick_distance(y->high - y->low);
    for (double v = ceil(y->low / dy) * dy; v <= y->high; v += dy) {
        const double at = place(y, v);
        fprintf(svg,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"end\" x=\"%d\" y=\"%.1f\">"
                "%.4g</text>\n",
                LEFT, at, RIGHT, LEFT - 6, at + 4, v);
    }
    const double dx = fmax(tick_distance(x->high - x->low), 1);
    for (double v = ceil(x->low / dx) * dx; v <= x->high; v += dx) {
        const double at = place(x, v);
        fprintf(svg,
                "<path class=\"axis\" d=\"M%.1f %gv4\"/><text class=\"middle\" x=\"%.1f\" "
                "y=\"%g\">%.10g</text>\n",
                at, bottom, at, bottom + 18, v);
    }
    fprintf(svg, "<path class=\"axis\" d=\"M%d %gV%gH%d\"/>\n", LEFT, bottom - PANEL, bottom,
            RIGHT);
}

/* One curve and, where it ends, its name; dots where it has few points. */
static void draw_curve(FILE *svg, const struct records *records, const struct curve *curve,
                       const struct axis *x, const struct axis *y, double *name_at)
{
    double value = 0;
    size_t points = 0;
    for (size_t i = 0; i < records->count; i++) {
        points += value_of(curve, &records->items[i], &value);
    }
    if (points == 0) {
        return;
    }
    const size_t every = (points + MOST_POINTS - 1) / MOST_POINTS;
    size_t seen = 0;
    double last = 0;
    fprintf(svg, "<path class=\"curve %s\" d=\"", curve->class);
    for (size_t i = 0; i < records->count; i++) {
        if (!value_of(curve, &records->items[i], &value)) {
            continue;
        }
        last = place(y, value);
        if (seen % every == 0 || seen + 1 == points) {
            fprintf(svg, "%s%.1f %.1f", seen == 0 ? "M" : "L",
                    place(x, (double)records->items[i].update), last);
        }
        seen++;
    }
    /* A line of one point shows nothing but its round cap. */
    fprintf(svg, "%s\"/>\n", points == 1 ? "h0" : "");
    enum { LINE = 16 };
    if (fabs(last - *name_at) < LINE) {
        last = *name_at + LINE;
    }
    *name_at = last;
    fprintf(svg, "<text class=\"name %s\" x=\"%d\" y=\"%.1f\">%s</text>\n", curve->class, RIGHT + 8,
            last + 4, curve->name);
}

static void draw_panel(FILE *svg, const struct records *records, const struct curve *curves,
                       double top, const char *title)
{
    struct axis x = {0, 1, LEFT, RIGHT - LEFT};
    struct axis y = {0, 1, top + PANEL, -PANEL};
    double name_at = -INFINITY;
    for (size_t i = 0; i < records->count; i++) {
        x.high = fmax(x.high, (double)records->items[i].update);
    }
    if (!span(records, curves, &y)) {
        return;
    }
    draw_axes(svg, &x, &y, title);
    for (size_t c = 0; c < CURVES; c++) {
        draw_curve(svg, records, &curves[c], &x, &y, &name_at);
    }
}

static const char STYLE[] =
    "<style>\n" /* plain colours: many viewers know no var() */
    "svg { background: #fff; }\n"
    "text { font: 12px sans-serif; fill: #222; }\n"
    ".title { font-weight: bold; }\n"
    ".end { text-anchor: end; }\n"
    ".middle { text-anchor: middle; }\n"
    ".grid { stroke: #ddd; }\n"
    ".axis { stroke: #222; fill: none; }\n"
    ".curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }\n"
    ".curve.a { stroke: #1f6fb4; } .curve.b { stroke: #c4501b; }\n"
    ".name.a { fill: #1f6fb4; } .name.b { fill: #c4501b; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  svg { background: #16181c; }\n"
    "  text { fill: #ddd; } .grid { stroke: #333; } .axis { stroke: #ddd; }\n"
    "  .curve.a { stroke: #6cb2f0; } .curve.b { stroke: #f0925f; }\n"
    "  .name.a { fill: #6cb2f0; } .name.b { fill: #f0925f; }\n"
    "}\n"
    "</style>\n";

int tolk_curves_draw(const char *log_path, const char *svg_path, struct tolk_error *error)
{
    struct records records = {NULL, 0};
    char *text = NULL;
    size_t size = 0;
    int result = -1;
    if (tolk_log_read(log_path, &records.items, &records.count, error) != 0) {
        return -1;
    }
    FILE *svg = open_memstream(&text, &size);
    if (svg == NULL) {
        tolk_error_errno(error, "%s: cannot draw", svg_path);
        goto out;
    }
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Loss, BLEU and chrF over updates\">\n%s",
            WIDTH, HEIGHT, STYLE);
    draw_panel(svg, &records, LOSSES, TOP_LOSS, "Loss (nats per target token)");
    draw_panel(svg, &records, SCORES, TOP_SCORES, "BLEU and chrF on dev (greedy)");
    fprintf(svg, "<text class=\"middle\" x=\"%d\" y=\"%d\">updates</text>\n</svg>\n",
            (LEFT + RIGHT) / 2, HEIGHT - 10);
    if (fclose(svg) != 0) {
        tolk_error_errno(error, "%s: cannot draw", svg_path);
        goto out;
    }
    result = tolk_file_write_atomic(svg_path, text, size, error);
out:
    free(text);
    free(records.items);
    return result;
}
