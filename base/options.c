#include "base/options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What getopt_long returns for the i-th long option: beyond every letter. */
enum { FIRST_LONG = 256, HELP_COLUMN = 28 };

int tolk_parse_size(const char *text, size_t least, size_t greatest, const char *what,
                    size_t *value, struct tolk_error *error)
{
    char *end = NULL;
    errno = 0;
    const uintmax_t parsed = strtoumax(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0') {
        return tolk_error_set(error, "%s: expected a whole number, found \"%s\"", what, text);
    }
    if (errno == ERANGE || parsed < least || parsed > greatest) {
        return tolk_error_set(error, "%s: expected a number from %zu to %zu, found %s", what, least,
                              greatest, text);
    }
    *value = (size_t)parsed;
    return 0;
}

int tolk_parse_double(const char *text, double least, double greatest, const char *what,
                      double *value, struct tolk_error *error)
{
    char *end = NULL;
    errno = 0;
    const double parsed = strtod(text, &end);
    if (end == text || isspace((unsigned char)text[0]) || *end != '\0') {
        return tolk_error_set(error, "%s: expected a number, found \"%s\"", what, text);
    }
    if (errno == ERANGE || !(parsed >= least && parsed <= greatest)) {
        return tolk_error_set(error, "%s: expected a number from %g to %g, found %s", what, least,
                              greatest, text);
    }
    *value = parsed;
    return 0;
}

static int take_choice(const struct tolk_option *option, const char *text, struct tolk_error *error)
{
    const size_t size = strlen(text);
    const char *word = option->argument;
    for (size_t place = 0;; place++) {
        const size_t length = strcspn(word, "|");
        if (length == size && strncmp(word, text, size) == 0) {
            *(size_t *)option->value = place;
            return 0;
        }
        if (word[length] == '\0') {
            return tolk_error_set(error, "--%s: expected one of %s, found \"%s\"", option->name,
                                  option->argument, text);
        }
        word += length + 1;
    }
}

static int take_value(const struct tolk_option *option, const char *text, struct tolk_error *error)
{
    char what[64];
    snprintf(what, sizeof what, "--%s", option->name);
    switch (option->kind) {
    case TOLK_FLAG:
        *(bool *)option->value = true;
        return 0;
    case TOLK_SIZE:
        return tolk_parse_size(text, (size_t)option->least, (size_t)option->greatest, what,
                               option->value, error);
    case TOLK_DOUBLE:
        return tolk_parse_double(text, option->least, option->greatest, what, option->value, error);
    case TOLK_TEXT:
        *(const char **)option->value = text;
        return 0;
    case TOLK_CHOICE:
        return take_choice(option, text, error);
    case TOLK_HEADLINE:
        break;
    }
    return 0;
}

void tolk_option_format(const struct tolk_option *option, char *text, size_t room)
{
    text[0] = '\0';
    switch (option->kind) {
    case TOLK_FLAG:
        snprintf(text, room, "%s", *(const bool *)option->value ? "yes" : "no");
        break;
    case TOLK_SIZE:
        snprintf(text, room, "%zu", *(const size_t *)option->value);
        break;
    case TOLK_DOUBLE:
        snprintf(text, room, "%.10g", *(const double *)option->value);
        break;
    case TOLK_TEXT:
        if (*(const char *const *)option->value != NULL) {
            snprintf(text, room, "%s", *(const char *const *)option->value);
        }
        break;
    case TOLK_CHOICE: {
        const char *word = option->argument;
        for (size_t i = 0; i < *(const size_t *)option->value; i++) {
            word += strcspn(word, "|") + 1;
        }
        snprintf(text, room, "%.*s", (int)strcspn(word, "|"), word);
        break;
    }
    case TOLK_HEADLINE:
        break;
    }
}

