#include "train/optimizer.h"

#include <tgmath.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 16384, /* numbers; its five arrays stay in a core's second-level cache */
    LANES = 16,    /* partial sums of the norm, so that the loop vectorises in a fixed order */
};

static int cut_into_pieces(struct tolk_optimizer *optimizer, const struct tolk_layout *layout)
{
    size_t count = 0;
    for (size_t t = 0; t < layout->count; t++) {
        count += (layout->tensors[t].size + PIECE - 1) / PIECE;
    }
    optimizer->pieces = calloc(count, sizeof *optimizer->pieces);
    optimizer->sums = calloc(count, sizeof *optimizer->sums);
    if (optimizer->pieces == NULL || optimizer->sums == NULL) {
        return -1;
    }
    for (size_t t = 0; t < layout->count; t++) {
        const struct tolk_tensor *tensor = &layout->tensors[t];
        const int matrix = tensor->rank == 2 && tensor->shape[0] > 1;
        for (size_t begin = 0; begin < tensor->size; begin += PIECE) {
            const size_t rest = tensor->size - begin;
            optimizer->pieces[optimizer->piece_count++] = (struct tolk_optimizer_piece){
                tensor->offset + begin, rest < PIECE ? rest : PIECE, (real)matrix};
        }
    }
    return 0;
}

int tolk_optimizer_create(struct tolk_optimizer *optimizer, const struct tolk_layout *layout,
                          const struct tolk_optimizer_options *options, const real *values,
                          struct tolk_error *error)
{
    *optimizer = (struct tolk_optimizer){.options = *options, .size = layout->size};
    optimizer->first = calloc(layout->size, sizeof(real));
    optimizer->second = calloc(layout->size, sizeof(real));
    optimizer->average = calloc(layout->size, sizeof(real));
    if (optimizer->first == NULL || optimizer->second == NULL || optimizer->average == NULL ||
        cut_into_pieces(optimizer, layout) != 0) {
        tolk_optimizer_free(optimizer);
        return tolk_error_set(error, "out of memory: the optimiser needs three times %zu bytes",
                              layout->size * sizeof(real));
    }
    memcpy(optimizer->average, values, layout->size * sizeof(real));
    return 0;
}

void tolk_optimizer_free(struct tolk_optimizer *optimizer)
{
    free(optimizer->first);
    free(optimizer->second);
    free(optimizer->average);
    free(optimizer->pieces);
    free(optimizer->sums);
    *optimizer = (struct tolk_optimizer){.size = 0};
}

static double sum_of_squares(const real *x, size_t size)
{
    double lanes[LANES] = {0};
    const size_t whole = size - size % LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const double value = x[i + lane];
            lanes[lane] += value * value;
        }
    }
    for (size_t i = whole; i < size; i++) {
        lanes[i - whole] += (double)x[i] * x[i];
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        sum += lanes[lane];
    }
    return sum;
}

double tolk_optimizer_norm(struct tolk_optimizer *optimizer, const real *gradients)
{
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < optimizer->piece_count; p++) {
        const struct tolk_optimizer_piece *piece = &optimizer->pieces[p];
        optimizer->sums[p] = sum_of_squares(gradients + piece->begin, piece->size);
    }
    double sum = 0;
    for (size_t p = 0; p < optimizer->piece_count; p++) {
        sum += optimizer->sums[p];
    }
    return sqrt(sum);
}

/* The factors of one update, in the type of the numbers. */
struct step {
    real clip;
    real beta1, beta2;
    real rate;          /* η / (1 − β₁ᵗ) */
    real second_factor; /* 1 / sqrt(1 − β₂ᵗ) */
    real epsilon;
    real decay;   /* η λ */
    real renewal; /* 1 − d */
};

static void update_piece(const struct step *step, real decays, size_t size, real *restrict values,
                         real *restrict gradients, real *restrict first, real *restrict second,
                         real *restrict average)
{
    const struct step s = *step;
    const real keep = 1 - s.decay * decays;
    for (size_t i = 0; i < size; i++) {
        const real g = s.clip * gradients[i];
        const real m = s.beta1 * first[i] + (1 - s.beta1) * g;
        const real v = s.beta2 * second[i] + (1 - s.beta2) * g * g;
        const real root = sqrt(v);
        const real w = keep * values[i] - s.rate * m / (s.second_factor * root + s.epsilon);
        first[i] = m;
        second[i] = v;
        values[i] = w;
        average[i] += s.renewal * (w - average[i]);
        gradients[i] = 0;
    }
}

void tolk_optimizer_update(struct tolk_optimizer *optimizer, uint64_t update, double rate,
                           double norm, real *values, real *gradients)
{
    const struct tolk_optimizer_options *o = &optimizer->options;
    const double t = (double)update;
    const double average_decay = fmin(o->average_decay, (1 + t) / (10 + t));
    const struct step step = {
        .clip = (real)(o->clip > 0 && norm > o->clip ? o->clip / norm : 1),
        .beta1 = (real)o->beta1,
        .beta2 = (real)o->beta2,
        .rate = (real)(rate / (1 - pow(o->beta1, t))),
        .second_factor = (real)(1 / sqrt(1 - pow(o->beta2, t))),
        .epsilon = (real)o->epsilon,
        .decay = (real)(rate * o->weight_decay),
        .renewal = (real)(1 - average_decay),
    };
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < optimizer->piece_count; p++) {
        const struct tolk_optimizer_piece *piece = &optimizer->pieces[p];
        const size_t b = piece->begin;
        update_piece(&step, piece->decays, piece->size, values + b, gradients + b,
                     optimizer->first + b, optimizer->second + b, optimizer->average + b);
    }
}
