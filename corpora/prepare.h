/* From a download of Tatoeba sentences to train, dev and test files.
 *
 *     struct tolk_prepare_counts counts;
 *     const struct tolk_prepare_options options = TOLK_PREPARE_DEFAULTS;
 *     if (tolk_prepare("nld.txt", "tatoeba-nl-en", &options, &counts, &error) != 0) …
 *
 * Two forms of line are known:
 *
 *     English<TAB>Dutch[<TAB>attribution]           ManyThings (manythings.org/anki)
 *     number<TAB>Dutch<TAB>number<TAB>English       Tatoeba's own export of sentence pairs
 *
 * The folder gets train.tsv, dev.tsv and test.tsv (`Dutch<TAB>English`, shuffled) and beside each,
 * line by line, the attribution that the licence asks for in *.attribution.tsv. */
#ifndef TOLK_CORPORA_PREPARE_H
#define TOLK_CORPORA_PREPARE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct tolk_prepare_options {
    size_t dev; /* pairs */
    size_t test;
    uint64_t seed; /* of the shuffle and the draw */
};
#define TOLK_PREPARE_DEFAULTS ((struct tolk_prepare_options){.dev = 1500, .test = 2000, .seed = 1})

/* What became of the lines: read = not_text + no_words + too_long + uneven + repeated + left_out +
 * train + dev + test. */
struct tolk_prepare_counts {
    size_t read;
    size_t not_text; /* bad UTF-8, control characters */
    size_t no_words; /* on one side or both */
    size_t too_long;
    size_t uneven;   /* one side too long for the other */
    size_t repeated; /* the same pair but for case and punctuation */
    size_t left_out; /* other translations of sentences in dev and test */
    size_t train;
    size_t dev;
    size_t test;
};

/* Errors: the file cannot be read, a line of neither form (file and line), too few pairs
 * for dev, test and more than both in train, a file that cannot be written. */
int tolk_prepare(const char *path, const char *folder, const struct tolk_prepare_options *options,
                 struct tolk_prepare_counts *counts, struct tolk_error *error);

#endif
