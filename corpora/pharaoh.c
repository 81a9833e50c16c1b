#include "corpora/pharaoh.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

int tolk_links_add(struct tolk_links *links, uint32_t source, uint32_t target, bool possible)
{
    if (links->count == links->capacity) {
        const size_t capacity = links->capacity > 0 ? 2 * links->capacity : 8;
        struct tolk_link *items = realloc(links->items, capacity * sizeof *items);
        if (items == NULL) {
            return -1;
        }
        links->items = items;
        links->capacity = capacity;
    }
    links->items[links->count++] = (struct tolk_link){source, target, possible};
    return 0;
}

void tolk_links_free(struct tolk_links *links)
{
    free(links->items);
    *links = (struct tolk_links){0};
}

/* A sure link stands before the possible one of the same words. */
static int compare(const void *a, const void *b)
{
    const struct tolk_link *x = a, *y = b;
    if (x->source != y->source) {
        return x->source < y->source ? -1 : 1;
    }
    if (x->target != y->target) {
        return x->target < y->target ? -1 : 1;
    }
    return (int)x->possible - (int)y->possible;
}

void tolk_links_sort(struct tolk_links *links)
{
    if (links->count > 1) {
        qsort(links->items, links->count, sizeof *links->items, compare);
    }
}

/* Of links between the same words the first stays, in sorted order the sure one. */
static void keep_each_once(struct tolk_links *links)
{
    size_t kept = 0;
    for (size_t i = 0; i < links->count; i++) {
        const struct tolk_link link = links->items[i];
        if (kept == 0 || links->items[kept - 1].source != link.source ||
            links->items[kept - 1].target != link.target) {
            links->items[kept++] = link;
        }
    }
    links->count = kept;
}

/* Digits from `*at` on; false when there is none or the number does not fit. */
static bool parse_index(const char *text, size_t end, size_t *at, uint32_t *index)
{
    const size_t begin = *at;
    uint64_t value = 0;
    for (; *at < end && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
        value = 10 * value + (uint64_t)(text[*at] - '0');
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *index = (uint32_t)value;
    return *at > begin;
}

/* One link, the bytes [begin, end) of the text; false when they are anything else. */
static bool parse_link(const char *text, size_t begin, size_t end, struct tolk_link *link)
{
    size_t at = begin;
    if (!parse_index(text, end, &at, &link->source) || at == end ||
        (text[at] != '-' && text[at] != 'p')) {
        return false;
    }
    link->possible = text[at++] == 'p';
    return parse_index(text, end, &at, &link->target) && at == end;
}

static int check_index(const char *side, uint32_t index, size_t words, const char *where,
                       size_t column, struct tolk_error *error)
{
    if (words == SIZE_MAX || index < words) {
        return 0;
    }
    return tolk_error_set(
        error, "%s: column %zu of the alignment: %s word %" PRIu32 " is beyond its %zu words",
        where, column, side, index, words);
}

int tolk_links_parse(const char *text, size_t size, size_t source_words, size_t target_words,
                     const char *where, struct tolk_links *links, struct tolk_error *error)
{
    size_t at = 0;
    links->count = 0;
    for (;;) {
        while (at < size && text[at] == ' ') {
            at++;
        }
        if (at == size) {
            break;
        }
        struct tolk_link link;
        const size_t begin = at, column = begin + 1;
        while (at < size && text[at] != ' ') {
            at++;
        }
        if (!parse_link(text, begin, at, &link)) {
            enum { SHOWN = 20 };
            const size_t most = at - begin < SHOWN ? at - begin : SHOWN;
            const int shown = (int)tolk_utf8_valid_prefix(text + begin, most);
            return tolk_error_set(
                error,
                "%s: column %zu of the alignment: expected a link such as 3-4 or 3p4, found '%.*s'",
                where, column, shown, text + begin);
        }
        if (check_index("source", link.source, source_words, where, column, error) != 0 ||
            check_index("target", link.target, target_words, where, column, error) != 0) {
            return -1;
        }
        if (tolk_links_add(links, link.source, link.target, link.possible) != 0) {
            return tolk_error_set(error, "%s: out of memory", where);
        }
    }
    tolk_links_sort(links);
    keep_each_once(links);
    return 0;
}

char *tolk_links_format(const struct tolk_links *links)
{
    enum { LONGEST_LINK = sizeof " 4294967295-4294967295" };
    const size_t room = links->count * LONGEST_LINK + 1;
    char *text = malloc(room);
    size_t used = 0;
    if (text == NULL) {
        return NULL;
    }
    text[0] = '\0';
    for (size_t i = 0; i < links->count; i++) {
        const struct tolk_link *link = &links->items[i];
        used +=
            (size_t)snprintf(text + used, room - used, "%s%" PRIu32 "%c%" PRIu32, i > 0 ? " " : "",
                             link->source, link->possible ? 'p' : '-', link->target);
    }
    return text;
}
