/* Draws a derivation from a grammar: expands symbols from the start, child by child in the order of
 * the rule, and unifies features on the way, so that what an earlier child decided holds for the
 * later ones. A branch that no rule fits is not searched again: the whole derivation is drawn anew.
 */
#include <stdlib.h>
#include <string.h>

#include "corpora/rules.h"

enum { DEEPEST = 100, MOST_ATTEMPTS = 10000 };

struct drawing {
    const struct tolk_grammar *grammar;
    struct tolk_tree *tree;
    const struct tolk_symbol *stuck; /* where the last attempt failed, and why */
    const char *why;
};

uint32_t tolk_tree_cell(const struct tolk_tree *tree, uint32_t cell)
{
    while (tree->cells[cell].same_as != cell) {
        cell = tree->cells[cell].same_as;
    }
    return cell;
}

uint32_t tolk_tree_child(const struct tolk_tree *tree, uint32_t node, int32_t child)
{
    return tree->children[tree->nodes[node].children + (uint32_t)child];
}

uint32_t tolk_tree_head(const struct tolk_tree *tree, uint32_t node)
{
    while (!tree->nodes[node].rule->row) {
        const int32_t head = tree->nodes[node].rule->head;
        if (head < 0) {
            return TOLK_NO_NODE;
        }
        node = tolk_tree_child(tree, node, head);
    }
    return node;
}

/* What a call asks for: terms, with the caller's cells behind their variables. */
struct call {
    const struct tolk_term *terms;
    size_t count;
    uint32_t cells;
};

static uint64_t asked(const struct tolk_tree *tree, const struct call *call,
                      const struct tolk_term *term)
{
    return term->variable < 0
               ? term->mask
               : tree->cells[tolk_tree_cell(tree, call->cells + (uint32_t)term->variable)].mask;
}

static bool fits(const struct tolk_tree *tree, const struct call *call,
                 const struct tolk_rule *rule)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct tolk_term *own =
            tolk_term_find(rule->terms, rule->term_count, call->terms[i].feature);
        if (own->variable < 0 && (own->mask & asked(tree, call, &call->terms[i])) == 0) {
            return false;
        }
    }
    return true;
}

static const struct tolk_rule *choose(struct tolk_tree *tree, const struct tolk_symbol *symbol,
                                      const struct call *call)
{
    const struct tolk_rule *chosen = NULL;
    double total = 0.0;
    for (size_t r = 0; r < symbol->rule_count; r++) {
        total += fits(tree, call, &symbol->rules[r]) ? symbol->rules[r].weight : 0.0;
    }
    double left = total * (double)tolk_random_uniform(tree->key, tree->drawn++);
    for (size_t r = 0; r < symbol->rule_count && left >= 0.0; r++) {
        if (fits(tree, call, &symbol->rules[r])) {
            chosen = &symbol->rules[r];
            left -= chosen->weight;
        }
    }
    return chosen;
}

static bool narrow(struct tolk_tree *tree, uint32_t cell, uint64_t mask)
{
    struct tolk_cell *end = &tree->cells[tolk_tree_cell(tree, cell)];
    end->mask &= mask;
    return end->mask != 0;
}

static bool unite(struct tolk_tree *tree, uint32_t a, uint32_t b)
{
    a = tolk_tree_cell(tree, a);
    b = tolk_tree_cell(tree, b);
    tree->cells[b].same_as = a;
    return narrow(tree, a, tree->cells[b].mask);
}

/* Unifies what the call asks for with what the head of the rule states. */
static bool unify(struct tolk_tree *tree, const struct call *call, const struct tolk_node *node)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct tolk_term *theirs = &call->terms[i];
        const struct tolk_term *own =
            tolk_term_find(node->rule->terms, node->rule->term_count, theirs->feature);
        const uint32_t their_cell = call->cells + (uint32_t)theirs->variable;
        const uint32_t own_cell = node->cells + (uint32_t)own->variable;
        bool agree = true;
        if (theirs->variable >= 0 && own->variable >= 0) {
            agree = unite(tree, their_cell, own_cell);
        } else if (theirs->variable >= 0) {
            agree = narrow(tree, their_cell, own->mask);
        } else if (own->variable >= 0) {
            agree = narrow(tree, own_cell, theirs->mask);
        }
        if (!agree) {
            return false;
        }
    }
    return true;
}

static uint32_t give_up(struct drawing *d, const struct tolk_symbol *symbol, const char *why)
{
    d->stuck = symbol;
    d->why = why;
    return TOLK_NO_NODE;
}

/* A fresh node with cells that may still be anything, and room for its children. */
static uint32_t add_node(struct drawing *d, const struct tolk_symbol *symbol,
                         const struct tolk_rule *rule)
{
    struct tolk_tree *tree = d->tree;
    if (tree->node_count == TOLK_TREE_NODES ||
        rule->child_count > TOLK_TREE_NODES - tree->child_count ||
        rule->variable_count > TOLK_TREE_CELLS - tree->cell_count) {
        return give_up(d, symbol, "the derivation grew too large");
    }
    const uint32_t index = (uint32_t)tree->node_count++;
    tree->nodes[index] =
        (struct tolk_node){rule, symbol, (uint32_t)tree->cell_count, (uint32_t)tree->child_count};
    tree->child_count += rule->child_count;
    for (size_t v = 0; v < rule->variable_count; v++) {
        const uint32_t cell = (uint32_t)tree->cell_count++;
        const struct tolk_domain *domain = &d->grammar->domains[rule->variables[v].domain];
        tree->cells[cell] = (struct tolk_cell){cell, tolk_domain_all(domain)};
    }
    return index;
}

