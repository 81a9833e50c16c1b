/* Notices that the loss has left its best far behind. */
#ifndef TOLK_TRAIN_DIVERGENCE_H
#define TOLK_TRAIN_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Begin with {0}. */
struct tolk_divergence {
    double recent; /* exponential mean of the losses */
    double best;   /* the lowest that `recent` was */
    size_t updates;
    bool far; /* `recent` is far above `best` */
};

/* Takes the loss of an update; true when it is with this one that the loss has gone too far. */
bool tolk_divergence_add(struct tolk_divergence *divergence, double loss);

#endif
