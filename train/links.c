#include "train/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align/aligner.h"
#include "base/utf8.h"
#include "corpora/lines.h"

static int refuse_count(const struct tolk_lines *lines, size_t expected, const char *found,
                        struct tolk_error *error)
{
    return tolk_error_set(error,
                          "%s:%zu: expected %zu lines of links, as many as the corpus has, %s",
                          lines->name, lines->number, expected, found);
}

/* Line by line beside the corpus; lines that the corpus has skipped are skipped here, too. */
static int read_lines(struct tolk_lines *lines, struct tolk_pairs *pairs, struct tolk_error *error)
{
    const size_t expected = pairs->count + pairs->skipped;
    size_t next = 0;
    int got;
    while ((got = tolk_lines_next(lines, error)) > 0) {
        if (lines->number > expected) {
            return refuse_count(lines, expected, "found more", error);
        }
        if (next == pairs->count || pairs->items[next].line != lines->number) {
            continue;
        }
        struct tolk_pair *pair = &pairs->items[next++];
        char where[TOLK_ERROR_MESSAGE_BYTES];
        snprintf(where, sizeof where, "%s:%zu", lines->name, lines->number);
        if (tolk_links_parse(lines->text, lines->size,
                             tolk_utf8_count_words(pair->source, strlen(pair->source)),
                             tolk_utf8_count_words(pair->target, strlen(pair->target)), where,
                             &pair->links, error) != 0) {
            return -1;
        }
    }
    if (got == 0 && lines->number < expected) {
        return refuse_count(lines, expected, "found the end of the file", error);
    }
    return got;
}

static int read_file(const char *path, struct tolk_pairs *pairs, struct tolk_error *error)
{
    struct tolk_lines lines;
    if (tolk_lines_open(&lines, path, error) != 0) {
        return -1;
    }
    const int result = read_lines(&lines, pairs, error);
    tolk_lines_close(&lines);
    return result;
}

static int use_own(const struct tolk_pairs *pairs, struct tolk_error *error)
{
    if (!pairs->aligned) {
        return tolk_error_set(error,
                              "%s: option --guided-alignment corpus expects links in a third field "
                              "of every line",
                              pairs->source_name);
    }
    return 0;
}

static int align(struct tolk_pairs *pairs, struct tolk_progress *progress, struct tolk_error *error)
{
    const struct tolk_aligner_options options = tolk_aligner_options_default();
    struct tolk_links *links = calloc(pairs->count, sizeof *links);
    if (links == NULL) {
        return tolk_error_set(error, "out of memory for the links of %zu pairs", pairs->count);
    }
    tolk_progress_note(progress, "guided alignment: aligning the words of the pairs to train on");
    const int result = tolk_align_pairs(pairs, &options, links, error);
    for (size_t i = 0; i < pairs->count && result == 0; i++) {
        tolk_links_free(&pairs->items[i].links);
        pairs->items[i].links = links[i];
    }
    free(links);
    return result;
}

/* The links where they are asked from. */
static int fetch(const char *from, struct tolk_pairs *pairs, struct tolk_progress *progress,
                 struct tolk_error *error)
{
    if (strcmp(from, "corpus") == 0) {
        return use_own(pairs, error);
    }
    if (strcmp(from, "auto") == 0) {
        return align(pairs, progress, error);
    }
    return read_file(from, pairs, error);
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    const uint64_t prime = UINT64_C(0x100000001b3); /* FNV-1a */
    return (hash ^ number) * prime;
}

/* Returns the number of links. */
static size_t add_to_hash(struct tolk_training_corpus *corpus)
{
    uint64_t hash = (uint64_t)corpus->hash;
    size_t count = 0;
    for (size_t i = 0; i < corpus->train.count; i++) {
        const struct tolk_links *links = &corpus->train.items[i].links;
        hash = hash_number(hash, links->count);
        for (size_t l = 0; l < links->count; l++) {
            hash = hash_number(hash, links->items[l].source);
            hash = hash_number(hash, links->items[l].target);
            hash = hash_number(hash, links->items[l].possible);
        }
        count += links->count;
    }
    corpus->hash = (int64_t)hash;
    return count;
}

int tolk_training_links(struct tolk_training_corpus *corpus,
                        const struct tolk_training_options *options, struct tolk_progress *progress,
                        struct tolk_error *error)
{
    const char *from = options->guided_alignment;
    if (from == NULL) {
        return 0;
    }
    if (fetch(from, &corpus->train, progress, error) != 0) {
        return -1;
    }
    const size_t links = add_to_hash(corpus);
    if (links == 0) {
        return tolk_error_set(error, "option --guided-alignment %s: found no link", from);
    }
    tolk_progress_note(progress, "guided alignment: %zu links of words", links);
    return 0;
}
