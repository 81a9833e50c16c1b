/* The links that guide a training, as --guided-alignment names them: a file, the corpus' own, or
 * those of the statistical aligner. */
#ifndef TOLK_TRAIN_LINKS_H
#define TOLK_TRAIN_LINKS_H

#include "base/error.h"
#include "train/corpus.h"
#include "train/options.h"
#include "train/progress.h"

/* Gives the pairs to train on their links and adds these to the corpus' hash. Does nothing without
 * --guided-alignment. Errors: a file with another number of lines than the corpus; a link that is
 * malformed or out of range, with file, line and column; a corpus without a third field. */
int tolk_training_links(struct tolk_training_corpus *corpus,
                        const struct tolk_training_options *options, struct tolk_progress *progress,
                        struct tolk_error *error);

#endif
