#include "model/guide.h"

#include <float.h>
#include <math.h>

double tolk_guide_row_loss(const size_t *begin, const uint32_t *keys, const real *weights)
{
    double sum = 0;
    for (size_t i = begin[0]; i < begin[1]; i++) {
        const double weight = (double)weights[keys[i]];
        sum -= log(weight < FLT_MIN ? FLT_MIN : weight);
    }
    return begin[0] < begin[1] ? sum / (double)(begin[1] - begin[0]) : 0;
}
