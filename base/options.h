/* Command-line options from one table, which also makes the help.
 *
 *     struct search_settings settings = {.beam = 4};
 *     const struct tolk_option table[] = {
 *         TOLK_OPTION_SIZE("beam", 'b', "N", "hypotheses to keep (4)", &settings.beam, 1, 256),
 *         TOLK_OPTION_FLAG("json", 0, "one JSON object a line", &settings.json),
 *     };
 *     const struct tolk_command command = {"tolk translate", "MODEL", "…", table, 2};
 *     int first = 0;
 *     switch (tolk_options_parse(&command, argc, argv, &first, &error)) …
 *
 * Numbers are parsed strictly: "4x", "", " 4" and what is out of range are wrong usage, with a
 * message that names the option and the value. --help and -h are always there. */
#ifndef TOLK_BASE_OPTIONS_H
#define TOLK_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

enum tolk_option_kind {
    TOLK_FLAG,
    TOLK_SIZE,
    TOLK_DOUBLE,
    TOLK_TEXT,
    TOLK_CHOICE,   /* one of the words of `argument`, split at '|' */
    TOLK_HEADLINE, /* no option: `help` stands above those that follow */
};

struct tolk_option {
    const char *name;     /* the long name, without dashes */
    char letter;          /* the short name, 0 for none */
    const char *argument; /* what the help calls the value, NULL for a flag */
    const char *help;
    enum tolk_option_kind kind;
    void *value; /* bool, size_t, double, const char * or (choice) a size_t, the word's place;
                  * holds the default */
    double least;
    double greatest;
};

#define TOLK_OPTION_FLAG(name, letter, help, value)                                                \
    {                                                                                              \
        name, letter, NULL, help, TOLK_FLAG, (bool *){value}, 0, 0                                 \
    }
#define TOLK_OPTION_SIZE(name, letter, argument, help, value, least, greatest)                     \
    {                                                                                              \
        name, letter, argument, help, TOLK_SIZE, (size_t *){value}, (double)(least),               \
            (double)(greatest)                                                                     \
    }
#define TOLK_OPTION_DOUBLE(name, letter, argument, help, value, least, greatest)                   \
    {                                                                                              \
        name, letter, argument, help, TOLK_DOUBLE, (double *){value}, least, greatest              \
    }
#define TOLK_OPTION_TEXT(name, letter, argument, help, value)                                      \
    {                                                                                              \
        name, letter, argument, help, TOLK_TEXT, (const char **){value}, 0, 0                      \
    }

#define TOLK_OPTION_CHOICE(name, letter, words, help, value)                                       \
    {                                                                                              \
        name, letter, words, help, TOLK_CHOICE, (size_t *){value}, 0, 0                            \
    }
#define TOLK_OPTION_HEADLINE(text)                                                                 \
    {                                                                                              \
        NULL, 0, NULL, text, TOLK_HEADLINE, NULL, 0, 0                                             \
    }

struct tolk_command {
    const char *name;     /* "tolk translate" */
    const char *operands; /* "MODEL [FILE]" */
    const char *about;    /* a sentence or some, ends with a newline */
    const struct tolk_option *options;
    size_t option_count;
};

enum { TOLK_OPTIONS_MAX = 96 };

enum tolk_options_result {
    TOLK_OPTIONS_GOOD,
    TOLK_OPTIONS_HELP,  /* --help was among them */
    TOLK_OPTIONS_WRONG, /* the error names the option and the way to the help */
};

/* Reads argv[1 …]; options and operands may be mixed, "--" ends the options. Operands are moved to
 * the end: *operands is the index of the first. */
enum tolk_options_result tolk_options_parse(const struct tolk_command *command, int argc,
                                            char **argv, int *operands, struct tolk_error *error);

/* Usage, about, and the table. */
void tolk_options_help(const struct tolk_command *command, FILE *out);

/* The value as one would give it: "0.1", "relu", "yes" or "no" for a flag; cut at `room` bytes. */
void tolk_option_format(const struct tolk_option *option, char *text, size_t room);

/* The whole text as a number in [least, greatest]; `what` begins the message ("--beam"). */
int tolk_parse_size(const char *text, size_t least, size_t greatest, const char *what,
                    size_t *value, struct tolk_error *error);
int tolk_parse_double(const char *text, double least, double greatest, const char *what,
                      double *value, struct tolk_error *error);

#endif
