/* Sinusoidal positions (Vaswani et al. 2017, section 3.5), in the order of `transformers`:
 *
 *     P[p, k]       = sin(p / 10000^(2k / D))     k < D/2
 *     P[p, D/2 + k] = cos(p / 10000^(2k / D))
 *
 * The sines are the first half of a row and the cosines the second; the paper interleaves them. */
#ifndef TOLK_MODEL_POSITIONS_H
#define TOLK_MODEL_POSITIONS_H

#include <stddef.h>

#include "model/real.h"

/* [count, d_model] in fresh memory, d_model even; NULL when there is none. */
real *tolk_positions_make(size_t count, size_t d_model);

#endif
