/* Softmax over the vocabulary: its normaliser, and the label-smoothed cross-entropy. */
#include "model/kernels/rows_internal.h"

/* In several chains: a comparison waits for the one before it. */
static real row_maximum(size_t columns, const real *x)
{
    enum { CHAINS = 4 * 64 / sizeof(real) };
    real best[CHAINS];
    real maximum = x[0];
    for (size_t i = 0; i < CHAINS; i++) {
        best[i] = maximum;
    }
    const size_t whole = columns / CHAINS * CHAINS;
    for (size_t c = 0; c < whole; c += CHAINS) {
#pragma omp simd
        for (size_t i = 0; i < CHAINS; i++) {
            best[i] = x[c + i] > best[i] ? x[c + i] : best[i];
        }
    }
    for (size_t i = 0; i < CHAINS; i++) {
        maximum = best[i] > maximum ? best[i] : maximum;
    }
    for (size_t c = whole; c < columns; c++) {
        maximum = x[c] > maximum ? x[c] : maximum;
    }
    return maximum;
}

double TOLK_KERNEL(tolk_log_sum_exp)(size_t columns, const real *x)
{
    const real maximum = row_maximum(columns, x);
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
    const real maximum = row_maximum(columns, logits);
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
