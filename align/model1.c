#include "align/model1.h"

#include <math.h>

void tolk_model1_posteriors(double null, struct tolk_trellis *trellis)
{
    const size_t positions = trellis->positions;
    const double each = (1 - null) / (double)positions;
    trellis->log_likelihood = 0;
    for (size_t j = 0; j < trellis->words; j++) {
        const double *const given = trellis->given + j * positions;
        double *const posterior = trellis->posterior + j * positions;
        double sum = null * trellis->null[j];
        for (size_t i = 0; i < positions; i++) {
            posterior[i] = each * given[i];
            sum += posterior[i];
        }
        for (size_t i = 0; i < positions; i++) {
            posterior[i] /= sum;
        }
        trellis->log_likelihood += log(sum);
    }
}
