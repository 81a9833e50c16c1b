#include "corpora/generate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "corpora/text_map.h"

enum { MOST_MISSES = 100000 };

/* The random numbers of one draw: those of the derivation, and the one that chooses the split. */
enum { SITE_DERIVATION, SITE_SPLIT };

struct generator {
    const struct tolk_grammar *grammar;
    const struct tolk_corpus_options *options;
    struct tolk_corpus *corpus;
    struct tolk_error *error;
    struct tolk_text_map targets_of; /* source sentence → its target's index in `targets` */
    struct tolk_text_map splits_of;  /* target sentence → the split it stands in */
    const char **targets;
    size_t target_count;
    size_t missing[TOLK_SPLITS];
};

const char *tolk_split_name(enum tolk_split split)
{
    static const char *const names[TOLK_SPLITS] = {"train", "dev", "test", "combinations"};
    return names[split];
}

static int no_memory(struct generator *g)
{
    return tolk_error_set(g->error, "out of memory after %zu draws", g->corpus->draws);
}

static bool is_excluded(const struct tolk_corpus_options *options, const char *source)
{
    for (size_t i = 0; i < options->excluded_count; i++) {
        if (strcmp(options->excluded[i], source) == 0) {
            return true;
        }
    }
    return false;
}

/* The split for a pair, or TOLK_SPLITS when it finds no place. Train, dev and test are dealt in the
 * proportion of what they still miss, so that all are full at the same time and none is served
 * with the likelier sentences. */
static enum tolk_split choose_split(const struct generator *g, const struct tolk_derived *pair)
{
    const struct tolk_text_map_entry *seen = tolk_text_map_find(&g->splits_of, pair->target);
    enum tolk_split split = TOLK_SPLITS;
    if (seen != NULL) {
        split = (enum tolk_split)seen->value;
        if ((split == TOLK_COMBINATIONS) != pair->held_out) {
            return TOLK_SPLITS;
        }
    } else if (pair->held_out) {
        split = TOLK_COMBINATIONS;
    } else {
        const size_t all = g->missing[TOLK_TRAIN] + g->missing[TOLK_DEV] + g->missing[TOLK_TEST];
        const struct tolk_random_key key =
            tolk_random_key(g->options->seed, g->corpus->draws, SITE_SPLIT);
        size_t place = all > 0 ? (size_t)((double)tolk_random_uniform(key, 0) * (double)all) : 0;
        for (split = TOLK_TRAIN; split < TOLK_TEST && place >= g->missing[split]; split++) {
            place -= g->missing[split];
        }
    }
    return g->missing[split] > 0 ? split : TOLK_SPLITS;
}

/* Copies the pair into the corpus and remembers both sentences. */
static int keep(struct generator *g, const struct tolk_derived *pair, enum tolk_split split)
{
    struct tolk_corpus *corpus = g->corpus;
    struct tolk_arena *arena = &corpus->arena;
    char *links = tolk_links_format(&pair->links);
    if (links == NULL) {
        return no_memory(g);
    }
    const struct tolk_corpus_pair copy = {
        tolk_arena_text(arena, pair->source, strlen(pair->source)),
        tolk_arena_text(arena, pair->target, strlen(pair->target)),
        tolk_arena_text(arena, links, strlen(links))};
    free(links);
    struct tolk_corpus_pair *pairs =
        tolk_arena_grow(arena, corpus->pairs[split], corpus->count[split], sizeof *pairs);
    const char **targets = tolk_arena_grow(arena, g->targets, g->target_count, sizeof *targets);
    if (copy.source == NULL || copy.target == NULL || copy.links == NULL || pairs == NULL ||
        targets == NULL || tolk_text_map_add(&g->targets_of, copy.source, g->target_count) != 0) {
        return no_memory(g);
    }
    corpus->pairs[split] = pairs;
    pairs[corpus->count[split]++] = copy;
    g->targets = targets;
    targets[g->target_count++] = copy.target;
    g->missing[split]--;
    if (tolk_text_map_find(&g->splits_of, copy.target) == NULL &&
        tolk_text_map_add(&g->splits_of, copy.target, split) != 0) {
        return no_memory(g);
    }
    return 0;
}

