/* The last step of a training: which attention aligns best is stored in config.json, as CTranslate2
 * names it (alignment_layer, alignment_heads), and at which step it is read (alignment_shift).
 *
 * It is measured on the dev pairs where they have gold links; else, where no head was guided, by
 * its agreement with the statistical aligner's links. A guided head without gold stays what it is.
 */
#ifndef TOLK_TRAIN_ALIGNMENT_H
#define TOLK_TRAIN_ALIGNMENT_H

#include "base/error.h"
#include "tokenizer/codec.h"
#include "train/corpus.h"
#include "train/options.h"
#include "train/progress.h"

/* Measures the model of the directory and writes its config again. */
int tolk_training_choose_alignment(const char *folder, const struct tolk_training_options *options,
                                   const struct tolk_codec *codec,
                                   const struct tolk_training_corpus *corpus,
                                   struct tolk_progress *progress, struct tolk_error *error);

#endif
