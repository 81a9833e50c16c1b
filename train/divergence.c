#include "train/divergence.h"

#include <math.h>

enum { START = 100 /* updates before the loss can count as diverged */ };

static const double DECAY = 0.95; /* of the mean of the recent loss */
static const double NATS = 1.0;   /* above its best, the recent loss is too far */

bool tolk_divergence_add(struct tolk_divergence *divergence, double loss)
{
    struct tolk_divergence *d = divergence;
    const bool first = d->updates == 0;
    const bool before = d->far;
    d->recent = first ? loss : DECAY * d->recent + (1 - DECAY) * loss;
    d->best = first ? d->recent : fmin(d->best, d->recent);
    d->updates++;
    d->far = d->updates >= START && d->recent > d->best + NATS;
    return d->far && !before;
}
