/* What can be known to be wrong with a grammar before anything is drawn from it. */
#include <stdlib.h>
#include <string.h>

#include "corpora/rules.h"

struct checker {
    const struct tolk_grammar *grammar;
    struct tolk_error *error;
};

/* Every rule of the called symbol must state each feature of the call, or the call would ask in
 * vain. */
static int check_call(const struct checker *c, const struct tolk_child *child)
{
    const struct tolk_symbol *symbol = &c->grammar->symbols[child->symbol];
    for (size_t t = 0; t < child->term_count; t++) {
        const size_t feature = child->terms[t].feature;
        for (size_t r = 0; r < symbol->rule_count; r++) {
            const struct tolk_rule *rule = &symbol->rules[r];
            if (tolk_term_find(rule->terms, rule->term_count, feature) == NULL) {
                return tolk_error_set(
                    c->error, "%s:%zu: asks for the %s of %s, which line %zu does not state",
                    c->grammar->path, child->line, c->grammar->features[feature].name, symbol->name,
                    rule->line);
            }
        }
    }
    return 0;
}

static bool stands_on(const struct tolk_rule *rule, int side, int32_t child)
{
    for (size_t p = 0; p < rule->part_count; p++) {
        for (size_t i = 0; rule->parts[p].side == side && i < rule->parts[p].item_count; i++) {
            if (rule->parts[p].items[i].child == child) {
                return true;
            }
        }
    }
    return false;
}

static bool has_parts(const struct tolk_symbol *symbol)
{
    for (size_t r = 0; r < symbol->rule_count; r++) {
        if (symbol->rules[r].part_count > 0) {
            return true;
        }
    }
    return false;
}

/* A child stands on both sides; on neither where it has no words (agreement alone). */
static int check_linked(const struct checker *c, const struct tolk_rule *rule, int32_t index)
{
    const struct tolk_child *child = &rule->children[index];
    const bool source = stands_on(rule, TOLK_SOURCE, index);
    const bool target = stands_on(rule, TOLK_TARGET, index);
    if (!source && !target && has_parts(&c->grammar->symbols[child->symbol])) {
        return tolk_error_set(c->error, "%s:%zu: the child %s stands on neither side",
                              c->grammar->path, child->line, child->name);
    }
    if (source != target && !child->one_sided) {
        return tolk_error_set(
            c->error, "%s:%zu: the child %s stands on the side %s alone (unlinked)",
            c->grammar->path, child->line, child->name, c->grammar->languages[source ? 0 : 1]);
    }
    return 0;
}

/* Parts that a variable chooses are looked up when they are drawn. */
static int check_item(const struct checker *c, const struct tolk_rule *rule,
                      const struct tolk_part *part, const struct tolk_item *item)
{
    char name[TOLK_PART_NAME_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < item->step_count; i++) {
        const size_t size = strlen(item->steps[i].text);
        if (item->steps[i].variable >= 0) {
            return 0;
        }
        if (size + 2 > sizeof name - used) {
            return tolk_error_set(c->error, "%s:%zu: the name of a part is too long",
                                  c->grammar->path, part->line);
        }
        if (used > 0) {
            name[used++] = '.';
        }
        memcpy(name + used, item->steps[i].text, size + 1);
        used += size;
    }
    const struct tolk_symbol *symbol = &c->grammar->symbols[rule->children[item->child].symbol];
    if (!tolk_symbol_has_part(symbol, part->side, name)) {
        return tolk_error_set(c->error, "%s:%zu: no rule of %s has the part %s%s%s",
                              c->grammar->path, part->line, symbol->name,
                              c->grammar->languages[part->side], used > 0 ? "." : "", name);
    }
    return 0;
}

