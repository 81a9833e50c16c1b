/* Given pairs through the model in windows, visited in order. */
#ifndef TOLK_INFER_PAIR_PASS_H
#define TOLK_INFER_PAIR_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "infer/reading.h"
#include "model/model.h"
#include "tokenizer/codec.h"

struct tolk_pair_pass {
    const struct tolk_model *model;
    const struct tolk_codec *codec;
    struct tolk_reading_options reading;
    const struct tolk_inference_weights *weights; /* packed, as tolk_forcer_create takes them */
    FILE *cut_log; /* a pair that is too long is cut, and named here; NULL: it is an error */
    bool cuts;     /* without cut_log: it is cut, and not named */
};

struct tolk_pair_visit {
    const struct tolk_pair *pair;
    size_t index;
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
    const struct tolk_reading *reading;
};

/* Returns 0, or -1 with an error, which ends the pass. */
typedef int tolk_pair_visitor(void *context, const struct tolk_pair_visit *visit,
                              struct tolk_error *error);

/* On an error the pairs before the faulty one may have been visited; where a pair is too long, all
 * of them were. */
int tolk_pair_pass_run(const struct tolk_pair_pass *pass, const struct tolk_pairs *pairs,
                       tolk_pair_visitor *visitor, void *context, struct tolk_error *error);

#endif
