#include "corpora/prepare.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "corpora/clean.h"
#include "corpora/lines.h"
#include "corpora/split.h"

enum {
    MOST_FIELDS = 4,
    LONGEST_SENTENCE = 40, /* words */
    /* The longer side may have twice the words of the shorter and a few more: "Hoezo?" is "What do
     * you mean by that?". */
    MOST_RATIO = 2,
    FREE_WORDS = 4,
};

struct span {
    const char *text;
    size_t size;
};

struct sentence {
    char *text;
    char *key;
};

struct item {
    struct sentence source, target;
    char *attribution;
};

struct items {
    struct item *items;
    size_t count;
    size_t capacity;
};

static void free_item(struct item *item)
{
    free(item->source.text);
    free(item->source.key);
    free(item->target.text);
    free(item->target.key);
    free(item->attribution);
}

static void free_items(struct items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free_item(&items->items[i]);
    }
    free(items->items);
}

static size_t split_fields(struct span line, struct span fields[MOST_FIELDS])
{
    size_t count = 0;
    for (;;) {
        const char *tab = memchr(line.text, '\t', line.size);
        const size_t size = tab != NULL ? (size_t)(tab - line.text) : line.size;
        if (count == MOST_FIELDS) {
            return count + 1;
        }
        fields[count++] = (struct span){line.text, size};
        if (tab == NULL) {
            return count;
        }
        line = (struct span){tab + 1, line.size - size - 1};
    }
}

static bool is_number(struct span field)
{
    for (size_t i = 0; i < field.size; i++) {
        if (field.text[i] < '0' || field.text[i] > '9') {
            return false;
        }
    }
    return field.size > 0;
}

/* The line without a byte order mark, which Tatoeba's exports begin with. */
static struct span without_mark(const struct tolk_lines *lines)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t size = sizeof mark - 1;
    const bool marked =
        lines->number == 1 && lines->size >= size && memcmp(lines->text, mark, size) == 0;
    return marked ? (struct span){lines->text + size, lines->size - size}
                  : (struct span){lines->text, lines->size};
}

/* Finds the sentences and the attribution of a line; 0, or -1 when it has neither form. */
static int parse_line(const struct tolk_lines *lines, struct span *source, struct span *target,
                      char **attribution)
{
    enum { ATTRIBUTION_BYTES = 128 };
    struct span fields[MOST_FIELDS];
    const size_t count = split_fields(without_mark(lines), fields);
    if (count == 4 && is_number(fields[0]) && is_number(fields[2])) {
        char text[ATTRIBUTION_BYTES];
        snprintf(text, sizeof text, "tatoeba.org #%.*s & #%.*s", (int)fields[0].size,
                 fields[0].text, (int)fields[2].size, fields[2].text);
        *source = fields[1];
        *target = fields[3];
        *attribution = strdup(text);
        return 0;
    }
    if (count == 2 || count == 3) {
        *source = fields[1];
        *target = fields[0];
        *attribution =
            count == 3 ? tolk_clean_sentence(fields[2].text, fields[2].size) : strdup("");
        return 0;
    }
    return -1;
}

static struct sentence clean(struct span text)
{
    struct sentence sentence = {tolk_clean_sentence(text.text, text.size), NULL};
    sentence.key = sentence.text != NULL ? tolk_clean_key(sentence.text) : NULL;
    return sentence;
}

/* The count that a pair falls under when it is not worth keeping, else NULL. */
static size_t *reason_against(const struct item *item, struct tolk_prepare_counts *counts)
{
    if (item->source.key == NULL || item->target.key == NULL || item->attribution == NULL) {
        return &counts->not_text;
    }
    const size_t source = tolk_utf8_count_words(item->source.key, strlen(item->source.key));
    const size_t target = tolk_utf8_count_words(item->target.key, strlen(item->target.key));
    const size_t longer = source > target ? source : target;
    const size_t shorter = source > target ? target : source;
    if (shorter == 0) {
        return &counts->no_words;
    }
    if (longer > LONGEST_SENTENCE) {
        return &counts->too_long;
    }
    return longer > MOST_RATIO * shorter + FREE_WORDS ? &counts->uneven : NULL;
}

