#include "infer/packing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A batch of fewer sentences is not worth a thread of its own. */
enum { FEWEST_ITEMS = 8 };

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

/* The number of batches that gives each thread as many. Batches end at most one item behind their
 * even share, so the share leaves room for one. */
static size_t even_batches(size_t tokens, size_t longest, size_t count,
                           const struct tolk_plan_limits *limits)
{
    if (count < limits->threads * FEWEST_ITEMS) {
        return 1;
    }
    const size_t share = longest < limits->tokens / 2 ? limits->tokens - longest : limits->tokens;
    const size_t rounds = tokens / (share * limits->threads) + 1;
    return rounds * limits->threads;
}

/* How the tokens are shared: `whole` batches of a size, then `halves` of half of it. */
struct shares {
    size_t whole, halves;
};

/* The last batch of each thread is cut in two, so that one whose core is slower is not waited for
 * as long; where sentences are few a half would waste more than that. */
static struct shares shares_of(size_t tokens, size_t longest, size_t count,
                               const struct tolk_plan_limits *limits)
{
    const size_t batches = count == 0 ? 1 : even_batches(tokens, longest, count, limits);
    const bool many = limits->threads > 1 && count >= 2 * FEWEST_ITEMS * batches;
    const size_t cut = many ? limits->threads : 0;
    return (struct shares){batches - cut, 2 * cut};
}

/* The tokens in front of batch b, of all. */
static double tokens_before(const struct shares *shares, size_t b, size_t total)
{
    const size_t halves = b < shares->whole ? 2 * b : shares->whole + b;
    return (double)total * (double)halves / (double)(2 * shares->whole + shares->halves);
}

/* Cuts the ordered items into batches: by the limits, and where the share is reached. */
static void cut(struct tolk_plan *plan, const struct item *items, size_t count,
                const struct tolk_plan_limits *limits)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += items[i].length;
    }
    const struct shares shares = shares_of(total, count > 0 ? items[0].length : 0, count, limits);
    size_t done = 0;
    size_t begun_at = 0; /* tokens in front of the batch */
    plan->batches = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t filled = done - begun_at;
        if (i == 0 || items[i].length > limits->tokens ||
            filled > limits->tokens - items[i].length ||
            i - plan->begin[plan->batches - 1] >= limits->items ||
            (double)done >= tokens_before(&shares, plan->batches, total)) {
            plan->begin[plan->batches++] = i;
            begun_at = done;
        }
        done += items[i].length;
    }
    plan->begin[plan->batches] = count;
}

int tolk_plan_make(struct tolk_plan *plan, const size_t *lengths, size_t count,
                   const struct tolk_plan_limits *limits, struct tolk_error *error)
{
    struct item *const items = malloc((count + 1) * sizeof *items);
    plan->order = malloc((count + 1) * sizeof *plan->order);
    plan->begin = malloc((count + 1) * sizeof *plan->begin);
    if (items == NULL || plan->order == NULL || plan->begin == NULL) {
        free(items);
        tolk_plan_free(plan);
        return tolk_error_set(error, "out of memory for %zu sentences", count);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct item){i, lengths[i]};
    }
    qsort(items, count, sizeof *items, longest_first);
    for (size_t i = 0; i < count; i++) {
        plan->order[i] = items[i].index;
    }
    cut(plan, items, count, limits);
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
