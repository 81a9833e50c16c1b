/* Word alignments in Pharaoh form: `0-0 1-2 2p1`, source word first, words from 0, split at white
 * space; `-` is a sure link, `p` a possible one. */
#ifndef TOLK_CORPORA_PHARAOH_H
#define TOLK_CORPORA_PHARAOH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct tolk_link {
    uint32_t source;
    uint32_t target;
    bool possible; /* possible only; a sure link is possible too */
};

struct tolk_links {
    struct tolk_link *items;
    size_t count;
    size_t capacity;
};

/* Parses `size` bytes, links with spaces between them, in place of what `links` held. The result is
 * sorted and names each link once (sure, where the text says sure and possible). Errors begin with
 * `where` ("gold.tsv:12") and say the column from 1 in the text, what was expected, and the index
 * that is beyond `source_words` or `target_words` (SIZE_MAX: not checked). An empty text is no
 * link. */
int tolk_links_parse(const char *text, size_t size, size_t source_words, size_t target_words,
                     const char *where, struct tolk_links *links, struct tolk_error *error);

/* Adds one link; -1 when there is no memory. */
int tolk_links_add(struct tolk_links *links, uint32_t source, uint32_t target, bool possible);

/* Sorts by source, then target, as they are printed. */
void tolk_links_sort(struct tolk_links *links);

/* The text in fresh memory, "" for no link; NULL when there is no memory. */
char *tolk_links_format(const struct tolk_links *links);

void tolk_links_free(struct tolk_links *links);

#endif
