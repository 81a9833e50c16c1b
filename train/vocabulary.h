/* The joint vocabulary of a new model, and the config that goes with the options. */
#ifndef TOLK_TRAIN_VOCABULARY_H
#define TOLK_TRAIN_VOCABULARY_H

#include "base/error.h"
#include "corpora/pairs.h"
#include "model/config.h"
#include "tokenizer/codec.h"
#include "train/options.h"
#include "train/progress.h"

/* Trains one tokenizer on both sides of the pairs. Where the options leave the size open and the
 * corpus is too small for the usual one, a smaller one is found, and noted. NULL with an error. */
struct tolk_codec *tolk_training_vocabulary(const struct tolk_training_options *options,
                                            const struct tolk_pairs *pairs,
                                            struct tolk_progress *progress,
                                            struct tolk_error *error);

struct tolk_config tolk_training_config(const struct tolk_training_options *options,
                                        const struct tolk_codec *codec);

#endif
