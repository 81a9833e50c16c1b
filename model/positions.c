#include "model/positions.h"

#include <math.h>
#include <stdlib.h>

static const double longest_wave = 10000.0;

/* Sines and cosines are dear, and a program that translates one sentence waits for all of them:
 * they are computed for every NEAR-th position and for the distances below NEAR, and joined by
 *     sin(a + b) = sin a · cos b + cos a · sin b,  cos(a + b) = cos a · cos b − sin a · sin b. */
enum { NEAR = 32 };

/* One row [d_model] of sines, then cosines, in double precision. */
static void fill_row(double *row, const double *frequencies, size_t half, size_t position)
{
    for (size_t k = 0; k < half; k++) {
        row[k] = sin((double)position * frequencies[k]);
        row[half + k] = cos((double)position * frequencies[k]);
    }
}

static void join_rows(real *row, const double *a, const double *b, size_t half)
{
    for (size_t k = 0; k < half; k++) {
        row[k] = (real)(a[k] * b[half + k] + a[half + k] * b[k]);
        row[half + k] = (real)(a[half + k] * b[half + k] - a[k] * b[k]);
    }
}

real *tolk_positions_make(size_t count, size_t d_model)
{
    const size_t half = d_model / 2;
    real *positions = malloc(count * d_model * sizeof *positions);
    /* NEAR rows of distances, the row of the last NEAR-th position, and the frequencies. */
    double *const rows = malloc(((NEAR + 1) * d_model + half) * sizeof *rows);
    if (positions == NULL || rows == NULL) {
        free(positions);
        free(rows);
        return NULL;
    }
    double *const far = rows + NEAR * d_model;
    double *const frequencies = far + d_model;
    for (size_t k = 0; k < half; k++) {
        frequencies[k] = pow(longest_wave, -2.0 * (double)k / (double)d_model);
    }
    for (size_t p = 0; p < NEAR && p < count; p++) {
        fill_row(rows + p * d_model, frequencies, half, p);
    }
    for (size_t p = 0; p < count; p++) {
        if (p % NEAR == 0) {
            fill_row(far, frequencies, half, p);
        }
        join_rows(positions + p * d_model, far, rows + p % NEAR * d_model, half);
    }
    free(rows);
    return positions;
}
