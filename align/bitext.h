/* Sentence pairs as the aligner sees them: numbers of units.
 *
 * Links are between words, runs without white space; units are what the lexicon counts. A word is
 * split at its punctuation and before an apostrophe, and its letters are lower-cased:
 *
 *     Dat's    waar,   nietwaar?           words
 *     dat 's   waar ,  nietwaar ?          units
 *
 * so that `mat.` and `mat` are one entry of the lexicon, and `weet niet` may meet both parts of
 * `don't`. Links of units become links of their words; punctuation that is attached to a word
 * carries none. */
#ifndef TOLK_ALIGN_BITEXT_H
#define TOLK_ALIGN_BITEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/pairs.h"

enum tolk_side { TOLK_SOURCE_SIDE, TOLK_TARGET_SIDE, TOLK_SIDES };

struct tolk_unit {
    uint32_t id;   /* from 0, in order of first appearance on its side */
    uint32_t word; /* its place in the sentence, from 0 */
    bool silent;   /* attached punctuation: its links are not links of the word */
};

struct tolk_text_side {
    struct tolk_unit *units;
    size_t *begin; /* [pairs + 1]: pair i owns units begin[i] … begin[i + 1] */
    size_t unit_count;
    size_t unit_capacity;
    size_t vocabulary; /* ids are below */
};

struct tolk_bitext {
    size_t pairs;
    struct tolk_text_side sides[TOLK_SIDES];
};

/* -1 when there is no memory. */
int tolk_bitext_make(struct tolk_bitext *bitext, const struct tolk_pairs *pairs,
                     struct tolk_error *error);
void tolk_bitext_free(struct tolk_bitext *bitext);

#endif
