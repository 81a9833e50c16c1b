/* One attention in numbers, as Vaswani et al. (2017, equation 1) and "The Illustrated Transformer"
 * explain it, with this model's own: x = √d·E[token] + PE(pos); q, k, v; the scores q·k; their
 * division by √d_k; the softmax; z, the weighted sum of v.
 *
 * Of each vector the first numbers are printed and how many follow; what those add to a sum is
 * printed too, so that every number can be computed from those above it, up to rounding. */
#ifndef TOLK_INFER_STEPS_H
#define TOLK_INFER_STEPS_H

#include <stdio.h>

#include "base/error.h"
#include "infer/inspection.h"
#include "infer/sentence.h"
#include "infer/terminal.h"

struct tolk_steps {
    const struct tolk_inspection *inspection; /* of source and target */
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
    enum tolk_attention_kind kind;
    size_t layer, head;
    size_t row; /* of the side that looks: the query */
};

/* -1 with an error when there is no memory. */
int tolk_steps_print(const struct tolk_steps *steps, const struct tolk_terminal *terminal,
                     FILE *out, struct tolk_error *error);

#endif
