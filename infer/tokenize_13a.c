#include "infer/tokenize_13a.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct bytes {
    char *text;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_stop(char c)
{
    return c == '.' || c == ',';
}

/* ASCII punctuation but for the apostrophe, comma, dash and period; the space is among it. */
static bool is_symbol(char c)
{
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
           (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

/* Puts `to`, which is no longer than `from`, in place of every `from`, left to right. */
static void replace(struct bytes *line, const char *from, const char *to)
{
    const size_t from_size = strlen(from), to_size = strlen(to);
    size_t kept = 0;
    for (size_t at = 0; at < line->size;) {
        if (line->size - at >= from_size && memcmp(line->text + at, from, from_size) == 0) {
            memcpy(line->text + kept, to, to_size);
            kept += to_size;
            at += from_size;
        } else {
            line->text[kept++] = line->text[at++];
        }
    }
    line->size = kept;
}

static void put(struct bytes *line, char c)
{
    line->text[line->size++] = c;
}

/* s/([symbol])/ \1 /g */
static void part_symbols(const struct bytes *from, struct bytes *to)
{
    for (size_t i = 0; i < from->size; i++) {
        const bool symbol = is_symbol(from->text[i]);
        if (symbol) {
            put(to, ' ');
        }
        put(to, from->text[i]);
        if (symbol) {
            put(to, ' ');
        }
    }
}

enum rule { SYMBOL, STOP_AFTER_OTHER, STOP_BEFORE_OTHER, DASH_AFTER_DIGIT, RULES };

/* Whether one of the rules over two neighbours matches them. */
static bool applies(enum rule rule, char first, char second)
{
    switch (rule) {
    case STOP_AFTER_OTHER:
        return !is_digit(first) && is_stop(second);
    case STOP_BEFORE_OTHER:
        return is_stop(first) && !is_digit(second);
    default:
        return is_digit(first) && second == '-';
    }
}

/* s/([^0-9])([.,])/\1 \2 /g, s/([.,])([^0-9])/ \1 \2/g or s/([0-9])(-)/\1 \2 /g: matches do not
 * overlap, so a stop that ended one begins no other. */
static void part_neighbours(const struct bytes *from, struct bytes *to, enum rule rule)
{
    size_t i = 0;
    while (i < from->size) {
        if (i + 1 == from->size || !applies(rule, from->text[i], from->text[i + 1])) {
            put(to, from->text[i++]);
            continue;
        }
        if (rule == STOP_BEFORE_OTHER) {
            put(to, ' ');
        }
        put(to, from->text[i]);
        put(to, ' ');
        put(to, from->text[i + 1]);
        if (rule != STOP_BEFORE_OTHER) {
            put(to, ' ');
        }
        i += 2;
    }
}

/* Joins the words with one space each. */
static void join_words(struct bytes *line)
{
    bool gap = false;
    size_t kept = 0;
    for (size_t at = 0, length = 0; at < line->size; at += length) {
        uint32_t point = 0;
        length = tolk_utf8_decode(line->text + at, line->size - at, &point);
        if (length > 0 && tolk_utf8_is_space(point)) {
            gap = kept > 0;
            continue;
        }
        if (gap) {
            line->text[kept++] = ' ';
            gap = false;
        }
        length = length > 0 ? length : 1; /* a byte that is not UTF-8 stays as it is */
        memmove(line->text + kept, line->text + at, length);
        kept += length;
    }
    line->size = kept;
}

static int apply(struct bytes *line, enum rule rule)
{
    enum { MOST_GROWTH = 3 }; /* the first rule makes ` x ` of `x` */
    struct bytes parted = {malloc(line->size * MOST_GROWTH + 1), 0};
    if (parted.text == NULL) {
        return -1;
    }
    if (rule == SYMBOL) {
        part_symbols(line, &parted);
    } else {
        part_neighbours(line, &parted, rule);
    }
    free(line->text);
    *line = parted;
    return 0;
}

/* The size without the white space at the end. */
static size_t trimmed_size(const char *text)
{
    const size_t size = strlen(text);
    size_t trimmed = 0;
    for (size_t at = 0, length = 0; at < size; at += length) {
        uint32_t point = 0;
        length = tolk_utf8_decode(text + at, size - at, &point);
        const bool space = length > 0 && tolk_utf8_is_space(point);
        length = length > 0 ? length : 1;
        trimmed = space ? trimmed : at + length;
    }
    return trimmed;
}

char *tolk_tokenize_13a(const char *text)
{
    const size_t size = trimmed_size(text);
    struct bytes line = {malloc(size + sizeof "  "), 0};
    if (line.text == NULL) {
        return NULL;
    }
    put(&line, ' ');
    memcpy(line.text + 1, text, size);
    line.size += size;
    put(&line, ' ');
    replace(&line, "<skipped>", "");
    replace(&line, "-\n", "");
    replace(&line, "\n", " ");
    replace(&line, "&quot;", "\"");
    replace(&line, "&amp;", "&");
    replace(&line, "&lt;", "<");
    replace(&line, "&gt;", ">");
    for (int rule = SYMBOL; rule < RULES; rule++) {
        if (apply(&line, (enum rule)rule) != 0) {
            free(line.text);
            return NULL;
        }
    }
    join_words(&line);
    /* The space that the line began with is gone, so there is room for the NUL. */
    line.text[line.size] = '\0';
    return line.text;
}