static int add_item(struct items *items, const struct item *item)
{
    if (items->count == items->capacity) {
        const size_t capacity = items->capacity > 0 ? 2 * items->capacity : 1024;
        struct item *grown = realloc(items->items, capacity * sizeof *grown);
        if (grown == NULL) {
            return -1;
        }
        items->items = grown;
        items->capacity = capacity;
    }
    items->items[items->count++] = *item;
    return 0;
}

static int take_line(const struct tolk_lines *lines, struct items *items,
                     struct tolk_prepare_counts *counts, struct tolk_error *error)
{
    struct span source, target;
    struct item item = {0};
    if (parse_line(lines, &source, &target, &item.attribution) != 0) {
        return tolk_error_set(error,
                              "%s:%zu: expected English<TAB>Dutch<TAB>attribution or "
                              "number<TAB>Dutch<TAB>number<TAB>English, found another form",
                              lines->name, lines->number);
    }
    counts->read++;
    item.source = clean(source);
    item.target = clean(target);
    size_t *reason = reason_against(&item, counts);
    if (reason != NULL) {
        ++*reason;
        free_item(&item);
        return 0;
    }
    if (add_item(items, &item) != 0) {
        free_item(&item);
        return tolk_error_set(error, "%s:%zu: out of memory", lines->name, lines->number);
    }
    return 0;
}

static int read_items(const char *path, struct items *items, struct tolk_prepare_counts *counts,
                      struct tolk_error *error)
{
    struct tolk_lines lines;
    int got = 0;
    if (tolk_lines_open(&lines, path, error) != 0) {
        return -1;
    }
    while ((got = tolk_lines_next(&lines, error)) > 0) {
        if (take_line(&lines, items, counts, error) != 0) {
            got = -1;
            break;
        }
    }
    tolk_lines_close(&lines);
    return got;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    const int sources = strcmp(x->source.key, y->source.key);
    const int targets = sources != 0 ? sources : strcmp(x->target.key, y->target.key);
    const int spelt = targets != 0 ? targets : strcmp(x->source.text, y->source.text);
    const int both_spelt = spelt != 0 ? spelt : strcmp(x->target.text, y->target.text);
    return both_spelt != 0 ? both_spelt : strcmp(x->attribution, y->attribution);
}

/* Sorted, so that the sets depend on the sentences alone and not on their order in the download;
 * of pairs with the same keys the first stays. */
static void keep_each_once(struct items *items, struct tolk_prepare_counts *counts)
{
    size_t kept = 0;
    if (items->count > 0) {
        qsort(items->items, items->count, sizeof *items->items, compare_items);
    }
    for (size_t i = 0; i < items->count; i++) {
        struct item *item = &items->items[i], *last = &items->items[kept > 0 ? kept - 1 : 0];
        if (kept > 0 && strcmp(last->source.key, item->source.key) == 0 &&
            strcmp(last->target.key, item->target.key) == 0) {
            free_item(item);
            counts->repeated++;
        } else {
            items->items[kept++] = *item;
        }
    }
    items->count = kept;
}

struct division {
    enum tolk_split_set *sets;
    size_t *order;
};

static int divide(const struct items *items, const struct tolk_prepare_options *options,
                  struct division *division)
{
    int result = -1;
    struct tolk_split_pair *keys = malloc((items->count + 1) * sizeof *keys);
    division->sets = malloc((items->count + 1) * sizeof *division->sets);
    division->order = malloc((items->count + 1) * sizeof *division->order);
    if (keys != NULL && division->sets != NULL && division->order != NULL) {
        for (size_t i = 0; i < items->count; i++) {
            keys[i] =
                (struct tolk_split_pair){items->items[i].source.key, items->items[i].target.key};
        }
        result = tolk_split(keys, items->count, options->dev, options->test, options->seed,
                            division->sets, division->order);
    }
    free(keys);
    return result;
}

