/* Which layer and heads align best: measured against gold. */
#ifndef TOLK_INFER_ALIGNMENT_CHOICE_H
#define TOLK_INFER_ALIGNMENT_CHOICE_H

#include "base/error.h"
#include "corpora/pairs.h"
#include "infer/word_attention.h"
#include "model/model.h"
#include "tokenizer/codec.h"

/* Aligns the pairs, whose links are gold, by every decoder layer: all heads averaged, and each head
 * alone, read where a word is the output and where it is the input. Gives the choice with the
 * lowest AER (the first of equals) and that AER. Pairs longer than the model's positions do not
 * count. */
int tolk_alignment_choose(const struct tolk_model *model, const struct tolk_codec *codec,
                          const struct tolk_pairs *pairs, struct tolk_attention_choice *best,
                          double *aer, struct tolk_error *error);

#endif
