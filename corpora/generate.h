/* A corpus from a grammar: distinct pairs, in splits that share no sentence.
 *
 *     struct tolk_corpus corpus = {0};
 *     struct tolk_corpus_options options = {.seed = 1, .wanted = {20000, 500, 500, 500}};
 *     if (tolk_corpus_generate(grammar, &options, &corpus, &error) != 0 ||
 *         tolk_corpus_write(&corpus, "toy", &error) != 0) …
 *     tolk_corpus_free(&corpus);
 *
 * No source sentence comes twice, and a target sentence never stands in two splits. Pairs with a
 * combination that the grammar holds out go to `combinations` alone; the others are dealt over
 * train, dev and test by chance. That a source sentence has one translation is checked: a grammar
 * that gives it two is refused. */
#ifndef TOLK_CORPORA_GENERATE_H
#define TOLK_CORPORA_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/arena.h"
#include "corpora/grammar.h"

enum tolk_split { TOLK_TRAIN, TOLK_DEV, TOLK_TEST, TOLK_COMBINATIONS, TOLK_SPLITS };

struct tolk_corpus_options {
    uint64_t seed;
    size_t wanted[TOLK_SPLITS];
    const char *const *excluded; /* source sentences that stand in no split */
    size_t excluded_count;
};

struct tolk_corpus_pair {
    const char *source;
    const char *target;
    const char *links; /* Pharaoh */
};

struct tolk_corpus {
    struct tolk_corpus_pair *pairs[TOLK_SPLITS];
    size_t count[TOLK_SPLITS];
    size_t draws; /* derivations that it took */
    struct tolk_arena arena;
};

/* "train", "dev", "test", "combinations" */
const char *tolk_split_name(enum tolk_split split);

/* Errors: those of tolk_grammar_derive; a source sentence with two translations; a grammar that
 * does not hold that many distinct pairs (MOST_MISSES draws in a row brought nothing new). */
int tolk_corpus_generate(const struct tolk_grammar *grammar,
                         const struct tolk_corpus_options *options, struct tolk_corpus *corpus,
                         struct tolk_error *error);

/* Writes FOLDER/SPLIT.tsv (`source<TAB>target<TAB>links`) for each split that has pairs. */
int tolk_corpus_write(const struct tolk_corpus *corpus, const char *folder,
                      struct tolk_error *error);

/* One split as text in fresh memory, `size` bytes; NULL when there is no memory. */
char *tolk_corpus_text(const struct tolk_corpus *corpus, enum tolk_split split, size_t *size);

void tolk_corpus_free(struct tolk_corpus *corpus);

#endif
