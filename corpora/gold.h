/* Word alignments made by hand for some pairs of a corpus, one pair a line:
 *
 *     3<TAB>0-0 2-2 3-4 1p1
 *
 * First the pair's line number in the corpus, from 1, then its links in Pharaoh form. */
#ifndef TOLK_CORPORA_GOLD_H
#define TOLK_CORPORA_GOLD_H

#include <stddef.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "corpora/pharaoh.h"

struct tolk_gold_item {
    size_t pair; /* index into the pairs, from 0 */
    struct tolk_links links;
};

struct tolk_gold {
    struct tolk_gold_item *items;
    size_t count;
    size_t capacity;
};

/* Reads gold for `pairs`. Refused, with file and line: a line of another form, a number that is no
 * pair's line (pairs that were skipped or are beyond a limit count as such), a pair named twice,
 * links as tolk_links_parse refuses them, a file without a line. */
int tolk_gold_read(const char *path, const struct tolk_pairs *pairs, struct tolk_gold *gold,
                   struct tolk_error *error);
void tolk_gold_free(struct tolk_gold *gold);

#endif
