/* What the terminal behind a stream can show. */
#ifndef TOLK_INFER_TERMINAL_H
#define TOLK_INFER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum tolk_colours { TOLK_NO_COLOURS, TOLK_COLOURS_256, TOLK_COLOURS_24_BIT };

struct tolk_terminal {
    size_t width; /* columns */
    enum tolk_colours colours;
    bool ascii; /* no character beyond ASCII of our own */
};

/* The words of --colour, in order. */
#define TOLK_WHEN_WORDS "auto|always|never"
enum tolk_when { TOLK_AUTO, TOLK_ALWAYS, TOLK_NEVER };

/* The width is the terminal's own, else $COLUMNS, else 80. By TOLK_AUTO there are colours in a
 * terminal that has enough of them ($TERM, $COLORTERM), unless $NO_COLOR is set. ASCII where the
 * locale ($LC_ALL, else $LC_CTYPE, else $LANG) names a character set, and that is
 * not UTF-8. */
struct tolk_terminal tolk_terminal_of(FILE *out, enum tolk_when colours);

/* `width` columns for a weight from 0 to 1, the darker or brighter the more: coloured, with the
 * weight in hundredths where there is room and `number` wants it, else shades of blocks, else
 * ASCII. */
void tolk_terminal_cell(const struct tolk_terminal *terminal, double weight, size_t width,
                        bool number, FILE *out);

/* A line that says what shades stand for, with an empty line before it; nothing where the terminal
 * is too narrow for it, nor where `numbers` stand in the coloured cells. */
void tolk_terminal_legend(const struct tolk_terminal *terminal, bool numbers, FILE *out);

#endif
