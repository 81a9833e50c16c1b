/* What `tolk inspect` draws: labels, one map, the maps of all heads, and what a terminal has. */
/* For posix_openpt. */
#define _XOPEN_SOURCE 600
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "infer/head_grid.h"
#include "infer/heatmap.h"

/* Two target words and the end over three source words and the end. */
static const float WEIGHTS[] = {
    0.5F,  0.25F, 0.125F, 0.125F, /* looks at word 0 */
    0.25F, 0.25F, 0.0F,   0.5F,   /* looks at the end most */
    0.0F,  0.0F,  0.0F,   1.0F,   /* the end at the end */
};

static const struct tolk_terminal SHADES = {.width = 80};
static const struct tolk_terminal NARROW = {.width = 24};
static const struct tolk_terminal TINY = {.width = 16};
static const struct tolk_terminal ASCII = {.width = 80, .ascii = true};
static const struct tolk_terminal PALETTE = {.width = 80, .colours = TOLK_COLOURS_256};
static const struct tolk_terminal MILLIONS = {.width = 80, .colours = TOLK_COLOURS_24_BIT};

static struct tolk_sentence words_of(const char *text)
{
    struct tolk_error error;
    struct tolk_sentence sentence = {.text = strdup(text)};
    ck_assert_int_eq(tolk_words_split(text, strlen(text), &sentence.words, &error), 0);
    return sentence;
}

/* What is drawn between two sentences, and what comes of it. */
struct sheet {
    struct tolk_sentence source, target;
    struct tolk_labels rows, columns;
    FILE *out;
    char *text;
    size_t size;
};

static void begin(struct sheet *sheet, const char *source, const char *target)
{
    struct tolk_error error;
    sheet->source = words_of(source);
    sheet->target = words_of(target);
    ck_assert_int_eq(tolk_labels_make(&sheet->columns, &sheet->source, TOLK_WORDS, false, &error),
                     0);
    ck_assert_int_eq(tolk_labels_make(&sheet->rows, &sheet->target, TOLK_WORDS, false, &error), 0);
    sheet->out = open_memstream(&sheet->text, &sheet->size);
}

static void end(struct sheet *sheet, const char *expected)
{
    fclose(sheet->out);
    ck_assert_str_eq(sheet->text, expected);
    free(sheet->text);
    tolk_labels_free(&sheet->rows);
    tolk_labels_free(&sheet->columns);
    tolk_sentence_free(&sheet->source);
    tolk_sentence_free(&sheet->target);
}

static void assert_map(const char *source, const char *target, const struct tolk_terminal *terminal,
                       const char *expected)
{
    struct sheet sheet;
    begin(&sheet, source, target);
    const struct tolk_heatmap map = {&sheet.rows, &sheet.columns, WEIGHTS};
    tolk_heatmap_draw(&map, terminal, sheet.out);
    end(&sheet, expected);
}

START_TEST(draws_shades_under_the_words)
{
    assert_map("De kat slaapt", "The cat", &SHADES,
               "      De  kat slaapt (end)\n"
               "The   ▒▒▒ ░░░ ░░░░░░ ░░░░░\n"
               "cat   ░░░ ░░░        ▒▒▒▒▒\n"
               "(end)                █████\n");
    assert_map("De kat slaapt", "The cat", &ASCII,
               "      De  kat slaapt (end)\n"
               "The   +++ ::: ...... .....\n"
               "cat   ::: :::        +++++\n"
               "(end)                @@@@@\n");
}
END_TEST

START_TEST(draws_stairs_and_parts_where_the_terminal_is_narrow)
{
    assert_map("De kat slaapt", "The cat", &NARROW,
               "      De\n"
               "      │   kat\n"
               "      │   │   slaapt\n"
               "      │   │   │   (end)\n"
               "The   ▒▒▒ ░░░ ░░░ ░░░\n"
               "cat   ░░░ ░░░     ▒▒▒\n"
               "(end)             ███\n");
    assert_map("Dé kat onafscheidelijk", "猫 incomprehensibly", &TINY,
               "         Dé\n"
               "         │   kat\n"
               "猫       ▒▒▒ ░░░\n"
               "incompr… ░░░ ░░░\n"
               "(end)           \n"
               "\n"
               "         onafsc…\n"
               "         │   (e…\n"
               "猫       ░░░ ░░░\n"
               "incompr…     ▒▒▒\n"
               "(end)        ███\n");
}
END_TEST

