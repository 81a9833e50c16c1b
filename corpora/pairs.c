#include "corpora/pairs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "corpora/lines.h"

/* What a line is worth: a bad one may be skipped, a fatal fault may not. */
enum verdict { GOOD, BAD, FATAL };

struct span {
    const char *text;
    size_t size;
};

struct builder {
    struct tolk_pairs *pairs;
    const struct tolk_pairs_options *options;
    size_t size, capacity; /* of pairs->text */
};

/* Lets a refusal be one statement: `return bad(tolk_error_set(…))`. */
static enum verdict bad(int error_was_set)
{
    (void)error_was_set;
    return BAD;
}

/* Bytes that no sentence may hold. */
static enum verdict check_line(const struct tolk_lines *lines, struct tolk_error *error)
{
    const char *nul = memchr(lines->text, '\0', lines->size);
    if (nul != NULL) {
        return bad(tolk_error_set(error, "%s:%zu: expected text, found a NUL at byte %zu",
                                  lines->name, lines->number, (size_t)(nul - lines->text) + 1));
    }
    const char *cr = memchr(lines->text, '\r', lines->size);
    if (cr != NULL) {
        return bad(tolk_error_set(
            error, "%s:%zu: expected lines that end in LF alone, found a CR at byte %zu",
            lines->name, lines->number, (size_t)(cr - lines->text) + 1));
    }
    const size_t valid = tolk_utf8_valid_prefix(lines->text, lines->size);
    if (valid < lines->size) {
        return bad(tolk_error_set(error, "%s:%zu: expected UTF-8, found 0x%02x at byte %zu",
                                  lines->name, lines->number, (unsigned char)lines->text[valid],
                                  valid + 1));
    }
    return GOOD;
}

static enum verdict check_side(const struct tolk_lines *lines, const char *side, struct span text,
                               struct tolk_error *error)
{
    if (tolk_utf8_count_words(text.text, text.size) > 0) {
        return GOOD;
    }
    return bad(tolk_error_set(error, "%s:%zu: expected a %s sentence, found %s", lines->name,
                              lines->number, side, text.size == 0 ? "nothing" : "white space"));
}

static int grow_items(struct tolk_pairs *pairs)
{
    const size_t capacity = pairs->capacity > 0 ? 2 * pairs->capacity : 1024;
    struct tolk_pair *items = realloc(pairs->items, capacity * sizeof *items);
    if (items == NULL) {
        return -1;
    }
    pairs->items = items;
    pairs->capacity = capacity;
    return 0;
}

/* Puts a sentence and its NUL behind those that are stored. */
static int store(struct builder *builder, struct span text)
{
    if (builder->capacity - builder->size < text.size + 1) {
        const size_t capacity = 2 * builder->capacity + text.size + 1;
        char *bytes = realloc(builder->pairs->text, capacity);
        if (bytes == NULL) {
            return -1;
        }
        builder->pairs->text = bytes;
        builder->capacity = capacity;
    }
    char *to = builder->pairs->text + builder->size;
    memcpy(to, text.text, text.size);
    to[text.size] = '\0';
    builder->size += text.size + 1;
    return 0;
}

/* Takes the links over, also when it fails. */
static enum verdict add_pair(struct builder *builder, const struct tolk_lines *lines,
                             struct span source, struct span target, struct tolk_links links,
                             struct tolk_error *error)
{
    struct tolk_pairs *pairs = builder->pairs;
    if ((pairs->count == pairs->capacity && grow_items(pairs) != 0) ||
        store(builder, source) != 0 || store(builder, target) != 0) {
        tolk_links_free(&links);
        tolk_error_set(error, "%s:%zu: out of memory", lines->name, lines->number);
        return FATAL;
    }
    pairs->items[pairs->count++] = (struct tolk_pair){.links = links, .line = lines->number};
    return GOOD;
}