/* One draw: 1 when it brought a pair, 0 when not, -1 for an error. */
static int draw(struct generator *g)
{
    struct tolk_derived pair;
    const struct tolk_random_key key =
        tolk_random_key(g->options->seed, ++g->corpus->draws, SITE_DERIVATION);
    int result = 0;
    if (tolk_grammar_derive(g->grammar, key, &pair, g->error) != 0) {
        return -1;
    }
    const struct tolk_text_map_entry *seen = tolk_text_map_find(&g->targets_of, pair.source);
    if (seen != NULL) {
        assert(g->targets != NULL);
        if (strcmp(g->targets[seen->value], pair.target) != 0) {
            result = tolk_error_set(g->error,
                                    "the grammar gives \"%s\" two translations: \"%s\" and \"%s\"",
                                    pair.source, g->targets[seen->value], pair.target);
        }
    } else if (!is_excluded(g->options, pair.source)) {
        const enum tolk_split split = choose_split(g, &pair);
        if (split != TOLK_SPLITS) {
            result = keep(g, &pair, split) == 0 ? 1 : -1;
        }
    }
    tolk_derived_free(&pair);
    return result;
}

static int too_few(struct generator *g)
{
    for (enum tolk_split split = TOLK_TRAIN; split < TOLK_SPLITS; split++) {
        if (g->missing[split] > 0) {
            return tolk_error_set(
                g->error,
                "the grammar does not hold so many distinct pairs: %s has %zu of %zu, and the "
                "last %d of %zu draws brought none",
                tolk_split_name(split), g->corpus->count[split], g->options->wanted[split],
                MOST_MISSES, g->corpus->draws);
        }
    }
    return 0;
}

static bool is_full(const struct generator *g)
{
    for (size_t split = 0; split < TOLK_SPLITS; split++) {
        if (g->missing[split] > 0) {
            return false;
        }
    }
    return true;
}

int tolk_corpus_generate(const struct tolk_grammar *grammar,
                         const struct tolk_corpus_options *options, struct tolk_corpus *corpus,
                         struct tolk_error *error)
{
    struct generator g = {.grammar = grammar, .options = options, .corpus = corpus, .error = error};
    int result = 0;
    *corpus = (struct tolk_corpus){0};
    memcpy(g.missing, options->wanted, sizeof g.missing);
    for (size_t misses = 0; result >= 0 && !is_full(&g) && misses < MOST_MISSES;) {
        result = draw(&g);
        misses = result == 1 ? 0 : misses + 1;
    }
    result = result < 0 ? -1 : too_few(&g);
    tolk_text_map_free(&g.targets_of);
    tolk_text_map_free(&g.splits_of);
    if (result != 0) {
        tolk_corpus_free(corpus);
    }
    return result;
}

char *tolk_corpus_text(const struct tolk_corpus *corpus, enum tolk_split split, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    if (stream == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < corpus->count[split]; i++) {
        const struct tolk_corpus_pair *pair = &corpus->pairs[split][i];
        fprintf(stream, "%s\t%s\t%s\n", pair->source, pair->target, pair->links);
    }
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* An empty split has no file, not even one of an earlier corpus. */
static int write_split(const struct tolk_corpus *corpus, enum tolk_split split, const char *folder,
                       struct tolk_error *error)
{
    char name[32];
    snprintf(name, sizeof name, "%s.tsv", tolk_split_name(split));
    size_t size = 0;
    int result = 0;
    char *path = tolk_path_join(folder, name);
    char *text = tolk_corpus_text(corpus, split, &size);
    if (path == NULL || text == NULL) {
        result = tolk_error_set(error, "%s/%s: out of memory", folder, name);
    } else if (corpus->count[split] > 0) {
        result = tolk_file_write_atomic(path, text, size, error);
    } else if (unlink(path) != 0 && errno != ENOENT) {
        result = tolk_error_errno(error, "%s: cannot remove", path);
    }
    free(path);
    free(text);
    return result;
}

int tolk_corpus_write(const struct tolk_corpus *corpus, const char *folder,
                      struct tolk_error *error)
{
    if (tolk_folder_make(folder, error) != 0) {
        return -1;
    }
    for (enum tolk_split split = TOLK_TRAIN; split < TOLK_SPLITS; split++) {
        if (write_split(corpus, split, folder, error) != 0) {
            return -1;
        }
    }
    return 0;
}

void tolk_corpus_free(struct tolk_corpus *corpus)
{
    tolk_arena_free(&corpus->arena);
    *corpus = (struct tolk_corpus){0};
}