START_TEST(keeps_columns_under_wide_and_combining_characters)
{
    ck_assert_uint_eq(tolk_text_width("猫", strlen("猫")), 2);
    ck_assert_uint_eq(tolk_text_width("e\xcc\x81", 3), 1);
    assert_map("猫は e\xcc\x81\x65n x", "ça b", &SHADES,
               "      猫は e\xcc\x81\x65n x   (end)\n"
               "ça    ▒▒▒▒ ░░░ ░░░ ░░░░░\n"
               "b     ░░░░ ░░░     ▒▒▒▒▒\n"
               "(end)              █████\n");
}
END_TEST

START_TEST(a_word_gives_the_terminal_no_orders)
{
    /* An escape, and an override of the direction. */
    assert_map("\033[2J \xe2\x80\xae\x61 c", "b\xc2\x9b \xe7\x8c\xab", &ASCII,
               "      ?[2J ?a  c   (end)\n"
               "b?    ++++ ::: ... .....\n"
               "\xe7\x8c\xab    :::: :::     +++++\n"
               "(end)              @@@@@\n");
}
END_TEST

START_TEST(colours_carry_the_weight_in_hundredths)
{
#define CELL(background, ink, text) "\033[48;5;" background ";38;5;" ink "m" text "\033[0m"
    assert_map(
        "a b c", "d e", &PALETTE,
        "      a   b   c   (end)\n"
        "d     " CELL("31", "255", " 50") " " CELL("18", "252", " 25") " " CELL("17", "250", " 13") " " CELL(
            "17", "250",
            "  13 ") "\n"
                     "e     " CELL("18", "252", " 25") " " CELL("18", "252", " 25") " " CELL(
                         "235", "244",
                         "  0") " " CELL("31", "255",
                                         "  50 ") "\n"
                                                  "(end) " CELL("235", "244", "  0") " " CELL(
                                                      "235", "244",
                                                      "  0") " " CELL("235", "244",
                                                                      "  0") " " CELL("51", "16",
                                                                                      " 100 ") "\n");
#undef CELL
    char *text = NULL;
    size_t size = 0;
    FILE *const out = open_memstream(&text, &size);
    tolk_terminal_cell(&MILLIONS, 0, 3, true, out);
    tolk_terminal_cell(&MILLIONS, 1, 2, true, out);
    tolk_terminal_cell(&MILLIONS, 2, 2, false, out);
    fclose(out);
    ck_assert_str_eq(text, "\033[48;2;38;38;38;38;5;244m  0\033[0m"
                           "\033[48;2;80;240;255;38;5;16m  \033[0m"
                           "\033[48;2;80;240;255;38;5;16m  \033[0m");
    free(text);
}
END_TEST

START_TEST(the_decoder_looks_at_its_start_first)
{
    struct tolk_error error;
    struct tolk_labels labels;
    struct tolk_sentence sentence = words_of("De kat");
    ck_assert_int_eq(tolk_labels_make(&labels, &sentence, TOLK_WORDS, true, &error), 0);
    ck_assert_uint_eq(labels.count, 3);
    ck_assert_uint_eq(labels.widest, 7);
    ck_assert_str_eq(labels.items[0].text, "(start)");
    ck_assert_int_eq(strncmp(labels.items[2].text, "kat", labels.items[2].size), 0);
    tolk_labels_free(&labels);
    tolk_sentence_free(&sentence);
}
END_TEST