static uint32_t expand(struct drawing *d, const struct tolk_symbol *symbol, const struct call *call,
                       size_t depth)
{
    if (depth > DEEPEST) {
        return give_up(d, symbol, "the derivation grew too deep");
    }
    const struct tolk_rule *rule = choose(d->tree, symbol, call);
    if (rule == NULL) {
        return give_up(d, symbol, "no rule has the features asked for");
    }
    const uint32_t index = add_node(d, symbol, rule);
    if (index == TOLK_NO_NODE) {
        return TOLK_NO_NODE;
    }
    const struct tolk_node *node = &d->tree->nodes[index];
    if (!unify(d->tree, call, node)) {
        return give_up(d, symbol, "the features do not agree");
    }
    for (size_t i = 0; i < rule->child_count; i++) {
        const struct tolk_child *child = &rule->children[i];
        const struct call down = {child->terms, child->term_count, node->cells};
        const uint32_t below = expand(d, &d->grammar->symbols[child->symbol], &down, depth + 1);
        if (below == TOLK_NO_NODE) {
            return TOLK_NO_NODE;
        }
        d->tree->children[node->children + i] = below;
    }
    return index;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = tolk_random_mix64(hash ^ (unsigned char)*text);
    }
    return tolk_random_mix64(hash);
}

/* A row is known by its symbol and by its first words on the source side. */
static uint64_t hash_row(uint64_t hash, const struct tolk_node *node)
{
    hash = hash_text(hash, node->symbol->name);
    for (size_t p = 0; p < node->rule->part_count; p++) {
        const struct tolk_part *part = &node->rule->parts[p];
        if (part->side == TOLK_SOURCE && part->item_count > 0) {
            for (size_t i = 0; i < part->item_count; i++) {
                hash = hash_text(hash, part->items[i].word);
            }
            break;
        }
    }
    return hash;
}

/* Whether a combination is held out depends on its words alone: not on the seed, nor on the rule.
 */
static bool is_held_out(const struct tolk_grammar *grammar, const struct tolk_tree *tree,
                        uint32_t node, const struct tolk_combination *combination)
{
    uint64_t hash = hash_text(0, combination->name);
    for (size_t i = 0; i < 2; i++) {
        const uint32_t child = tolk_tree_child(tree, node, combination->children[i]);
        const uint32_t head = tolk_tree_head(tree, child);
        if (head == TOLK_NO_NODE) {
            return false;
        }
        hash = hash_row(hash, &tree->nodes[head]);
    }
    return hash % grammar->held_out_of < grammar->held_out;
}

static bool holds_out(const struct tolk_grammar *grammar, const struct tolk_tree *tree)
{
    for (uint32_t n = 0; grammar->held_out > 0 && n < tree->node_count; n++) {
        const struct tolk_rule *rule = tree->nodes[n].rule;
        for (size_t i = 0; i < rule->combination_count; i++) {
            if (is_held_out(grammar, tree, n, &rule->combinations[i])) {
                return true;
            }
        }
    }
    return false;
}

/* One attempt: 1 when it is a sentence, 0 when it is to be thrown away, -1 for an error. */
static int attempt(struct drawing *d, struct tolk_derived *pair, struct tolk_error *error)
{
    const struct tolk_grammar *grammar = d->grammar;
    const struct tolk_symbol *start = &grammar->symbols[grammar->start];
    const struct call nothing = {NULL, 0, 0};
    size_t words = 0;
    d->tree->node_count = d->tree->cell_count = d->tree->child_count = 0;
    if (expand(d, start, &nothing, 0) == TOLK_NO_NODE) {
        return 0;
    }
    if (tolk_tree_realise(grammar, d->tree, pair, &words, error) != 0) {
        return -1;
    }
    if (words < grammar->shortest || words > grammar->longest) {
        give_up(d, start, "the sentence does not have the length asked for");
        tolk_derived_free(pair);
        return 0;
    }
    pair->held_out = holds_out(grammar, d->tree);
    return 1;
}

int tolk_grammar_derive(const struct tolk_grammar *grammar, struct tolk_random_key key,
                        struct tolk_derived *pair, struct tolk_error *error)
{
    struct tolk_tree *tree = malloc(sizeof *tree);
    struct drawing d = {.grammar = grammar, .tree = tree};
    int done = 0;
    *pair = (struct tolk_derived){0};
    if (tree == NULL) {
        return tolk_error_set(error, "%s: out of memory", grammar->path);
    }
    tree->key = key;
    tree->drawn = 0;
    for (size_t i = 0; done == 0 && i < MOST_ATTEMPTS; i++) {
        done = attempt(&d, pair, error);
    }
    if (done == 0) {
        tolk_error_set(error, "%s: %d derivations failed one after another, the last at %s: %s",
                       grammar->path, MOST_ATTEMPTS, d.stuck->name, d.why);
    }
    free(tree);
    return done == 1 ? 0 : -1;
}
