/* Softmax over the vocabulary: its normaliser, and the label-smoothed cross-entropy. */
#include "model/kernels/rows_internal.h"

double TOLK_KERNEL(tolk_log_sum_exp)(size_t columns, const real *x)
{
    const real maximum = TOLK_KERNEL(tolk_maximum)(columns, x);
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < columns; c++) {
        sum += tolk_exp(x[c] - maximum);
    }
    return (double)maximum + log((double)sum);
}

/* What one pass over the exponentials gives. */
struct totals {
    real exponentials; /* Σ exp(x - maximum) */
    real shifted;      /* Σ (x - maximum) */
};

/* The exponentials take the logits' place where `keep`, a constant after inlining. */
static inline __attribute__((always_inline)) struct totals
exponentials(size_t columns, real *logits, real maximum, bool keep)
{
    real sum = 0;
    real shifted = 0;
#pragma omp simd reduction(+ : sum, shifted)
    for (size_t c = 0; c < columns; c++) {
        const real x = logits[c] - maximum;
        const real e = tolk_exp(x);
        if (keep) {
            logits[c] = e;
        }
        sum += e;
        shifted += x;
    }
    return (struct totals){sum, shifted};
}

struct tolk_cross_entropy_row TOLK_KERNEL(tolk_cross_entropy)(size_t columns, real *logits,
                                                              size_t label, double label_smoothing,
                                                              bool gradient)
{
    const real maximum = TOLK_KERNEL(tolk_maximum)(columns, logits);
    const real at_label = logits[label];
    const struct totals totals = gradient ? exponentials(columns, logits, maximum, true)
                                          : exponentials(columns, logits, maximum, false);
    const double log_sum = log((double)totals.exponentials);
    const double nll = log_sum - ((double)at_label - (double)maximum);
    const double uniform = log_sum - (double)totals.shifted / (double)columns;
    if (gradient) {
        const real scale = 1 / totals.exponentials;
        const real share = (real)(label_smoothing / (double)columns);
        const real at_target = (real)(1.0 - label_smoothing);
#pragma omp simd
        for (size_t c = 0; c < columns; c++) {
            logits[c] = logits[c] * scale - share;
        }
        logits[label] -= at_target;
    }
    return (struct tolk_cross_entropy_row){
        .smoothed = (1.0 - label_smoothing) * nll + label_smoothing * uniform,
        .negative_log_likelihood = nll,
    };
}