static void assert_grid(const struct tolk_terminal *terminal, const char *expected)
{
    static float weights[sizeof WEIGHTS / sizeof WEIGHTS[0]];
    static float second[] = {0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    memcpy(weights, WEIGHTS, sizeof weights);
    const struct tolk_word_attention maps[] = {
        {3, 2, weights}, {3, 2, second}, {3, 2, weights}, {3, 2, second}};
    struct tolk_head_set marked = {{0}};
    tolk_head_set_add(&marked, 1, 0);
    struct sheet sheet;
    begin(&sheet, "De kat slaapt", "The cat");
    const struct tolk_head_grid grid = {&sheet.rows, &sheet.columns, 2, 2, maps, &marked};
    tolk_head_grid_draw(&grid, terminal, sheet.out);
    end(&sheet, expected);
}

START_TEST(small_maps_stand_beside_each_other_where_they_fit)
{
    assert_grid(&SHADES, "0 De  1 kat  2 slaapt  3 (end)\n"
                         "\n"
                         "       L0 H0         L0 H1\n"
                         "       0  1  2  3    0  1  2  3  \n"
                         "The    ▒▒▒░░░░░░░░░     ███      \n"
                         "cat    ░░░░░░   ▒▒▒        ███   \n"
                         "(end)           ███           ███\n"
                         "\n"
                         "       L1 H0*        L1 H1\n"
                         "       0  1  2  3    0  1  2  3  \n"
                         "The    ▒▒▒░░░░░░░░░     ███      \n"
                         "cat    ░░░░░░   ▒▒▒        ███   \n"
                         "(end)           ███           ███\n");
    /* Room for one map of narrow cells, and for few words of the legend in a line. */
    assert_grid(&TINY, "0 De  1 kat\n"
                       "2 slaapt\n"
                       "3 (end)\n"
                       "\n"
                       "       L0 H0\n"
                       "       0123\n"
                       "The    ▒░░░\n"
                       "cat    ░░ ▒\n"
                       "(end)     █\n"
                       "\n"
                       "       L0 H1\n"
                       "       0123\n"
                       "The     █  \n"
                       "cat      █ \n"
                       "(end)     █\n"
                       "\n"
                       "       L1 H0*\n"
                       "       0123\n"
                       "The    ▒░░░\n"
                       "cat    ░░ ▒\n"
                       "(end)     █\n"
                       "\n"
                       "       L1 H1\n"
                       "       0123\n"
                       "The     █  \n"
                       "cat      █ \n"
                       "(end)     █\n");
}
END_TEST

START_TEST(columns_beyond_the_width_share_cells)
{
    enum { WORDS = 39, WIDTH = 30 };
    char text[2 * WORDS + 1] = "";
    float weights[2 * (WORDS + 1)] = {0};
    for (size_t i = 0; i < WORDS; i++) {
        strcat(text, "a ");
    }
    weights[1] = 1;         /* in the first cell */
    weights[WORDS] = 1;     /* in the last */
    weights[WORDS + 1] = 1; /* of the second row, in the first */
    struct sheet sheet;
    begin(&sheet, text, "b");
    const struct tolk_terminal narrow = {.width = WIDTH};
    const struct tolk_word_attention map = {WORDS, 1, weights};
    const struct tolk_head_grid grid = {&sheet.rows, &sheet.columns, 1, 1, &map, NULL};
    tolk_head_grid_draw(&grid, &narrow, sheet.out);
    fflush(sheet.out);
    ck_assert_ptr_nonnull(strstr(sheet.text, "Each cell is the greatest weight of 2 columns.\n\n"
                                             "       layer 0 head 0\n"
                                             "b      █                  █\n"
                                             "(end)  █                   \n"));
    char *const copy = strdup(sheet.text);
    for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ck_assert_uint_le(tolk_text_width(line, strlen(line)), 46);
    }
    free(copy);
    fclose(sheet.out);
    free(sheet.text);
    tolk_labels_free(&sheet.rows);
    tolk_labels_free(&sheet.columns);
    tolk_sentence_free(&sheet.source);
    tolk_sentence_free(&sheet.target);
}
END_TEST

/* The terminal behind a stream that is none, with these variables alone. */
static struct tolk_terminal terminal_with(const char *name, const char *value, enum tolk_when when)
{
    static const char *const all[] = {"TERM",   "COLORTERM", "NO_COLOR", "COLUMNS",
                                      "LC_ALL", "LC_CTYPE",  "LANG"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        unsetenv(all[i]);
    }
    setenv(name, value, 1);
    char byte[2];
    FILE *const out = fmemopen(byte, sizeof byte, "w");
    const struct tolk_terminal terminal = tolk_terminal_of(out, when);
    fclose(out);
    return terminal;
}

static char *legend_of(const struct tolk_terminal *terminal, bool numbers)
{
    char *text = NULL;
    size_t size = 0;
    FILE *const out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    tolk_terminal_legend(terminal, numbers, out);
    fclose(out);
    return text;
}

/* The first and last weights of each shade, in the legend and in the cells. */
START_TEST(the_legend_says_where_a_shade_begins)
{
    static const struct {
        const struct tolk_terminal *terminal;
        const char *legend;
        double weight; /* the first that has the last shade */
        const char *shade;
    } scales[] = {
        {&SHADES, "\n░ from 13 %, ▒ from 38 %, ▓ from 63 %, █ from 88 %\n", 0.88, "█"},
        {&ASCII, "\n.:-=+*#%@  from 6 % in even steps to 94 %\n", 0.945, "@"},
    };
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        char cell[8] = "";
        char *const legend = legend_of(scales[i].terminal, true);
        ck_assert_str_eq(legend, scales[i].legend);
        free(legend);
        FILE *const out = fmemopen(cell, sizeof cell, "w");
        tolk_terminal_cell(scales[i].terminal, scales[i].weight, 1, false, out);
        fclose(out);
        ck_assert_str_eq(cell, scales[i].shade);
    }
    char *const none = legend_of(&PALETTE, true); /* the numbers are in the cells */
    char *const colours = legend_of(&PALETTE, false);
    char *const narrow = legend_of(&NARROW, false);
    ck_assert_str_eq(none, "");
    ck_assert_ptr_nonnull(strstr(colours, "\033[48;5;51;38;5;16m 100 \033[0m %\n"));
    ck_assert_str_eq(narrow, "");
    free(none);
    free(colours);
    free(narrow);
}
END_TEST

