/* Synchronous grammars: one derivation yields a sentence, its translation and their gold word
 * alignment. The format of a grammar file is described in corpora/README.md.
 *
 *     struct tolk_grammar *grammar = NULL;
 *     struct tolk_derived pair = {0};
 *     if (tolk_grammar_load(&grammar, "corpora/nl-en.grammar", &error) != 0) …
 *     if (tolk_grammar_derive(grammar, tolk_random_key(seed, draw, 0), &pair, &error) != 0) …
 *     printf("%s\t%s\n", pair.source, pair.target);
 *     tolk_derived_free(&pair);
 *     tolk_grammar_free(grammar);
 *
 * The formalism is a synchronous multiple context-free grammar (Seki et al. 1991; Kaeshammer 2013)
 * with agreement by unification: a symbol yields several named parts on each side, so that a Dutch
 * verb can stand second and its particle last and still be one symbol. */
#ifndef TOLK_CORPORA_GRAMMAR_H
#define TOLK_CORPORA_GRAMMAR_H

#include <stdbool.h>

#include "base/error.h"
#include "base/random.h"
#include "corpora/pharaoh.h"

struct tolk_grammar;

/* One sentence pair. Words are separated by single spaces; punctuation clings to its word. */
struct tolk_derived {
    char *source;
    char *target;
    struct tolk_links links; /* sorted by source word, then target word; each once */
    bool held_out;           /* contains a combination that the grammar holds out */
};

/* Reads and checks a grammar. Errors name file and line: bytes that are not UTF-8, an unknown
 * directive, feature or value, a symbol without a rule, a part that no rule has, a child or a mark
 * that only one side has, a symbol whose rules never come to an end. */
int tolk_grammar_load(struct tolk_grammar **grammar, const char *path, struct tolk_error *error);

/* One random derivation, a function of the grammar and the key alone. Derivations in which no rule
 * fits, that grow too deep or miss the grammar's length are thrown away and drawn anew; the error
 * is that this happened too often, that a form is not decided, or that memory is short. */
int tolk_grammar_derive(const struct tolk_grammar *grammar, struct tolk_random_key key,
                        struct tolk_derived *pair, struct tolk_error *error);

void tolk_derived_free(struct tolk_derived *pair);
void tolk_grammar_free(struct tolk_grammar *grammar);

#endif
