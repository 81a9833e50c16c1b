#include "corpora/split.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { LARGEST_DRAWN_FAMILY = 8 };

struct entry {
    const char *key;
    size_t pair;
};

/* Disjoint sets (Tarjan 1975): a pair points to another of its family, the head to itself. */
struct families {
    size_t *parent;
    size_t *size; /* of the family, at its head */
};

static size_t head_of(struct families *families, size_t pair)
{
    while (families->parent[pair] != pair) {
        families->parent[pair] = families->parent[families->parent[pair]];
        pair = families->parent[pair];
    }
    return pair;
}

static void join(struct families *families, size_t a, size_t b)
{
    size_t large = head_of(families, a), small = head_of(families, b);
    if (large == small) {
        return;
    }
    if (families->size[large] < families->size[small]) {
        const size_t swapped = large;
        large = small;
        small = swapped;
    }
    families->parent[small] = large;
    families->size[large] += families->size[small];
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Pairs with equal keys stand side by side once sorted. */
static void join_equal(struct families *families, struct entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(entries[i - 1].key, entries[i].key) == 0) {
            join(families, entries[i - 1].pair, entries[i].pair);
        }
    }
}

static void find_families(struct families *families, const struct tolk_split_pair *pairs,
                          size_t count, struct entry *entries)
{
    for (size_t i = 0; i < count; i++) {
        families->parent[i] = i;
        families->size[i] = 1;
        entries[i] = (struct entry){pairs[i].source, i};
    }
    join_equal(families, entries, count);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){pairs[i].target, i};
    }
    join_equal(families, entries, count);
}

int tolk_split(const struct tolk_split_pair *pairs, size_t count, size_t dev, size_t test,
               uint64_t seed, enum tolk_split_set *sets, size_t *order)
{
    struct families families = {malloc((count + 1) * sizeof(size_t)),
                                malloc((count + 1) * sizeof(size_t))};
    struct entry *entries = malloc((count + 1) * sizeof *entries);
    bool *drawn = calloc(count + 1, sizeof *drawn); /* at the head of a family */
    int result = -1;
    if (families.parent == NULL || families.size == NULL || entries == NULL || drawn == NULL) {
        goto out;
    }
    find_families(&families, pairs, count, entries);
    for (size_t i = 0; i < count; i++) {
        order[i] = i;
    }
    tolk_random_shuffle(tolk_random_key(seed, 0, 0), order, count);
    for (size_t i = 0; i < count; i++) {
        const size_t head = head_of(&families, order[i]);
        enum tolk_split_set *set = &sets[order[i]];
        if (drawn[head]) {
            *set = TOLK_SPLIT_LEFT_OUT;
        } else if (test + dev == 0 || families.size[head] > LARGEST_DRAWN_FAMILY) {
            *set = TOLK_SPLIT_TRAIN;
        } else {
            *set = test > 0 ? TOLK_SPLIT_TEST : TOLK_SPLIT_DEV;
            *(test > 0 ? &test : &dev) -= 1;
            drawn[head] = true;
        }
    }
    result = 0;
out:
    free(families.parent);
    free(families.size);
    free(entries);
    free(drawn);
    return result;
}
