/* Guided alignment in training: from links of words to the rows of pieces of model/guide.h.
 *
 * A piece of a target word looks at all pieces of the source words that the word is linked to, by
 * sure links; what a word without a link looks at is free. With `shift` a piece is guided at the
 * step where it is the decoder's input, where the head knows the word (Chen et al. 2020), else at
 * the step where it is the output. Links are kept as they are and mapped anew for each batch, for
 * pieces may be drawn anew each epoch. */
#ifndef TOLK_TRAIN_GUIDANCE_H
#define TOLK_TRAIN_GUIDANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "model/guide.h"
#include "train/batches.h"
#include "train/examples.h"

/* Begin with {.shift = …}; `pairs` have the links, `examples` the words. */
struct tolk_guidance {
    bool shift;
    size_t *begin; /* of the batch last mapped */
    uint32_t *keys;
    size_t begin_capacity, key_capacity;
};

/* Target rows of batch b that are guided. */
size_t tolk_guidance_rows(const struct tolk_guidance *guidance, const struct tolk_pairs *pairs,
                          const struct tolk_examples *examples, const struct tolk_batches *batches,
                          size_t b);

/* Sets begin and keys of `guide` for batch b, valid until the next call. */
int tolk_guidance_map(struct tolk_guidance *guidance, const struct tolk_pairs *pairs,
                      const struct tolk_examples *examples, const struct tolk_batches *batches,
                      size_t b, struct tolk_guide *guide, struct tolk_error *error);

void tolk_guidance_free(struct tolk_guidance *guidance);

#endif