static int check_marks(const struct checker *c, const struct tolk_rule *rule)
{
    for (uint32_t local = 1; local <= rule->local_mark_count; local++) {
        size_t uses[TOLK_SIDES] = {0, 0};
        for (size_t p = 0; p < rule->part_count; p++) {
            for (size_t i = 0; i < rule->parts[p].item_count; i++) {
                const struct tolk_item *item = &rule->parts[p].items[i];
                for (size_t m = 0; m < item->mark_count; m++) {
                    uses[rule->parts[p].side] +=
                        item->marks[m].child < 0 && item->marks[m].local == local;
                }
            }
        }
        if (uses[TOLK_SOURCE] == 0 || uses[TOLK_TARGET] == 0) {
            return tolk_error_set(c->error,
                                  "%s:%zu: the mark ^%s stands on the side %s alone (unlinked)",
                                  c->grammar->path, rule->line, rule->local_marks[local - 1],
                                  c->grammar->languages[uses[TOLK_SOURCE] > 0 ? 0 : 1]);
        }
    }
    return 0;
}

static int check_rule(const struct checker *c, const struct tolk_rule *rule)
{
    for (size_t i = 0; i < rule->child_count; i++) {
        if (check_call(c, &rule->children[i]) != 0 || check_linked(c, rule, (int32_t)i) != 0) {
            return -1;
        }
    }
    for (size_t p = 0; p < rule->part_count; p++) {
        for (size_t i = 0; i < rule->parts[p].item_count; i++) {
            const struct tolk_item *item = &rule->parts[p].items[i];
            if (item->child >= 0 && check_item(c, rule, &rule->parts[p], item) != 0) {
                return -1;
            }
        }
    }
    return rule->row ? 0 : check_marks(c, rule);
}

static bool rule_ends(const struct tolk_rule *rule, const bool *ends)
{
    for (size_t i = 0; i < rule->child_count; i++) {
        if (!ends[rule->children[i].symbol]) {
            return false;
        }
    }
    return true;
}

/* A symbol comes to an end when one of its rules has only children that do: grow that set until it
 * stays. What is left needs itself for ever. */
static int check_ends(const struct checker *c)
{
    const struct tolk_grammar *grammar = c->grammar;
    bool *ends = calloc(grammar->symbol_count, sizeof *ends);
    int result = 0;
    if (ends == NULL) {
        return tolk_error_set(c->error, "%s: out of memory", grammar->path);
    }
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t s = 0; s < grammar->symbol_count; s++) {
            const struct tolk_symbol *symbol = &grammar->symbols[s];
            for (size_t r = 0; r < symbol->rule_count && !ends[s]; r++) {
                ends[s] = rule_ends(&symbol->rules[r], ends);
                grown = grown || ends[s];
            }
        }
    }
    for (size_t s = 0; s < grammar->symbol_count && result == 0; s++) {
        if (!ends[s]) {
            result = tolk_error_set(
                c->error, "%s:%zu: recursion without end: every rule of %s leads to itself",
                grammar->path, grammar->symbols[s].rules[0].line, grammar->symbols[s].name);
        }
    }
    free(ends);
    return result;
}

int tolk_grammar_check(const struct tolk_grammar *grammar, struct tolk_error *error)
{
    const struct checker c = {grammar, error};
    if (grammar->start_line == 0) {
        return tolk_error_set(error, "%s: expected a line \"start SYMBOL\", found none",
                              grammar->path);
    }
    for (size_t s = 0; s < grammar->symbol_count; s++) {
        const struct tolk_symbol *symbol = &grammar->symbols[s];
        if (symbol->rule_count == 0) {
            return tolk_error_set(error, "%s:%zu: expected a rule or a row for %s, found none",
                                  grammar->path, symbol->line, symbol->name);
        }
    }
    for (size_t s = 0; s < grammar->symbol_count; s++) {
        for (size_t r = 0; r < grammar->symbols[s].rule_count; r++) {
            if (check_rule(&c, &grammar->symbols[s].rules[r]) != 0) {
                return -1;
            }
        }
    }
    for (int side = 0; side < TOLK_SIDES; side++) {
        if (!tolk_symbol_has_part(&grammar->symbols[grammar->start], side, "")) {
            return tolk_error_set(error, "%s:%zu: the start symbol says nothing on the side %s",
                                  grammar->path, grammar->start_line, grammar->languages[side]);
        }
    }
    return check_ends(&c);
}