START_TEST(the_environment_says_what_a_terminal_has)
{
    ck_assert_uint_eq(terminal_with("COLUMNS", "132", TOLK_AUTO).width, 132);
    ck_assert_uint_eq(terminal_with("COLUMNS", "0", TOLK_AUTO).width, 80);
    ck_assert_uint_eq(terminal_with("COLUMNS", "9x", TOLK_AUTO).width, 80);
    ck_assert(!terminal_with("LANG", "nl_NL.UTF-8", TOLK_AUTO).ascii);
    ck_assert(!terminal_with("LC_CTYPE", "C.utf8", TOLK_AUTO).ascii);
    ck_assert(terminal_with("LANG", "nl_NL.ISO-8859-1", TOLK_AUTO).ascii);
    ck_assert(!terminal_with("LC_ALL", "C", TOLK_AUTO).ascii);
    ck_assert(!terminal_with("LC_ALL", "", TOLK_AUTO).ascii);
    ck_assert_int_eq(terminal_with("COLORTERM", "truecolor", TOLK_AUTO).colours, TOLK_NO_COLOURS);
    ck_assert_int_eq(terminal_with("COLORTERM", "truecolor", TOLK_ALWAYS).colours,
                     TOLK_COLOURS_24_BIT);
    ck_assert_int_eq(terminal_with("TERM", "xterm", TOLK_ALWAYS).colours, TOLK_COLOURS_256);
    ck_assert_int_eq(terminal_with("COLORTERM", "truecolor", TOLK_NEVER).colours, TOLK_NO_COLOURS);
}
END_TEST

/* In a terminal: colours, unless it has none or the user wants none. */
START_TEST(a_terminal_is_coloured_unless_told_otherwise)
{
    const int primary = posix_openpt(O_RDWR | O_NOCTTY);
    if (primary < 0 || grantpt(primary) != 0 || unlockpt(primary) != 0) {
        TOLK_SKIP("no pseudo-terminal here");
    }
    FILE *const out = fopen(ptsname(primary), "w");
    ck_assert_ptr_nonnull(out);
    const struct winsize size = {.ws_col = 101, .ws_row = 10};
    ck_assert_int_eq(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
    unsetenv("COLORTERM");
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm-256color", 1);
    ck_assert_uint_eq(tolk_terminal_of(out, TOLK_AUTO).width, 101);
    ck_assert_int_eq(tolk_terminal_of(out, TOLK_AUTO).colours, TOLK_COLOURS_256);
    ck_assert_int_eq(tolk_terminal_of(out, TOLK_NEVER).colours, TOLK_NO_COLOURS);
    setenv("COLORTERM", "24bit", 1);
    ck_assert_int_eq(tolk_terminal_of(out, TOLK_AUTO).colours, TOLK_COLOURS_24_BIT);
    setenv("NO_COLOR", "1", 1);
    ck_assert_int_eq(tolk_terminal_of(out, TOLK_AUTO).colours, TOLK_NO_COLOURS);
    setenv("NO_COLOR", "", 1);
    setenv("TERM", "dumb", 1);
    ck_assert_int_eq(tolk_terminal_of(out, TOLK_AUTO).colours, TOLK_NO_COLOURS);
    fclose(out);
    close(primary);
}
END_TEST

TOLK_SUITE("heat map", draws_shades_under_the_words,
           draws_stairs_and_parts_where_the_terminal_is_narrow,
           keeps_columns_under_wide_and_combining_characters, a_word_gives_the_terminal_no_orders,
           colours_carry_the_weight_in_hundredths, the_decoder_looks_at_its_start_first,
           small_maps_stand_beside_each_other_where_they_fit, columns_beyond_the_width_share_cells,
           the_legend_says_where_a_shade_begins, the_environment_says_what_a_terminal_has,
           a_terminal_is_coloured_unless_told_otherwise)
