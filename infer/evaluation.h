/* The scores of a corpus: BLEU, chrF and exact matches of translations, AER of alignments. */
#ifndef TOLK_INFER_EVALUATION_H
#define TOLK_INFER_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/aer.h"
#include "infer/bleu.h"
#include "infer/chrf.h"
#include "infer/head_table.h"

struct tolk_evaluation {
    struct tolk_bleu bleu;
    struct tolk_chrf chrf;
    size_t sentences;
    size_t exact; /* translations equal to their reference, byte by byte */
    struct tolk_aer aer;
    size_t aligned;                      /* pairs with gold */
    const struct tolk_head_table *heads; /* AER of every head, or NULL */
};

int tolk_evaluation_add(struct tolk_evaluation *evaluation, const char *translation,
                        const char *reference, struct tolk_error *error);

/* A line for each score with its signature, or one JSON object. */
int tolk_evaluation_print(const struct tolk_evaluation *evaluation, bool json, FILE *out,
                          struct tolk_error *error);

#endif
