/* From sentence pairs to ids: corpus → tokens. */
#ifndef TOLK_TRAIN_EXAMPLES_H
#define TOLK_TRAIN_EXAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "corpora/pairs.h"

struct tolk_codec; /* tokenizer/codec.h */

/* Encoded pairs. Sentence i owns source[source_begin[i]] … source[source_begin[i + 1]], and so on;
 * each side ends with eos. A word is the place of the white-space word that an id belongs to
 * (tokenizer/words.h); of eos, and where there is none, TOLK_NO_WORD. */
enum { TOLK_NO_WORD = UINT32_MAX };
struct tolk_examples {
    size_t count;
    int32_t *source;
    int32_t *target;
    uint32_t *source_words; /* as many as ids, where they were asked for, else NULL */
    uint32_t *target_words;
    size_t *source_begin; /* [count + 1] */
    size_t *target_begin; /* [count + 1] */
};

/* Subword regularisation (Kudo 2018): in each epoch another segmentation. The draw depends on
 * (seed, epoch, sentence, side) alone. */
struct tolk_sampling {
    double alpha;      /* 0: always the best segmentation */
    int nbest;         /* -1: from all */
    size_t max_length; /* where a draw, or the best segmentation, has more ids (eos among them), the
                          best one is taken */
    uint64_t seed;
    uint64_t epoch;
};

/* Replaces earlier examples; begin with {0}. `sampling` NULL: none; `words`: keep the words of the
 * ids, too. Sentences are divided among the
 * threads; the result is the same for any number. */
int tolk_examples_encode(struct tolk_examples *examples, const struct tolk_pairs *pairs,
                         const struct tolk_codec *codec, const struct tolk_sampling *sampling,
                         bool words, struct tolk_error *error);
void tolk_examples_free(struct tolk_examples *examples);

#endif
