/* The rows that a drafted search went through (draft.h): which continues which, and the logits of
 * those that a pass evaluated, or the greatest of them. A row's place in the decoding is its number
 * here. */
#ifndef TOLK_INFER_DRAFT_TREE_H
#define TOLK_INFER_DRAFT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/decoding.h"

struct tolk_draft_row {
    size_t parent; /* place, or TOLK_DECODING_ROOT */
    int32_t token;
    bool wanted;        /* in the next pass */
    bool known;         /* a pass evaluated it */
    const real *logits; /* [vocabulary], then; NULL where the greatest is enough: */
    struct tolk_greatest greatest;
};

/* Logits stay where they are for one more pass: rows of a step may be of two. */
enum { TOLK_DRAFT_PASSES = 2 };

struct tolk_draft_tree {
    struct tolk_decoding *decoding;
    bool greatest_alone; /* of the logits is wanted, by the weights of the decoding */
    int32_t barred;      /* from being it */
    size_t vocabulary;
    struct tolk_draft_row *rows; /* [capacity] */
    size_t count, limit, capacity;
    size_t oldest;  /* the first place whose logits may still stand, and that is found */
    size_t newest;  /* the first since the draft began */
    size_t *wanted; /* [pass_rows] places, each behind the one that it continues */
    size_t wanted_count;
    real *logits[TOLK_DRAFT_PASSES]; /* [pass_rows + 1, vocabulary], of the last passes */
    struct tolk_greatest *greatest;  /* [pass_rows], of a pass */
    size_t pass_rows;
    size_t turn;
};

/* Empties the tree for at most `places` rows, of which a pass evaluates at most `pass_rows`. */
int tolk_draft_tree_begin(struct tolk_draft_tree *tree, size_t places, size_t pass_rows,
                          struct tolk_error *error);
void tolk_draft_tree_free(struct tolk_draft_tree *tree);

/* A draft begins: rows from before the last one are found no more. */
void tolk_draft_tree_turn(struct tolk_draft_tree *tree);

/* The place of `token` behind `parent`, TOLK_DRAFT_NOWHERE when there is none. */
#define TOLK_DRAFT_NOWHERE SIZE_MAX
size_t tolk_draft_tree_find(const struct tolk_draft_tree *tree, size_t parent, int32_t token);

/* The same, and adds it where there is none. */
size_t tolk_draft_tree_add(struct tolk_draft_tree *tree, size_t parent, int32_t token);

/* Wants the logits of a row, unless they are there. */
void tolk_draft_tree_want(struct tolk_draft_tree *tree, size_t place);

/* The pass: evaluates what is wanted. */
void tolk_draft_tree_confirm(struct tolk_draft_tree *tree,
                             const struct tolk_inference_weights *weights);

#endif
