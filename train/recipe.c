#include <stdlib.h>
#include <string.h>

#include "train/options.h"
#include "train/options_table.h"

static const void *seen(const struct tolk_training_options *options,
                        const struct tolk_option_row *row)
{
    return (const char *)options + row->offset;
}

/* The value as it would be given on the command line. */
static void print_value(const struct tolk_training_options *options,
                        const struct tolk_option_row *row, char *text, size_t room)
{
    const void *at = seen(options, row);
    switch (row->kind) {
    case FLAG:
        snprintf(text, room, "%s", *(const bool *)at ? "yes" : "no");
        break;
    case WHOLE:
        snprintf(text, room, "%lld", (long long)*(const int64_t *)at);
        break;
    case NUMBER:
        snprintf(text, room, "%.10g", *(const double *)at);
        break;
    case CHOICE: {
        const char *word = row->argument;
        for (int64_t i = 0; i < *(const int64_t *)at; i++) {
            word += strcspn(word, "|") + 1;
        }
        snprintf(text, room, "%.*s", (int)strcspn(word, "|"), word);
        break;
    }
    case TEXT:
    case GROUP:
        text[0] = '\0';
        break;
    }
}

char *tolk_training_recipe(const struct tolk_training_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < TOLK_OPTION_COUNT; i++) {
        char value[64];
        if (TOLK_OPTION_ROWS[i].recipe) {
            print_value(options, &TOLK_OPTION_ROWS[i], value, sizeof value);
            fprintf(stream, "%s=%s\n", TOLK_OPTION_ROWS[i].name, value);
        }
    }
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The line "name=…" of the recipe: its value and length, or NULL. */
static const char *recipe_value(const char *recipe, const char *name, size_t *length)
{
    const size_t size = strlen(name);
    for (const char *line = recipe; *line != '\0';) {
        const size_t whole = strcspn(line, "\n");
        if (strncmp(line, name, size) == 0 && line[size] == '=') {
            *length = whole - size - 1;
            return line + size + 1;
        }
        line += whole + (line[whole] == '\n');
    }
    return NULL;
}

int tolk_training_recipe_check(const struct tolk_training_options *options, const char *then,
                               const char *folder, struct tolk_error *error)
{
    for (size_t i = 0; i < TOLK_OPTION_COUNT; i++) {
        char value[64];
        size_t length = 0;
        if (!TOLK_OPTION_ROWS[i].recipe) {
            continue;
        }
        print_value(options, &TOLK_OPTION_ROWS[i], value, sizeof value);
        const char *old = recipe_value(then, TOLK_OPTION_ROWS[i].name, &length);
        if (old == NULL || strlen(value) != length || strncmp(old, value, length) != 0) {
            return tolk_error_set(error,
                                  "%s: its training began with --%s %.*s, found %s; give the same "
                                  "to resume, or --restart to begin anew",
                                  folder, TOLK_OPTION_ROWS[i].name, old != NULL ? (int)length : 9,
                                  old != NULL ? old : "(nothing)", value);
        }
    }
    return 0;
}
