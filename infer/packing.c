#include "infer/packing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct item {
    size_t index;
    size_t length;
};

static int longest_first(const void *left, const void *right)
{
    const struct item *const a = left;
    const struct item *const b = right;
    if (a->length != b->length) {
        return a->length > b->length ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

int tolk_plan_make(struct tolk_plan *plan, const size_t *lengths, size_t count, size_t batch_tokens,
                   size_t batch_items, struct tolk_error *error)
{
    struct item *const items = malloc((count + 1) * sizeof *items);
    plan->order = malloc((count + 1) * sizeof *plan->order);
    plan->begin = malloc((count + 1) * sizeof *plan->begin);
    plan->batches = 0;
    if (items == NULL || plan->order == NULL || plan->begin == NULL) {
        free(items);
        tolk_plan_free(plan);
        return tolk_error_set(error, "out of memory for %zu sentences", count);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct item){i, lengths[i]};
    }
    qsort(items, count, sizeof *items, longest_first);

    size_t tokens = 0;
    for (size_t i = 0; i < count; i++) {
        plan->order[i] = items[i].index;
        if (i == 0 || items[i].length > batch_tokens - tokens ||
            i - plan->begin[plan->batches - 1] >= batch_items) {
            plan->begin[plan->batches++] = i;
            tokens = 0;
        }
        tokens += items[i].length;
        tokens = tokens < batch_tokens ? tokens : batch_tokens;
    }
    plan->begin[plan->batches] = count;
    free(items);
    return 0;
}

void tolk_plan_free(struct tolk_plan *plan)
{
    free(plan->order);
    free(plan->begin);
    *plan = (struct tolk_plan){0};
}

/* Room for the offsets and ids of both sides, in one array each. */
static bool packed_reserve(struct tolk_packed *packed, size_t begins, size_t ids)
{
    if (begins > packed->begins_capacity) {
        free(packed->begins);
        packed->begins_capacity = 0;
        packed->begins = malloc(begins * sizeof *packed->begins);
        if (packed->begins == NULL) {
            return false;
        }
        packed->begins_capacity = begins;
    }
    if (ids > packed->ids_capacity) {
        free(packed->ids);
        packed->ids_capacity = 0;
        packed->ids = malloc(ids * sizeof *packed->ids);
        if (packed->ids == NULL) {
            return false;
        }
        packed->ids_capacity = ids;
    }
    return true;
}

static size_t count_tokens(const struct tolk_sequence *sequences, const size_t *order, size_t count)
{
    size_t tokens = 0;
    for (size_t i = 0; i < count; i++) {
        tokens += sequences[order[i]].length;
    }
    return tokens;
}

int tolk_packed_fill(struct tolk_packed *packed, const struct tolk_sequence *sources,
                     const struct tolk_sequence *targets, const size_t *order, size_t count,
                     int32_t start, struct tolk_error *error)
{
    const size_t source_tokens = count_tokens(sources, order, count);
    const size_t target_tokens = targets == NULL ? 0 : count_tokens(targets, order, count);
    if (!packed_reserve(packed, 2 * (count + 1), source_tokens + 2 * target_tokens)) {
        return tolk_error_set(error, "out of memory for a batch of %zu sentences", count);
    }
    size_t *const source_begin = packed->begins;
    size_t *const target_begin = packed->begins + count + 1;
    int32_t *const source = packed->ids;
    int32_t *const input = source + source_tokens;
    int32_t *const output = input + target_tokens;
    size_t s = 0;
    size_t t = 0;
    for (size_t i = 0; i < count; i++) {
        const struct tolk_sequence *const from = &sources[order[i]];
        source_begin[i] = s;
        memcpy(source + s, from->ids, from->length * sizeof *source);
        s += from->length;
        if (targets != NULL) {
            const struct tolk_sequence *const to = &targets[order[i]];
            target_begin[i] = t;
            memcpy(output + t, to->ids, to->length * sizeof *output);
            input[t] = start;
            memcpy(input + t + 1, to->ids, (to->length - 1) * sizeof *input);
            t += to->length;
        }
    }
    source_begin[count] = s;
    target_begin[count] = t;
    packed->batch = (struct tolk_batch){
        .sentences = count,
        .source_begin = source_begin,
        .source = source,
        .target_begin = targets == NULL ? NULL : target_begin,
        .target_input = targets == NULL ? NULL : input,
        .target_output = targets == NULL ? NULL : output,
    };
    return 0;
}

void tolk_packed_free(struct tolk_packed *packed)
{
    free(packed->begins);
    free(packed->ids);
    *packed = (struct tolk_packed){0};
}
