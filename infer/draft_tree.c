#include "infer/draft_tree.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static bool reserve_pass(struct tolk_draft_tree *tree, size_t pass_rows)
{
    if (pass_rows <= tree->pass_rows) {
        return true;
    }
    tree->pass_rows = 0;
    free(tree->wanted);
    free(tree->greatest);
    tree->wanted = malloc(pass_rows * sizeof *tree->wanted);
    tree->greatest = malloc(pass_rows * sizeof *tree->greatest);
    bool made = tree->wanted != NULL && tree->greatest != NULL;
    for (size_t i = 0; i < TOLK_DRAFT_PASSES; i++) {
        free(tree->logits[i]);
        tree->logits[i] = tolk_memory_take((pass_rows + 1) * tree->vocabulary * sizeof(real));
        made = made && tree->logits[i] != NULL;
    }
    tree->pass_rows = made ? pass_rows : 0;
    return made;
}

int tolk_draft_tree_begin(struct tolk_draft_tree *tree, size_t places, size_t pass_rows,
                          struct tolk_error *error)
{
    if (places > tree->capacity) {
        free(tree->rows);
        tree->rows = malloc(places * sizeof *tree->rows);
        tree->capacity = tree->rows != NULL ? places : 0;
    }
    if (tree->rows == NULL || !reserve_pass(tree, pass_rows)) {
        return tolk_error_set(error, "out of memory for drafts of %zu rows", places);
    }
    tree->limit = places;
    tree->count = tree->oldest = tree->newest = tree->wanted_count = tree->turn = 0;
    return 0;
}

void tolk_draft_tree_free(struct tolk_draft_tree *tree)
{
    free(tree->rows);
    free(tree->wanted);
    free(tree->greatest);
    for (size_t i = 0; i < TOLK_DRAFT_PASSES; i++) {
        free(tree->logits[i]);
    }
    *tree = (struct tolk_draft_tree){0};
}

void tolk_draft_tree_turn(struct tolk_draft_tree *tree)
{
    tree->oldest = tree->newest;
    tree->newest = tree->count;
}

size_t tolk_draft_tree_find(const struct tolk_draft_tree *tree, size_t parent, int32_t token)
{
    for (size_t place = tree->oldest; place < tree->count; place++) {
        if (tree->rows[place].parent == parent && tree->rows[place].token == token) {
            return place;
        }
    }
    return TOLK_DRAFT_NOWHERE;
}

size_t tolk_draft_tree_add(struct tolk_draft_tree *tree, size_t parent, int32_t token)
{
    size_t place = tolk_draft_tree_find(tree, parent, token);
    if (place == TOLK_DRAFT_NOWHERE) {
        place = tolk_decoding_add(tree->decoding, token, 0, parent);
        assert(place == tree->count && place < tree->limit);
        tree->rows[tree->count++] = (struct tolk_draft_row){.parent = parent, .token = token};
    }
    return place;
}

void tolk_draft_tree_want(struct tolk_draft_tree *tree, size_t place)
{
    struct tolk_draft_row *const row = &tree->rows[place];
    if (!row->known && !row->wanted) {
        assert(tree->wanted_count < tree->pass_rows);
        row->wanted = true;
        tree->wanted[tree->wanted_count++] = place;
    }
}

void tolk_draft_tree_confirm(struct tolk_draft_tree *tree,
                             const struct tolk_inference_weights *weights)
{
    real *const logits = tree->logits[tree->turn];
    if (tree->greatest_alone) {
        tolk_decoding_evaluate_greatest(tree->decoding, tree->barred, tree->wanted_count,
                                        tree->wanted, logits, tree->greatest);
    } else {
        tolk_decoding_evaluate(tree->decoding, weights, tree->wanted_count, tree->wanted, logits);
        tree->turn = (tree->turn + 1) % TOLK_DRAFT_PASSES;
    }
    for (size_t i = 0; i < tree->wanted_count; i++) {
        struct tolk_draft_row *const row = &tree->rows[tree->wanted[i]];
        row->wanted = false;
        row->known = true;
        if (tree->greatest_alone) {
            row->greatest = tree->greatest[i];
        } else {
            row->logits = logits + i * tree->vocabulary;
        }
    }
    tree->wanted_count = 0;
}
