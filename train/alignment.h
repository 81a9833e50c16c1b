/* The last step of a training whose dev pairs have gold links: which attention aligns best is
 * stored in config.json, as CTranslate2 names it (alignment_layer, alignment_heads). */
#ifndef TOLK_TRAIN_ALIGNMENT_H
#define TOLK_TRAIN_ALIGNMENT_H

#include "base/error.h"
#include "corpora/pairs.h"
#include "tokenizer/codec.h"
#include "train/progress.h"

/* Measures the model of the directory and writes its config again. */
int tolk_training_choose_alignment(const char *folder, const struct tolk_codec *codec,
                                   const struct tolk_pairs *dev, struct tolk_progress *progress,
                                   struct tolk_error *error);

#endif
