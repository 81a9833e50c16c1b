/* The model card: README.md of the model directory, with the front matter that model hubs read. */
#ifndef TOLK_TRAIN_CARD_H
#define TOLK_TRAIN_CARD_H

#include <stddef.h>

#include "base/error.h"
#include "model/config.h"
#include "train/checkpoint.h"
#include "train/corpus.h"
#include "train/options.h"

/* Writes it atomically; the scores are those of the cursor's best. */
int tolk_card_write(const char *path, const struct tolk_training_options *options,
                    const struct tolk_training_corpus *corpus, const struct tolk_config *config,
                    size_t parameters, const struct tolk_cursor *cursor, size_t translated,
                    struct tolk_error *error);

#endif