/* Divides a line at its tabs; the number of fields, at most one more than `most`. */
static size_t split_fields(const struct tolk_lines *lines, struct span *fields, size_t most)
{
    const char *at = lines->text, *end = lines->text + lines->size;
    size_t count = 0;
    while (count < most) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        fields[count++] = (struct span){at, (size_t)((tab != NULL ? tab : end) - at)};
        if (tab == NULL) {
            return count;
        }
        at = tab + 1;
    }
    return most + 1;
}

static enum verdict take_tsv_line(struct builder *builder, const struct tolk_lines *lines,
                                  struct tolk_error *error)
{
    enum { SOURCE, TARGET, ALIGNMENT, MOST };
    struct span fields[MOST];
    struct tolk_links links = {0};
    if (check_line(lines, error) != GOOD) {
        return BAD;
    }
    const size_t count = split_fields(lines, fields, MOST);
    if (count == 1) {
        return bad(tolk_error_set(error, "%s:%zu: expected source<TAB>target, found no tab",
                                  lines->name, lines->number));
    }
    if (count > MOST) {
        return bad(tolk_error_set(error, "%s:%zu: expected at most %d fields, found a fourth",
                                  lines->name, lines->number, (int)MOST));
    }
    const struct span source = fields[SOURCE], target = fields[TARGET];
    if (check_side(lines, "source", source, error) != GOOD ||
        check_side(lines, "target", target, error) != GOOD) {
        return BAD;
    }
    if (count == MOST) {
        char where[TOLK_ERROR_MESSAGE_BYTES];
        snprintf(where, sizeof where, "%s:%zu", lines->name, lines->number);
        if (tolk_links_parse(fields[ALIGNMENT].text, fields[ALIGNMENT].size,
                             tolk_utf8_count_words(source.text, source.size),
                             tolk_utf8_count_words(target.text, target.size), where, &links,
                             error) != 0) {
            tolk_links_free(&links);
            return BAD;
        }
    }
    builder->pairs->aligned = builder->pairs->aligned && count == MOST;
    return add_pair(builder, lines, source, target, links, error);
}

static bool enough(const struct builder *builder)
{
    return builder->options->limit > 0 && builder->pairs->count == builder->options->limit;
}

/* Whether reading goes on after a line. */
static bool goes_on(struct builder *builder, enum verdict verdict)
{
    if (verdict == BAD && builder->options->skip_bad) {
        builder->pairs->skipped++;
        return true;
    }
    return verdict == GOOD;
}

static void begin(struct builder *builder, const struct tolk_pairs_options *options,
                  struct tolk_pairs *pairs)
{
    *pairs = (struct tolk_pairs){.aligned = true};
    *builder = (struct builder){.pairs = pairs, .options = options};
}

/* The storage moves while it grows, so the pairs get their pointers when all of it stands: the
 * sentences follow one another in it. */
static void point_into_text(struct tolk_pairs *pairs)
{
    const char *at = pairs->text;
    for (size_t i = 0; i < pairs->count; i++) {
        pairs->items[i].source = at;
        at += strlen(at) + 1;
        pairs->items[i].target = at;
        at += strlen(at) + 1;
    }
}

/* Completes the pairs, or empties them when `result` is a failure. */
static int finish(const struct builder *builder, const char *path, int result,
                  struct tolk_error *error)
{
    struct tolk_pairs *pairs = builder->pairs;
    if (result == 0 && pairs->count == 0) {
        result = tolk_error_set(error, "%s: expected sentence pairs, found none (%zu bad lines)",
                                path, pairs->skipped);
    }
    if (result != 0) {
        tolk_pairs_free(pairs);
        return -1;
    }
    point_into_text(pairs);
    return 0;
}