/* getopt's two lists, made from the table. */
static void make_lists(const struct tolk_command *command, struct option *longs, char *letters)
{
    size_t letter = 0;
    size_t next = 0;
    letters[letter++] = ':';
    letters[letter++] = 'h';
    for (size_t i = 0; i < command->option_count; i++) {
        const struct tolk_option *const option = &command->options[i];
        const int has_value = option->argument != NULL ? required_argument : no_argument;
        if (option->kind == TOLK_HEADLINE) {
            continue;
        }
        longs[next++] = (struct option){option->name, has_value, NULL, FIRST_LONG + (int)i};
        if (option->letter != 0) {
            letters[letter++] = option->letter;
            if (has_value == required_argument) {
                letters[letter++] = ':';
            }
        }
    }
    letters[letter] = '\0';
    longs[next++] = (struct option){"help", no_argument, NULL, 'h'};
    longs[next] = (struct option){NULL, 0, NULL, 0};
}

static const struct tolk_option *find_option(const struct tolk_command *command, int got)
{
    if (got >= FIRST_LONG) {
        return &command->options[got - FIRST_LONG];
    }
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].letter == got) {
            return &command->options[i];
        }
    }
    return NULL;
}

/* After getopt_long gave '?' or ':'. A wrong letter stands in optopt; a wrong long option leaves 0
 * there, one with an unwanted value its own number. */
static void describe_wrong(const struct tolk_command *command, int got, char *const *argv,
                           struct tolk_error *error)
{
    if (got == '?' && optopt > 0 && optopt < FIRST_LONG) {
        tolk_error_set(error, "unknown option -%c; see `%s --help`", optopt, command->name);
        return;
    }
    const char *const word = argv[optind - 1];
    const char *wrong = got == ':'   ? "needs a value"
                        : optopt > 0 ? "takes no value"
                                     : "unknown or ambiguous option";
    if (got == '?' && optopt == 0) {
        tolk_error_set(error, "%s %s; see `%s --help`", wrong, word, command->name);
    } else {
        tolk_error_set(error, "option %s %s; see `%s --help`", word, wrong, command->name);
    }
}

enum tolk_options_result tolk_options_parse(const struct tolk_command *command, int argc,
                                            char **argv, int *operands, struct tolk_error *error)
{
    struct option longs[TOLK_OPTIONS_MAX + 2];
    char letters[2 * TOLK_OPTIONS_MAX + 3];
    assert(command->option_count <= TOLK_OPTIONS_MAX);
    make_lists(command, longs, letters);

    opterr = 0;
    optind = 0; /* start afresh, permutation and all */
    int got = 0;
    while ((got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (got == 'h') {
            return TOLK_OPTIONS_HELP;
        }
        if (got == '?' || got == ':') {
            describe_wrong(command, got, argv, error);
            return TOLK_OPTIONS_WRONG;
        }
        struct tolk_error inner;
        if (take_value(find_option(command, got), optarg, &inner) != 0) {
            tolk_error_set(error, "%s; see `%s --help`", inner.message, command->name);
            return TOLK_OPTIONS_WRONG;
        }
    }
    *operands = optind;
    return TOLK_OPTIONS_GOOD;
}

static void help_row(const char *left, const char *help, FILE *out)
{
    int column = fprintf(out, "  %s", left);
    if (column > HELP_COLUMN - 2) {
        fputc('\n', out);
        column = 0;
    }
    /* A line break in the text goes on in the same column. */
    for (const char *rest = help;;) {
        const size_t line = strcspn(rest, "\n");
        fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", (int)line, rest);
        if (rest[line] == '\0') {
            return;
        }
        rest += line + 1;
        column = 0;
    }
}

void tolk_options_help(const struct tolk_command *command, FILE *out)
{
    fprintf(out, "Usage: %s [OPTION]… %s\n\n%s\n", command->name, command->operands,
            command->about);
    for (size_t i = 0; i < command->option_count; i++) {
        const struct tolk_option *const option = &command->options[i];
        char left[80];
        int used = 0;
        if (option->kind == TOLK_HEADLINE) {
            fprintf(out, "%s%s:\n", i > 0 ? "\n" : "", option->help);
            continue;
        }
        if (option->letter != 0) {
            used = snprintf(left, sizeof left, "-%c, ", option->letter);
        }
        snprintf(left + used, sizeof left - (size_t)used, "--%s%s%s", option->name,
                 option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
        help_row(left, option->help, out);
    }
    help_row("-h, --help", "this text", out);
}
