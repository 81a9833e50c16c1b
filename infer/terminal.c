#include "infer/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const BLOCKS[] = {" ", "░", "▒", "▓", "█"};
static const char ASCII_SHADES[] = " .:-=+*#%@";
/* Colours of the 256-colour palette, from little to much, and of the number on it. */
static const int BACKGROUNDS[] = {235, 17, 18, 24, 31, 38, 45, 51};
static const int INKS[] = {244, 250, 252, 255, 255, 16, 16, 16};
/* The same way in red, green and blue, in even steps between them. */
static const double RAMP[][3] = {{38, 38, 38}, {0, 40, 110}, {0, 130, 190}, {80, 240, 255}};
enum {
    BLOCK_COUNT = sizeof BLOCKS / sizeof BLOCKS[0],
    ASCII_COUNT = sizeof ASCII_SHADES - 1,
    COLOUR_COUNT = sizeof BACKGROUNDS / sizeof BACKGROUNDS[0],
    RAMP_COUNT = sizeof RAMP / sizeof RAMP[0],
    NUMBER_WIDTH = 3,
    LEGEND_CELL = 5,
    LEGEND_WIDTH = 50, /* of the longest legend */
    USUAL_WIDTH = 80,
    GREATEST_WIDTH = 1 << 16
};

static const char *variable(const char *name)
{
    const char *const value = getenv(name);
    return value != NULL ? value : "";
}

static size_t width_of(int descriptor)
{
    struct winsize size;
    if (descriptor >= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    char *end = NULL;
    const char *const columns = variable("COLUMNS");
    const long given = strtol(columns, &end, 10);
    return end != columns && *end == '\0' && given > 0 && given <= GREATEST_WIDTH ? (size_t)given
                                                                                  : USUAL_WIDTH;
}

/* As many colours as the terminal claims; few are none, for shades need some of each. */
static enum tolk_colours claimed_colours(void)
{
    const char *const more = variable("COLORTERM");
    const char *const name = variable("TERM");
    if (strcmp(name, "dumb") == 0) {
        return TOLK_NO_COLOURS;
    }
    if (strcmp(more, "truecolor") == 0 || strcmp(more, "24bit") == 0 ||
        strstr(name, "-direct") != NULL) {
        return TOLK_COLOURS_24_BIT;
    }
    return more[0] != '\0' || strstr(name, "256color") != NULL ? TOLK_COLOURS_256 : TOLK_NO_COLOURS;
}

static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = "";
    for (size_t i = 0; locale[0] == '\0' && i < sizeof names / sizeof names[0]; i++) {
        locale = variable(names[i]);
    }
    if (locale[0] == '\0' || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0) {
        return true; /* nobody has said; the terminals of today read UTF-8, as our sentences are */
    }
    const char *const codeset = strchr(locale, '.');
    return codeset != NULL && (strncasecmp(codeset + 1, "UTF-8", strlen("UTF-8")) == 0 ||
                               strncasecmp(codeset + 1, "UTF8", strlen("UTF8")) == 0);
}

struct tolk_terminal tolk_terminal_of(FILE *out, enum tolk_when colours)
{
    const int descriptor = fileno(out);
    struct tolk_terminal terminal = {.width = width_of(descriptor), .ascii = !locale_is_utf8()};
    if (colours == TOLK_ALWAYS) {
        terminal.colours = claimed_colours();
        terminal.colours =
            terminal.colours == TOLK_NO_COLOURS ? TOLK_COLOURS_256 : terminal.colours;
    } else if (colours == TOLK_AUTO && descriptor >= 0 && isatty(descriptor) == 1 &&
               variable("NO_COLOR")[0] == '\0') {
        terminal.colours = claimed_colours();
    }
    return terminal;
}

/* The step of a scale of `count` steps that stands for a weight from 0 to 1. */
static size_t scale_step(double weight, size_t count)
{
    const double step = weight * (double)(count - 1) + 0.5;
    return step < 0 ? 0 : step >= (double)count ? count - 1 : (size_t)step;
}

static void begin_colour(enum tolk_colours colours, double weight, FILE *out)
{
    if (colours == TOLK_COLOURS_256) {
        const size_t step = scale_step(weight, COLOUR_COUNT);
        fprintf(out, "\033[48;5;%d;38;5;%dm", BACKGROUNDS[step], INKS[step]);
        return;
    }
    const double kept = weight < 0 ? 0 : weight > 1 ? 1 : weight;
    const double at = kept * (RAMP_COUNT - 1);
    const size_t below = at < RAMP_COUNT - 2 ? (size_t)at : RAMP_COUNT - 2;
    int colour[3];
    for (size_t i = 0; i < 3; i++) {
        colour[i] =
            (int)(RAMP[below][i] + (at - (double)below) * (RAMP[below + 1][i] - RAMP[below][i]));
    }
    const int ink = INKS[scale_step(kept, COLOUR_COUNT)];
    fprintf(out, "\033[48;2;%d;%d;%d;38;5;%dm", colour[0], colour[1], colour[2], ink);
}

void tolk_terminal_cell(const struct tolk_terminal *terminal, double weight, size_t width,
                        bool number, FILE *out)
{
    if (terminal->colours == TOLK_NO_COLOURS) {
        const size_t shade = scale_step(weight, terminal->ascii ? ASCII_COUNT : BLOCK_COUNT);
        for (size_t i = 0; i < width; i++) {
            if (terminal->ascii) {
                fputc(ASCII_SHADES[shade], out);
            } else {
                fputs(BLOCKS[shade], out);
            }
        }
        return;
    }
    begin_colour(terminal->colours, weight, out);
    if (number && width >= NUMBER_WIDTH) {
        const size_t left = (width - NUMBER_WIDTH) / 2;
        fprintf(out, "%*s%3zu%*s", (int)left, "", scale_step(weight, 101),
                (int)(width - NUMBER_WIDTH - left), "");
    } else {
        fprintf(out, "%*s", (int)width, "");
    }
    fputs("\033[0m", out);
}

/* The least weight, in percent, that a step of a scale of `count` steps stands for. */
static int least_percent(size_t step, size_t count)
{
    return (int)((100.0 * (double)step - 50.0) / (double)(count - 1) + 0.5);
}

static void print_colours(const struct tolk_terminal *terminal, FILE *out)
{
    static const double weights[] = {0, 0.2, 0.4, 0.6, 0.8, 1};
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        tolk_terminal_cell(terminal, weights[i], LEGEND_CELL, true, out);
    }
    fputs(" %\n", out);
}

void tolk_terminal_legend(const struct tolk_terminal *terminal, bool numbers, FILE *out)
{
    const bool coloured = terminal->colours != TOLK_NO_COLOURS;
    if (terminal->width < LEGEND_WIDTH || (coloured && numbers)) {
        return;
    }
    fputc('\n', out);
    if (coloured) {
        print_colours(terminal, out);
    } else if (terminal->ascii) {
        fprintf(out, "%s  from %d %% in even steps to %d %%\n", ASCII_SHADES + 1,
                least_percent(1, ASCII_COUNT), least_percent(ASCII_COUNT - 1, ASCII_COUNT));
    } else {
        for (size_t i = 1; i < BLOCK_COUNT; i++) {
            fprintf(out, "%s from %d %%%s", BLOCKS[i], least_percent(i, BLOCK_COUNT),
                    i + 1 < BLOCK_COUNT ? ", " : "\n");
        }
    }
}