/* Closes the lines. */
static int read_tsv(struct tolk_lines *lines, const char *name,
                    const struct tolk_pairs_options *options, struct tolk_pairs *pairs,
                    struct tolk_error *error)
{
    struct builder builder;
    begin(&builder, options, pairs);
    pairs->source_name = pairs->target_name = name;
    int got = 0;
    while (!enough(&builder) && (got = tolk_lines_next(lines, error)) > 0) {
        if (!goes_on(&builder, take_tsv_line(&builder, lines, error))) {
            got = -1;
            break;
        }
    }
    tolk_lines_close(lines);
    return finish(&builder, name, got < 0 ? -1 : 0, error);
}

int tolk_pairs_read_tsv(const char *path, const struct tolk_pairs_options *options,
                        struct tolk_pairs *pairs, struct tolk_error *error)
{
    struct tolk_lines lines;
    *pairs = (struct tolk_pairs){0};
    return tolk_lines_open(&lines, path, error) == 0 ? read_tsv(&lines, path, options, pairs, error)
                                                     : -1;
}

int tolk_pairs_read_tsv_descriptor(int descriptor, const char *name,
                                   const struct tolk_pairs_options *options,
                                   struct tolk_pairs *pairs, struct tolk_error *error)
{
    struct tolk_lines lines;
    tolk_lines_attach(&lines, descriptor, name);
    return read_tsv(&lines, name, options, pairs, error);
}

static enum verdict take_moses_lines(struct builder *builder, const struct tolk_lines *source,
                                     const struct tolk_lines *target, struct tolk_error *error)
{
    const struct span source_text = {source->text, source->size};
    const struct span target_text = {target->text, target->size};
    if (check_line(source, error) != GOOD || check_line(target, error) != GOOD ||
        check_side(source, "source", source_text, error) != GOOD ||
        check_side(target, "target", target_text, error) != GOOD) {
        return BAD;
    }
    return add_pair(builder, source, source_text, target_text, (struct tolk_links){0}, error);
}

static int refuse_counts(const struct tolk_lines *shorter, const struct tolk_lines *longer,
                         struct tolk_error *error)
{
    return tolk_error_set(error,
                          "%s:%zu: expected a line for line %zu of %s, found the end of the file",
                          shorter->name, shorter->number + 1, longer->number, longer->name);
}

/* 1: a line of each; 0: the end of both; -1: an error. */
static int next_of_both(struct tolk_lines *source, struct tolk_lines *target,
                        struct tolk_error *error)
{
    const int first = tolk_lines_next(source, error);
    const int second = first < 0 ? -1 : tolk_lines_next(target, error);
    if (second < 0) {
        return -1;
    }
    if (first != second) {
        return first > 0 ? refuse_counts(target, source, error)
                         : refuse_counts(source, target, error);
    }
    return first;
}

int tolk_pairs_read_moses(const char *source_path, const char *target_path,
                          const struct tolk_pairs_options *options, struct tolk_pairs *pairs,
                          struct tolk_error *error)
{
    struct builder builder;
    struct tolk_lines source, target;
    begin(&builder, options, pairs);
    pairs->aligned = false;
    pairs->source_name = source_path;
    pairs->target_name = target_path;
    if (tolk_lines_open(&source, source_path, error) != 0) {
        return finish(&builder, source_path, -1, error);
    }
    if (tolk_lines_open(&target, target_path, error) != 0) {
        tolk_lines_close(&source);
        return finish(&builder, target_path, -1, error);
    }
    int got = 0;
    while (!enough(&builder) && (got = next_of_both(&source, &target, error)) > 0) {
        if (!goes_on(&builder, take_moses_lines(&builder, &source, &target, error))) {
            got = -1;
            break;
        }
    }
    tolk_lines_close(&source);
    tolk_lines_close(&target);
    return finish(&builder, source_path, got < 0 ? -1 : 0, error);
}

void tolk_pairs_free(struct tolk_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        tolk_links_free(&pairs->items[i].links);
    }
    free(pairs->items);
    free(pairs->text);
    *pairs = (struct tolk_pairs){0};
}
