/* A grammar in memory: what read.c fills, check.c checks, derive.c draws from and realise.c turns
 * into words. Only these files include it. */
#ifndef TOLK_CORPORA_RULES_H
#define TOLK_CORPORA_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "corpora/arena.h"
#include "corpora/grammar.h"

enum { TOLK_SOURCE, TOLK_TARGET, TOLK_SIDES };

/* A set of values is a mask of bits, so a domain has at most this many. */
enum { TOLK_DOMAIN_VALUES = 64, TOLK_PART_NAME_BYTES = 128 };

/* The values that one or several features range over: `feature form inverted = stem t inf`. */
struct tolk_domain {
    const char **values;
    size_t count;
};

struct tolk_feature {
    const char *name;
    size_t domain;
};

/* `class=animal|person` or `number=$n`, in the head of a rule or in the call of a child. */
struct tolk_term {
    size_t feature;
    uint64_t mask;    /* the values, where it names values */
    int32_t variable; /* index among the rule's variables, or -1 */
};

struct tolk_variable {
    const char *name;
    size_t domain;
};

/* Words with the same mark on the two sides are linked. A mark that names a child joins the links
 * of that child's head word. */
struct tolk_mark {
    const char *name;
    int32_t child;  /* -1: the mark belongs to this rule */
    uint32_t local; /* index among the rule's own marks, from 1; 0 is the mark of a table's row */
    bool possible;
};

/* One step of a part's name: `past` or `$number`. */
struct tolk_step {
    const char *text;
    int32_t variable; /* -1: the text */
};

/* A word, or a part of a child. */
struct tolk_item {
    const char *word;
    int32_t child; /* -1: a word */
    struct tolk_step *steps;
    size_t step_count;
    struct tolk_mark *marks;
    size_t mark_count;
};

struct tolk_part {
    const char *name; /* "" where none is given */
    int side;
    size_t line;
    struct tolk_item *items;
    size_t item_count;
};

struct tolk_child {
    const char *name;
    size_t symbol;
    size_t line;
    bool one_sided; /* may stand on one side alone */
    struct tolk_term *terms;
    size_t term_count;
};

struct tolk_combination {
    const char *name;
    int32_t children[2];
};

/* A rule, or a row of a table: a rule without children whose words are all linked. */
struct tolk_rule {
    size_t line;
    double weight;
    bool row;
    int32_t head; /* the child marked with *, or -1 */
    struct tolk_term *terms;
    size_t term_count;
    struct tolk_variable *variables;
    size_t variable_count;
    struct tolk_child *children;
    size_t child_count;
    struct tolk_part *parts;
    size_t part_count;
    struct tolk_combination *combinations;
    size_t combination_count;
    const char **local_marks;
    size_t local_mark_count;
};

struct tolk_symbol {
    const char *name;
    size_t line; /* of its first mention */
    struct tolk_rule *rules;
    size_t rule_count;
};

struct tolk_grammar {
    struct tolk_arena arena;
    const char *path;
    const char *languages[TOLK_SIDES];
    struct tolk_domain *domains;
    size_t domain_count;
    struct tolk_feature *features;
    size_t feature_count;
    struct tolk_symbol *symbols;
    size_t symbol_count;
    size_t start;
    size_t start_line; /* 0: not given */
    size_t shortest;   /* words of the source sentence */
    size_t longest;
    uint32_t held_out; /* of so many combinations */
    uint32_t held_out_of;
};

/* One symbol of a derivation, expanded by one rule. */
struct tolk_node {
    const struct tolk_rule *rule;
    const struct tolk_symbol *symbol;
    uint32_t cells;    /* of its first variable */
    uint32_t children; /* index of its first child's entry in tolk_tree.children */
};

/* The value of a variable, as far as it is known: variables that were unified share the cell at the
 * end of the chain `same_as`. */
struct tolk_cell {
    uint32_t same_as;
    uint64_t mask;
};

enum { TOLK_TREE_NODES = 1024, TOLK_TREE_CELLS = 8192, TOLK_NO_NODE = UINT32_MAX };

struct tolk_tree {
    struct tolk_node nodes[TOLK_TREE_NODES];
    size_t node_count;
    struct tolk_cell cells[TOLK_TREE_CELLS];
    size_t cell_count;
    uint32_t children[TOLK_TREE_NODES];
    size_t child_count;
    struct tolk_random_key key;
    uint32_t drawn; /* how many random numbers were used */
};

int tolk_grammar_read(struct tolk_grammar *grammar, struct tolk_error *error);
int tolk_grammar_check(const struct tolk_grammar *grammar, struct tolk_error *error);

/* The term for `feature`, or NULL. */
const struct tolk_term *tolk_term_find(const struct tolk_term *terms, size_t count, size_t feature);

/* The part, or NULL. */
const struct tolk_part *tolk_rule_part(const struct tolk_rule *rule, int side, const char *name);
bool tolk_symbol_has_part(const struct tolk_symbol *symbol, int side, const char *name);

uint64_t tolk_domain_all(const struct tolk_domain *domain);

/* The row at the end of the chain of heads, or TOLK_NO_NODE. */
uint32_t tolk_tree_head(const struct tolk_tree *tree, uint32_t node);
uint32_t tolk_tree_child(const struct tolk_tree *tree, uint32_t node, int32_t child);
/* The cell that holds the value of a variable. */
uint32_t tolk_tree_cell(const struct tolk_tree *tree, uint32_t cell);

/* Words and links of a finished tree; `pair->held_out` is left alone. */
int tolk_tree_realise(const struct tolk_grammar *grammar, const struct tolk_tree *tree,
                      struct tolk_derived *pair, size_t *source_words, struct tolk_error *error);

#endif
