/* BPE-dropout: see sample.h. SentencePiece's order of merges: the highest score first, the leftmost
 * of equals; a merge left out by chance does not come back. */
#include "tokenizer/sample.h"

#include <stdbool.h>
#include <stdlib.h>

enum { NONE = -1 };

/* A piece under way: characters [begin, end), linked to its neighbours. Merged away: id NONE. */
struct symbol {
    int32_t id;
    int32_t left, right; /* symbols, or NONE */
    size_t end;
};

/* A merge that can be made: the symbol `left` and the one to its right, while both are still the
 * pieces they were when it was found. */
struct merge {
    float score;
    int32_t left;
    int32_t left_id, right_id;
    int32_t joined;
};

/* A binary heap, the best merge on top. */
struct heap {
    struct merge *merges;
    size_t count;
};

static bool better(const struct merge *a, const struct merge *b)
{
    return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static void push(struct heap *heap, struct merge merge)
{
    size_t at = heap->count++;
    for (; at > 0 && better(&merge, &heap->merges[(at - 1) / 2]); at = (at - 1) / 2) {
        heap->merges[at] = heap->merges[(at - 1) / 2];
    }
    heap->merges[at] = merge;
}

static struct merge pop(struct heap *heap)
{
    const struct merge top = heap->merges[0];
    const struct merge last = heap->merges[--heap->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && better(&heap->merges[child + 1], &heap->merges[child])) {
            child++;
        }
        if (!better(&heap->merges[child], &last)) {
            break;
        }
        heap->merges[at] = heap->merges[child];
    }
    heap->merges[at] = last;
    return top;
}

/* Offers the merge of a symbol with the one to its right, where they make a piece. */
static void offer(const struct tolk_sampler *sampler, const struct symbol *symbols, int32_t left,
                  struct heap *heap)
{
    if (left == NONE || symbols[left].right == NONE) {
        return;
    }
    const int32_t left_id = symbols[left].id;
    const int32_t right_id = symbols[symbols[left].right].id;
    const int32_t joined = tolk_pair_map_get(&sampler->merge, left_id, right_id);
    if (joined != TOLK_PAIR_MAP_ABSENT) {
        push(heap, (struct merge){sampler->scores[joined], left, left_id, right_id, joined});
    }
}

static bool still_stands(const struct symbol *symbols, const struct merge *merge)
{
    const struct symbol *const left = &symbols[merge->left];
    return left->id == merge->left_id && left->right != NONE &&
           symbols[left->right].id == merge->right_id;
}

static void join(struct symbol *symbols, const struct merge *merge)
{
    struct symbol *const left = &symbols[merge->left];
    struct symbol *const right = &symbols[left->right];
    left->id = merge->joined;
    left->end = right->end;
    right->id = NONE;
    left->right = right->right;
    if (left->right != NONE) {
        symbols[left->right].left = merge->left;
    }
}

static void merge_all(const struct tolk_sampler *sampler, struct symbol *symbols, size_t count,
                      struct heap *heap, double dropout, struct tolk_random_key key)
{
    for (size_t i = 0; i < count; i++) {
        offer(sampler, symbols, (int32_t)i, heap);
    }
    for (uint32_t draw = 0; heap->count > 0;) {
        const struct merge merge = pop(heap);
        if (!still_stands(symbols, &merge) || (double)tolk_random_uniform(key, draw++) < dropout) {
            continue;
        }
        join(symbols, &merge);
        offer(sampler, symbols, symbols[merge.left].left, heap);
        offer(sampler, symbols, merge.left, heap);
    }
}

int tolk_sample_bpe(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                    double dropout, struct tolk_random_key key, struct tolk_pieces *pieces,
                    struct tolk_error *error)
{
    const size_t count = characters->count;
    if (count == 0) {
        return 0;
    }
    int status = -1;
    /* Each of the count − 1 neighbours is offered once, and each merge offers at most two more. */
    const size_t merges = 3 * count;
    struct symbol *const symbols = calloc(count, sizeof *symbols);
    struct heap heap = {.merges = calloc(merges, sizeof *heap.merges)};
    if (symbols == NULL || heap.merges == NULL || count > INT32_MAX) {
        tolk_error_set(error, "out of memory for the merges of %zu characters", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        symbols[i] = (struct symbol){.id = characters->ids[i],
                                     .left = i == 0 ? NONE : (int32_t)i - 1,
                                     .right = i + 1 == count ? NONE : (int32_t)i + 1,
                                     .end = i + 1};
    }
    merge_all(sampler, symbols, count, &heap, dropout, key);
    for (int32_t i = 0; i != NONE; i = symbols[i].right) {
        if (tolk_sample_append(sampler, characters, symbols[i].id, (size_t)i, symbols[i].end,
                               pieces, error) != 0) {
            goto out;
        }
    }
    status = 0;
out:
    free(symbols);
    free(heap.merges);
    return status;
}