static void count_sets(const struct items *items, const struct division *division,
                       struct tolk_prepare_counts *counts)
{
    size_t *const of_set[TOLK_SPLIT_SETS] = {[TOLK_SPLIT_TRAIN] = &counts->train,
                                             [TOLK_SPLIT_DEV] = &counts->dev,
                                             [TOLK_SPLIT_TEST] = &counts->test,
                                             [TOLK_SPLIT_LEFT_OUT] = &counts->left_out};
    for (size_t i = 0; i < items->count; i++) {
        ++*of_set[division->sets[i]];
    }
}

enum column { SENTENCES, ATTRIBUTIONS };

/* Writes one set's sentences or their attributions. */
static int write_set(const struct items *items, const struct division *division,
                     enum tolk_split_set set, enum column column, const char *path,
                     struct tolk_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream != NULL && i < items->count; i++) {
        const struct item *item = &items->items[division->order[i]];
        if (division->sets[division->order[i]] != set) {
            continue;
        }
        if (column == SENTENCES) {
            fprintf(stream, "%s\t%s\n", item->source.text, item->target.text);
        } else {
            fprintf(stream, "%s\n", item->attribution);
        }
    }
    const bool whole = stream != NULL && !ferror(stream);
    const bool closed = stream != NULL && fclose(stream) == 0;
    const int result = whole && closed ? tolk_file_write_atomic(path, text, size, error)
                                       : tolk_error_set(error, "%s: out of memory", path);
    free(text);
    return result;
}

static int write_sets(const struct items *items, const struct division *division,
                      const char *folder, struct tolk_error *error)
{
    static const struct {
        enum tolk_split_set set;
        enum column column;
        const char *name;
    } files[] = {
        {TOLK_SPLIT_TRAIN, SENTENCES, "train.tsv"},
        {TOLK_SPLIT_TRAIN, ATTRIBUTIONS, "train.attribution.tsv"},
        {TOLK_SPLIT_DEV, SENTENCES, "dev.tsv"},
        {TOLK_SPLIT_DEV, ATTRIBUTIONS, "dev.attribution.tsv"},
        {TOLK_SPLIT_TEST, SENTENCES, "test.tsv"},
        {TOLK_SPLIT_TEST, ATTRIBUTIONS, "test.attribution.tsv"},
    };
    if (tolk_folder_make(folder, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = tolk_path_join(folder, files[i].name);
        const int result =
            path != NULL ? write_set(items, division, files[i].set, files[i].column, path, error)
                         : tolk_error_set(error, "%s: out of memory", folder);
        free(path);
        if (result != 0) {
            return -1;
        }
    }
    return 0;
}

int tolk_prepare(const char *path, const char *folder, const struct tolk_prepare_options *options,
                 struct tolk_prepare_counts *counts, struct tolk_error *error)
{
    struct items items = {0};
    struct division division = {0};
    int result = -1;
    *counts = (struct tolk_prepare_counts){0};
    if (read_items(path, &items, counts, error) != 0) {
        goto out;
    }
    keep_each_once(&items, counts);
    if (divide(&items, options, &division) != 0) {
        tolk_error_set(error, "%s: out of memory", path);
        goto out;
    }
    count_sets(&items, &division, counts);
    if (counts->dev < options->dev || counts->test < options->test ||
        counts->train <= counts->dev + counts->test) {
        tolk_error_set(error,
                       "%s: expected enough pairs for %zu in dev, %zu in test and more in train, "
                       "found %zu",
                       path, options->dev, options->test, items.count);
        goto out;
    }
    result = write_sets(&items, &division, folder, error);
out:
    free(division.sets);
    free(division.order);
    free_items(&items);
    return result;
}
