/* From sequences of ids to batches: sorted by length, cut by a budget of tokens, packed without
 * padding. */
#ifndef TOLK_INFER_PACKING_H
#define TOLK_INFER_PACKING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/batch.h"

struct tolk_sequence {
    const int32_t *ids; /* ends with eos */
    size_t length;
};

/* Batch b holds the items order[begin[b]] … order[begin[b + 1] - 1]. */
struct tolk_plan {
    size_t *order; /* [items], the longest first, equals as they came */
    size_t *begin; /* [batches + 1] */
    size_t batches;
};

struct tolk_plan_limits {
    size_t tokens;  /* in a batch, which always holds one item */
    size_t items;   /* in a batch; SIZE_MAX: no matter how many */
    size_t threads; /* to share the batches: as many for each, all of a size but the last, halves */
};

/* Of items with `lengths` [count]. A handful of items stays in one batch for any number of threads.
 */
int tolk_plan_make(struct tolk_plan *plan, const size_t *lengths, size_t count,
                   const struct tolk_plan_limits *limits, struct tolk_error *error);
void tolk_plan_free(struct tolk_plan *plan);

/* A batch with its storage, reused from batch to batch; begin with {0}. */
struct tolk_packed {
    struct tolk_batch batch;
    size_t *begins;
    size_t begins_capacity;
    int32_t *ids;
    size_t ids_capacity;
};

/* Packs the items named by `order` [count]. `targets` NULL: the source side alone. */
int tolk_packed_fill(struct tolk_packed *packed, const struct tolk_sequence *sources,
                     const struct tolk_sequence *targets, const size_t *order, size_t count,
                     int32_t start, struct tolk_error *error);
void tolk_packed_free(struct tolk_packed *packed);

#endif
