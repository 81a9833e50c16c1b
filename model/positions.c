#include "model/positions.h"

#include <math.h>
#include <stdlib.h>

static const double longest_wave = 10000.0;

real *tolk_positions_make(size_t count, size_t d_model)
{
    const size_t half = d_model / 2;
    real *positions = malloc(count * d_model * sizeof *positions);
    if (positions == NULL) {
        return NULL;
    }
    for (size_t k = 0; k < half; k++) {
        const double period = pow(longest_wave, 2.0 * (double)k / (double)d_model);
        for (size_t p = 0; p < count; p++) {
            real *row = positions + p * d_model;
            row[k] = (real)sin((double)p / period);
            row[half + k] = (real)cos((double)p / period);
        }
    }
    return positions;
}
