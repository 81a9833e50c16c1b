/* The sentence pairs that a training learns from and is validated on. */
#ifndef TOLK_TRAIN_CORPUS_H
#define TOLK_TRAIN_CORPUS_H

#include <stdint.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "train/options.h"

struct tolk_training_corpus {
    struct tolk_pairs train;
    struct tolk_pairs dev;
    int64_t hash; /* of all sentences and the links that guide, so that a resumed training knows
                     them again */
};

/* Reads both as the options say, from one TSV file or from two files. */
int tolk_training_corpus_read(struct tolk_training_corpus *corpus,
                              const struct tolk_training_options *options,
                              struct tolk_error *error);
/* -1 unless it is the corpus that a training in `folder` began with. */
int tolk_training_corpus_check(const struct tolk_training_corpus *corpus, int64_t pairs,
                               int64_t hash, const char *folder, struct tolk_error *error);

void tolk_training_corpus_free(struct tolk_training_corpus *corpus);

#endif
