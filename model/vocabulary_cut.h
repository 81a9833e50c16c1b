/* Which part of the vocabulary a draft does with (internal to model/). */
#ifndef TOLK_MODEL_VOCABULARY_CUT_H
#define TOLK_MODEL_VOCABULARY_CUT_H

#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

/* Fills ids[count] with the pieces that are likely to be written, ascending, and returns how many:
 * those of the upper of the two heaps that the biases [count] make (two means, Lloyd 1982), and
 * `needed`. All of them where the upper heap is but a few. */
size_t tolk_vocabulary_cut(const real *bias, size_t count, int32_t needed, int32_t *ids);

#endif
