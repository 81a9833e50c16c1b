/* Which heads' posterior attention (model/posterior.h) aligns best: measured against given links.
 *
 * From all heads of the decoder, the one without which the AER is lowest is taken away, as long as
 * that lowers it. */
#ifndef TOLK_INFER_POSTERIOR_CHOICE_H
#define TOLK_INFER_POSTERIOR_CHOICE_H

#include "base/error.h"
#include "corpora/pairs.h"
#include "model/model.h"
#include "tokenizer/codec.h"

/* The heads, and the AER with them over the pairs, whose links are gold. Pairs longer than the
 * model's positions do not count. */
int tolk_posterior_choose(const struct tolk_model *model, const struct tolk_codec *codec,
                          const struct tolk_pairs *pairs, struct tolk_head_set *best, double *aer,
                          struct tolk_error *error);

#endif
