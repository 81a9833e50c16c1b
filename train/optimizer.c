#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/isa.h"
#include "model/kernels/rows.h"

enum { PIECE = 16384 }; /* numbers; its five arrays stay in a core's second-level cache */

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
                          const struct tolk_optimizer_options *options, real *values,
                          struct tolk_error *error)
{
    const size_t bytes = layout->size * sizeof(real);
    const bool averages = options->average_decay > 0;
    *optimizer = (struct tolk_optimizer){.options = *options, .size = layout->size};
    optimizer->first = tolk_memory_take_zeroed(bytes);
    optimizer->second = tolk_memory_take_zeroed(bytes);
    optimizer->average = averages ? tolk_memory_take(bytes) : values;
    if (optimizer->first == NULL || optimizer->second == NULL || optimizer->average == NULL ||
        cut_into_pieces(optimizer, layout) != 0) {
        tolk_optimizer_free(optimizer);
        return tolk_error_set(error, "out of memory: the optimiser needs %s times %zu bytes",
                              averages ? "three" : "two", bytes);
    }
    if (averages) {
        memcpy(optimizer->average, values, bytes);
    }
    return 0;
}

void tolk_optimizer_free(struct tolk_optimizer *optimizer)
{
    free(optimizer->first);
    free(optimizer->second);
    if (optimizer->options.average_decay > 0) {
        free(optimizer->average);
    }
    free(optimizer->pieces);
    free(optimizer->sums);
    *optimizer = (struct tolk_optimizer){.size = 0};
}

double tolk_optimizer_norm(struct tolk_optimizer *optimizer, const real *gradients)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < optimizer->piece_count; p++) {
        const struct tolk_optimizer_piece *piece = &optimizer->pieces[p];
        optimizer->sums[p] = kernels->sum_of_squares(piece->size, gradients + piece->begin);
    }
    double sum = 0;
    for (size_t p = 0; p < optimizer->piece_count; p++) {
        sum += optimizer->sums[p];
    }
    return sqrt(sum);
}

void tolk_optimizer_update(struct tolk_optimizer *optimizer, uint64_t update, double rate,
                           double norm, real *values, real *gradients)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
    const struct tolk_optimizer_options *o = &optimizer->options;
    real *const average = o->average_decay > 0 ? optimizer->average : NULL;
    const double t = (double)update;
    const double average_decay = fmin(o->average_decay, (1 + t) / (10 + t));
    const struct tolk_adam_step step = {
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
        kernels->adam(&step, piece->decays, piece->size, values + b, gradients + b,
                      optimizer->first + b, optimizer->second + b,
                      average != NULL ? average + b : NULL);
    }
}
