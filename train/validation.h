/* How good a model is on the dev pairs: loss by force-decoding, BLEU and chrF by translating, AER
 * where a head is guided. */
#ifndef TOLK_TRAIN_VALIDATION_H
#define TOLK_TRAIN_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "corpora/pairs.h"
#include "infer/translator.h"
#include "model/model.h"
#include "model/transformer.h"
#include "tokenizer/codec.h"
#include "train/batches.h"
#include "train/examples.h"

struct tolk_validation_scores {
    double loss; /* −log p per target token, natural logarithm, no label smoothing */
    double bleu;
    double chrf;
    double aer;       /* of the guided head, where the pairs have gold links; else NaN */
    size_t sentences; /* that were translated */
};

struct tolk_validator {
    const struct tolk_model *model;
    const struct tolk_codec *codec;
    const struct tolk_pairs *pairs;
    size_t translated; /* the first so many pairs are translated */
    struct tolk_examples examples;
    struct tolk_batches batches;
    struct tolk_workspace *workspace;
    struct tolk_translator *translator;
};

/* The model's values may change between validations. `sentences` 0: translate all. */
int tolk_validator_create(struct tolk_validator *validator, const struct tolk_model *model,
                          const struct tolk_codec *codec, const struct tolk_pairs *pairs,
                          size_t sentences, struct tolk_error *error);
void tolk_validator_free(struct tolk_validator *validator);

/* `stop` is asked now and then; when it says true, the validation is given up and 1 returned. */
int tolk_validator_run(struct tolk_validator *validator, bool (*stop)(void),
                       struct tolk_validation_scores *scores, struct tolk_error *error);

#endif
