/* Readers of sentence pairs: TSV (`Dutch<TAB>English[<TAB>alignment]`) and two line-aligned files
 * (Moses), gzip or not.
 *
 *     struct tolk_pairs pairs = {0};
 *     struct tolk_pairs_options options = {.skip_bad = true};
 *     if (tolk_pairs_read_tsv("train.tsv", &options, &pairs, &error) != 0) …
 *     printf("%zu pairs, %zu skipped\n", pairs.count, pairs.skipped);
 *     tolk_pairs_free(&pairs);
 *
 * Refused, with file and line (or skipped and counted where the options say so): bytes that are not
 * UTF-8, a carriage return, a NUL, an empty or blank side, a missing tab, a fourth field, a
 * malformed alignment or one beyond the words. Refused always: unequal line counts, a damaged gzip
 * stream, a file without a pair. The last line may lack its newline. */
#ifndef TOLK_CORPORA_PAIRS_H
#define TOLK_CORPORA_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "corpora/pharaoh.h"

struct tolk_pair {
    const char *source; /* NUL-terminated, UTF-8, owned by the tolk_pairs */
    const char *target;
    struct tolk_links links; /* empty where the file has none */
    size_t line;             /* from 1 */
};

struct tolk_pairs {
    struct tolk_pair *items;
    size_t count;
    size_t capacity;
    size_t skipped;
    bool aligned; /* every pair has an alignment field */
    char *text;   /* the storage of the sentences */
    /* What messages call the file of each side; borrowed from the caller, NULL: from no file. */
    const char *source_name;
    const char *target_name;
};

struct tolk_pairs_options {
    bool skip_bad;
    size_t limit; /* at most so many pairs; 0: all */
};

int tolk_pairs_read_tsv(const char *path, const struct tolk_pairs_options *options,
                        struct tolk_pairs *pairs, struct tolk_error *error);
/* TSV from an open descriptor, from where it stands on, which stays the caller's; no gzip. Messages
 * call it `name`. */
int tolk_pairs_read_tsv_descriptor(int descriptor, const char *name,
                                   const struct tolk_pairs_options *options,
                                   struct tolk_pairs *pairs, struct tolk_error *error);
int tolk_pairs_read_moses(const char *source_path, const char *target_path,
                          const struct tolk_pairs_options *options, struct tolk_pairs *pairs,
                          struct tolk_error *error);
void tolk_pairs_free(struct tolk_pairs *pairs);

#endif
