#include "corpora/gold.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "corpora/lines.h"

/* The decimal number before the first tab, and that tab; NULL when there is none. */
static const char *parse_number(const struct tolk_lines *lines, size_t *number)
{
    const char *at = lines->text;
    *number = 0;
    while (*at >= '0' && *at <= '9' && *number <= (SIZE_MAX - 9) / 10) {
        *number = 10 * *number + (size_t)(*at++ - '0');
    }
    return at > lines->text && *at == '\t' ? at : NULL;
}

static int compare_line(const void *key, const void *item)
{
    const size_t line = *(const size_t *)key;
    const struct tolk_pair *pair = item;
    return line < pair->line ? -1 : line > pair->line;
}

static int add_item(struct tolk_gold *gold, size_t pair, struct tolk_links links)
{
    if (gold->count == gold->capacity) {
        const size_t capacity = gold->capacity > 0 ? 2 * gold->capacity : 64;
        struct tolk_gold_item *items = realloc(gold->items, capacity * sizeof *items);
        if (items == NULL) {
            return -1;
        }
        gold->items = items;
        gold->capacity = capacity;
    }
    gold->items[gold->count++] = (struct tolk_gold_item){pair, links};
    return 0;
}

static int take_line(const struct tolk_lines *lines, const struct tolk_pairs *pairs, bool *named,
                     struct tolk_gold *gold, struct tolk_error *error)
{
    char where[TOLK_ERROR_MESSAGE_BYTES];
    struct tolk_links links = {0};
    size_t number = 0;
    const char *tab = parse_number(lines, &number);
    snprintf(where, sizeof where, "%s:%zu", lines->name, lines->number);
    if (tab == NULL) {
        return tolk_error_set(error, "%s: column 1: expected a line number and a tab", where);
    }
    const struct tolk_pair *pair =
        bsearch(&number, pairs->items, pairs->count, sizeof *pair, compare_line);
    if (pair == NULL) {
        return tolk_error_set(error, "%s: column 1: line %zu of the corpus is not among its pairs",
                              where, number);
    }
    const size_t index = (size_t)(pair - pairs->items);
    if (named[index]) {
        return tolk_error_set(error, "%s: column 1: line %zu of the corpus is named again", where,
                              number);
    }
    named[index] = true;
    const char *text = tab + 1;
    if (tolk_links_parse(text, lines->size - (size_t)(text - lines->text),
                         tolk_utf8_count_words(pair->source, strlen(pair->source)),
                         tolk_utf8_count_words(pair->target, strlen(pair->target)), where, &links,
                         error) != 0) {
        tolk_links_free(&links);
        return -1;
    }
    if (add_item(gold, index, links) != 0) {
        tolk_links_free(&links);
        return tolk_error_set(error, "%s: out of memory", where);
    }
    return 0;
}

int tolk_gold_read(const char *path, const struct tolk_pairs *pairs, struct tolk_gold *gold,
                   struct tolk_error *error)
{
    struct tolk_lines lines;
    int got = 0;
    *gold = (struct tolk_gold){0};
    if (tolk_lines_open(&lines, path, error) != 0) {
        return -1;
    }
    bool *named = calloc(pairs->count + 1, sizeof *named);
    if (named == NULL) {
        got = tolk_error_set(error, "%s: out of memory", path);
        goto out;
    }
    while ((got = tolk_lines_next(&lines, error)) > 0) {
        if (take_line(&lines, pairs, named, gold, error) != 0) {
            got = -1;
            break;
        }
    }
    if (got == 0 && gold->count == 0) {
        got = tolk_error_set(error, "%s: expected alignments, found an empty file", path);
    }
out:
    free(named);
    tolk_lines_close(&lines);
    if (got < 0) {
        tolk_gold_free(gold);
    }
    return got;
}

void tolk_gold_free(struct tolk_gold *gold)
{
    for (size_t i = 0; i < gold->count; i++) {
        tolk_links_free(&gold->items[i].links);
    }
    free(gold->items);
    *gold = (struct tolk_gold){0};
}
