#include "train/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "train/options_table.h"

enum { SHORT_OUTPUT = 'o', SHORT_HELP = 'h', FIRST = 256 };

static void *place(struct tolk_training_options *options, const struct tolk_option_row *row)
{
    return (char *)options + row->offset;
}

/* ---- values -------------------------------------------------------------------------------------
 */

static int set_choice(const struct tolk_option_row *row, int64_t *at, const char *text,
                      struct tolk_error *error)
{
    int64_t index = 0;
    const size_t size = strlen(text);
    for (const char *word = row->argument;; index++) {
        const size_t length = strcspn(word, "|");
        if (length == size && strncmp(word, text, size) == 0) {
            *at = index;
            return 0;
        }
        if (word[length] == '\0') {
            return tolk_error_set(error, "option --%s: expected one of %s, found \"%s\"", row->name,
                                  row->argument, text);
        }
        word += length + 1;
    }
}

static int set_number(const struct tolk_option_row *row, void *at, const char *text,
                      struct tolk_error *error)
{
    char *end = NULL;
    errno = 0;
    double value = 0;
    int64_t whole = 0;
    if (row->kind == WHOLE) {
        whole = strtoll(text, &end, 10);
        value = (double)whole;
    } else {
        value = strtod(text, &end);
    }
    const bool begins = (text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.';
    if (!begins || end == text || *end != '\0' || errno != 0 ||
        !(value >= row->least && value <= row->most)) {
        return tolk_error_set(error, "option --%s: expected a %s from %g to %g, found \"%s\"",
                              row->name, row->kind == WHOLE ? "whole number" : "number", row->least,
                              row->most, text);
    }
    if (row->kind == WHOLE) {
        memcpy(at, &whole, sizeof whole);
    } else {
        memcpy(at, &value, sizeof value);
    }
    return 0;
}

static int set_value(struct tolk_training_options *options, const struct tolk_option_row *row,
                     const char *text, struct tolk_error *error)
{
    switch (row->kind) {
    case FLAG:
        *(bool *)place(options, row) = true;
        return 0;
    case TEXT:
        if (text[0] == '\0') {
            return tolk_error_set(error, "option --%s: expected %s, found nothing", row->name,
                                  row->argument);
        }
        *(const char **)place(options, row) = text;
        return 0;
    case CHOICE:
        return set_choice(row, place(options, row), text, error);
    case WHOLE:
    case NUMBER:
        return set_number(row, place(options, row), text, error);
    case GROUP:
        break;
    }
    return 0;
}

/* ---- the command line ---------------------------------------------------------------------------
 */

/* One corpus is a TSV file or two files. */
static int check_corpus(const char *name, const char *tsv, const char *source, const char *target,
                        struct tolk_error *error)
{
    if (tsv == NULL && source == NULL && target == NULL) {
        return tolk_error_set(error,
                              "option --%s is missing: a TSV file (or --%s-source and --%s-target)",
                              name, name, name);
    }
    if (tsv != NULL && (source != NULL || target != NULL)) {
        return tolk_error_set(error, "option --%s: give either it or --%s-source and --%s-target",
                              name, name, name);
    }
    if (tsv == NULL && (source == NULL || target == NULL)) {
        return tolk_error_set(error, "option --%s-%s is missing: the other of two files", name,
                              source == NULL ? "source" : "target");
    }
    return 0;
}

static int check_together(const struct tolk_training_options *o, struct tolk_error *error)
{
    if (o->output == NULL) {
        return tolk_error_set(error, "option --output is missing: the model directory");
    }
    if (check_corpus("train", o->train, o->train_source, o->train_target, error) != 0 ||
        check_corpus("dev", o->dev, o->dev_source, o->dev_target, error) != 0) {
        return -1;
    }
    if (o->d_model % o->heads != 0 || o->d_model % 2 != 0) {
        return tolk_error_set(
            error, "option --d-model: expected an even multiple of the %lld heads, found %lld",
            (long long)o->heads, (long long)o->d_model);
    }
    if (o->subword_nbest == 0) {
        return tolk_error_set(error, "option --subword-nbest: expected -1 or at least 1, found 0");
    }
    /* TOLK_SCHEDULE_COSINE and TOLK_SCHEDULE_LINEAR end where the budget ends. */
    const bool needs_end = o->schedule == 1 || o->schedule == 2;
    if (needs_end && o->updates == 0 && o->epochs == 0 && o->minutes <= 0) {
        return tolk_error_set(error, "option --schedule: a schedule that ends at zero needs "
                                     "--updates, --epochs or --minutes");
    }
    return 0;
}

static int wrong_option(int code, char **argv, struct tolk_error *error)
{
    const char *word = argv[optind - 1];
    if (code == ':') {
        return tolk_error_set(error, "option %s: expected a value", word);
    }
    if (optopt >= FIRST && optopt < FIRST + TOLK_OPTION_MOST) {
        return tolk_error_set(error, "option --%s: takes no value",
                              TOLK_OPTION_ROWS[optopt - FIRST].name);
    }
    if (optopt != 0) {
        return tolk_error_set(error, "unknown option -%c", optopt);
    }
    return tolk_error_set(error, "unknown option %s", word);
}

int tolk_training_options_parse(struct tolk_training_options *options, int argc, char **argv,
                                struct tolk_error *error)
{
    struct option table[TOLK_OPTION_MOST] = {{NULL, 0, NULL, 0}};
    size_t count = 0;
    *options = (struct tolk_training_options){.output = NULL};
    for (size_t i = 0; i < TOLK_OPTION_COUNT; i++) {
        const struct tolk_option_row *row = &TOLK_OPTION_ROWS[i];
        if (row->kind != GROUP) {
            table[count++] =
                (struct option){row->name, row->kind == FLAG ? no_argument : required_argument,
                                NULL, FIRST + (int)i};
        }
        if (row->value != NULL && set_value(options, row, row->value, error) != 0) {
            return -1;
        }
    }
    optind = 0;
    opterr = 0;
    for (;;) {
        const int code = getopt_long(argc, argv, ":o:h", table, NULL);
        if (code == -1) {
            break;
        }
        if (code == SHORT_OUTPUT) {
            options->output = optarg;
        } else if (code == SHORT_HELP) {
            options->help = true;
        } else if (code < FIRST) {
            return wrong_option(code, argv, error);
        } else if (set_value(options, &TOLK_OPTION_ROWS[code - FIRST], optarg, error) != 0) {
            return -1;
        }
    }
    if (options->help) {
        return 0;
    }
    if (optind < argc) {
        return tolk_error_set(error, "expected options alone, found \"%s\"", argv[optind]);
    }
    return check_together(options, error);
}

void tolk_training_options_help(FILE *stream)
{
    enum { COLUMN = 34 };
    fputs(
        "usage: tolk-train [options] -o DIR --train TSV --dev TSV\n\n"
        "Trains a translation model on sentence pairs and keeps the best in DIR. The same command\n"
        "resumes a training that was stopped; Ctrl-C and SIGTERM save and leave with status 0.\n",
        stream);
    for (size_t i = 0; i < TOLK_OPTION_COUNT; i++) {
        const struct tolk_option_row *row = &TOLK_OPTION_ROWS[i];
        if (row->kind == GROUP) {
            fprintf(stream, "\n%s:\n", row->help);
            continue;
        }
        int used = fprintf(stream, "  --%s", row->name);
        if (row->argument != NULL) {
            used += fprintf(stream, " %s", row->argument);
        }
        fprintf(stream, "%*s%s", used < COLUMN ? COLUMN - used : 2, "", row->help);
        if (row->value != NULL) {
            fprintf(stream, "%s[%s]", row->help[0] != '\0' ? " " : "", row->value);
        }
        fputc('\n', stream);
    }
}
