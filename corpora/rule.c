/* Reads a rule: its head, its children, and what it says on each side. */
#include <string.h>

#include "corpora/scan.h"

static int find_child(const struct tolk_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->child_count; i++) {
        if (strcmp(rule->children[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* `$name` after its `$`. A variable takes its domain from its first use in a term. */
static int read_variable(struct tolk_scan *scan, struct tolk_rule *rule, size_t domain,
                         int32_t *variable)
{
    const char *name = tolk_scan_name(scan, "the name of a variable");
    if (name == NULL) {
        return -1;
    }
    for (size_t i = 0; i < rule->variable_count; i++) {
        if (strcmp(rule->variables[i].name, name) == 0) {
            *variable = (int32_t)i;
            if (rule->variables[i].domain != domain) {
                return tolk_scan_fault(scan, "$%s stands for features of different values", name);
            }
            return 0;
        }
    }
    struct tolk_variable *variables = tolk_arena_grow(&scan->grammar->arena, rule->variables,
                                                      rule->variable_count, sizeof *variables);
    if (variables == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->variables = variables;
    *variable = (int32_t)rule->variable_count;
    variables[rule->variable_count++] = (struct tolk_variable){name, domain};
    return 0;
}

/* feature=values or feature=$variable */
static int read_term(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_term **terms,
                     size_t *count)
{
    struct tolk_term term = {.variable = -1};
    const char *name = tolk_scan_name(scan, "a feature or ')'");
    if (name == NULL || tolk_scan_feature(scan, name, &term.feature) != 0) {
        return -1;
    }
    if (tolk_term_find(*terms, *count, term.feature) != NULL) {
        return tolk_scan_fault(scan, "the feature %s is named twice", name);
    }
    if (!tolk_scan_take(scan, '=')) {
        return tolk_scan_expected(scan, "'='");
    }
    const struct tolk_feature *feature = &scan->grammar->features[term.feature];
    const int read = tolk_scan_take(scan, '$')
                         ? read_variable(scan, rule, feature->domain, &term.variable)
                         : tolk_scan_values(scan, feature, &term.mask);
    if (read != 0) {
        return -1;
    }
    struct tolk_term *grown = tolk_arena_grow(&scan->grammar->arena, *terms, *count, sizeof term);
    if (grown == NULL) {
        return tolk_scan_no_memory(scan);
    }
    *terms = grown;
    grown[(*count)++] = term;
    return 0;
}

/* (term term …), or nothing */
static int read_terms(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_term **terms,
                      size_t *count)
{
    if (!tolk_scan_take(scan, '(')) {
        return 0;
    }
    while (!tolk_scan_take(scan, ')')) {
        if (read_term(scan, rule, terms, count) != 0) {
            return -1;
        }
    }
    return 0;
}

int tolk_rule_read_head(struct tolk_scan *scan, size_t *symbol)
{
    const char *name = tolk_scan_name(scan, "the name of a symbol");
    if (name == NULL || tolk_scan_symbol(scan, name, symbol) != 0) {
        return -1;
    }
    struct tolk_rule *rule = tolk_scan_add_rule(scan, *symbol);
    if (rule == NULL || read_terms(scan, rule, &rule->terms, &rule->term_count) != 0) {
        return -1;
    }
    return tolk_scan_done(scan) ? 0 : tolk_scan_number(scan, "a weight", &rule->weight);
}

/* [*]name = Symbol(terms) [one-sided] */
static int read_child(struct tolk_scan *scan, struct tolk_rule *rule, const char *name, bool head)
{
    struct tolk_child child = {.name = name, .line = scan->line};
    if (find_child(rule, name) >= 0) {
        return tolk_scan_fault(scan, "the child %s is named twice", name);
    }
    if (head && rule->head >= 0) {
        return tolk_scan_fault(scan, "expected one head, found %s beside %s", name,
                               rule->children[rule->head].name);
    }
    const char *symbol = tolk_scan_name(scan, "the name of a symbol");
    if (symbol == NULL || tolk_scan_symbol(scan, symbol, &child.symbol) != 0 ||
        read_terms(scan, rule, &child.terms, &child.term_count) != 0) {
        return -1;
    }
    if (!tolk_scan_done(scan)) {
        const char *word = tolk_scan_name(scan, "\"one-sided\" or the end of the line");
        if (word == NULL) {
            return -1;
        }
        if (strcmp(word, "one-sided") != 0) {
            return tolk_scan_fault(scan, "expected \"one-sided\", found \"%s\"", word);
        }
        child.one_sided = true;
    }
    struct tolk_child *children =
        tolk_arena_grow(&scan->grammar->arena, rule->children, rule->child_count, sizeof *children);
    if (children == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->children = children;
    rule->head = head ? (int32_t)rule->child_count : rule->head;
    children[rule->child_count++] = child;
    return 0;
}

static int named_child(struct tolk_scan *scan, const struct tolk_rule *rule, int32_t *child)
{
    const char *name = tolk_scan_name(scan, "the name of a child");
    if (name == NULL) {
        return -1;
    }
    *child = find_child(rule, name);
    return *child >= 0 ? 0
                       : tolk_scan_fault(scan, "expected a child of this rule, found \"%s\"", name);
}

/* combination NAME CHILD CHILD */
static int read_combination(struct tolk_scan *scan, struct tolk_rule *rule)
{
    struct tolk_combination combination = {0};
    combination.name = tolk_scan_name(scan, "the name of the combination");
    if (combination.name == NULL || named_child(scan, rule, &combination.children[0]) != 0 ||
        named_child(scan, rule, &combination.children[1]) != 0) {
        return -1;
    }
    struct tolk_combination *combinations = tolk_arena_grow(
        &scan->grammar->arena, rule->combinations, rule->combination_count, sizeof *combinations);
    if (combinations == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->combinations = combinations;
    combinations[rule->combination_count++] = combination;
    return 0;
}

static int add_step(struct tolk_scan *scan, const struct tolk_rule *rule, struct tolk_item *item)
{
    const bool variable = tolk_scan_take(scan, '$');
    struct tolk_step step = {.text = tolk_scan_name(scan, "the name of a part"), .variable = -1};
    if (step.text == NULL) {
        return -1;
    }
    for (size_t i = 0; variable && i < rule->variable_count; i++) {
        if (strcmp(rule->variables[i].name, step.text) == 0) {
            step.variable = (int32_t)i;
        }
    }
    if (variable && step.variable < 0) {
        return tolk_scan_fault(scan, "expected a variable of this rule, found \"$%s\"", step.text);
    }
    struct tolk_step *steps =
        tolk_arena_grow(&scan->grammar->arena, item->steps, item->step_count, sizeof *steps);
    if (steps == NULL) {
        return tolk_scan_no_memory(scan);
    }
    item->steps = steps;
    steps[item->step_count++] = step;
    return 0;
}

static int local_mark(struct tolk_scan *scan, struct tolk_rule *rule, const char *name,
                      uint32_t *index)
{
    for (size_t i = 0; i < rule->local_mark_count; i++) {
        if (strcmp(rule->local_marks[i], name) == 0) {
            *index = (uint32_t)i + 1;
            return 0;
        }
    }
    const char **marks = tolk_arena_grow(&scan->grammar->arena, rule->local_marks,
                                         rule->local_mark_count, sizeof *marks);
    if (marks == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->local_marks = marks;
    marks[rule->local_mark_count++] = name;
    *index = (uint32_t)rule->local_mark_count;
    return 0;
}

/* `^name` or `^?name`, where the `^` is taken */
static int read_mark(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_item *item)
{
    struct tolk_mark mark = {.possible = tolk_scan_take(scan, '?')};
    mark.name = tolk_scan_name(scan, "the name of a mark");
    if (mark.name == NULL) {
        return -1;
    }
    mark.child = find_child(rule, mark.name);
    if (mark.child < 0 && local_mark(scan, rule, mark.name, &mark.local) != 0) {
        return -1;
    }
    struct tolk_mark *marks =
        tolk_arena_grow(&scan->grammar->arena, item->marks, item->mark_count, sizeof *marks);
    if (marks == NULL) {
        return tolk_scan_no_memory(scan);
    }
    item->marks = marks;
    marks[item->mark_count++] = mark;
    return 0;
}

/* The marks behind a word or a reference, or none. */
static int read_marks(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_item *item)
{
    while (scan->at < scan->line_end && *scan->at == '^') {
        scan->at++;
        if (read_mark(scan, rule, item) != 0) {
            return -1;
        }
    }
    return 0;
}

/* child or child.step.step, '>' and marks */
static int read_reference(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_item *item)
{
    if (named_child(scan, rule, &item->child) != 0) {
        return -1;
    }
    while (tolk_scan_take(scan, '.')) {
        if (add_step(scan, rule, item) != 0) {
            return -1;
        }
    }
    return tolk_scan_take(scan, '>') ? read_marks(scan, rule, item)
                                     : tolk_scan_expected(scan, "'.' or '>'");
}

/* word or word^mark^?mark */
static int read_marked_word(struct tolk_scan *scan, struct tolk_rule *rule, struct tolk_item *item)
{
    const char *begin = scan->at;
    while (scan->at < scan->line_end && strchr(" \t^", *scan->at) == NULL) {
        if (*scan->at == '<' || *scan->at == '>') {
            return tolk_scan_expected(scan, "a blank before '<' and after '>'");
        }
        scan->at++;
    }
    if (scan->at == begin) {
        return tolk_scan_expected(scan, "a word before '^'");
    }
    item->word = tolk_arena_text(&scan->grammar->arena, begin, (size_t)(scan->at - begin));
    if (item->word == NULL) {
        return tolk_scan_no_memory(scan);
    }
    return read_marks(scan, rule, item);
}

/* side.part: items */
static int read_part(struct tolk_scan *scan, struct tolk_rule *rule, int side, const char *name)
{
    struct tolk_arena *arena = &scan->grammar->arena;
    if (tolk_rule_part(rule, side, name) != NULL) {
        return tolk_scan_fault(scan, "the part %s.%s is given twice",
                               scan->grammar->languages[side], name);
    }
    struct tolk_part part = {name, side, scan->line, NULL, 0};
    while (!tolk_scan_done(scan)) {
        struct tolk_item item = {.child = -1};
        const int read = tolk_scan_take(scan, '<') ? read_reference(scan, rule, &item)
                                                   : read_marked_word(scan, rule, &item);
        if (read != 0) {
            return -1;
        }
        struct tolk_item *items = tolk_arena_grow(arena, part.items, part.item_count, sizeof item);
        if (items == NULL) {
            return tolk_scan_no_memory(scan);
        }
        part.items = items;
        items[part.item_count++] = item;
    }
    struct tolk_part *parts = tolk_arena_grow(arena, rule->parts, rule->part_count, sizeof part);
    if (parts == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->parts = parts;
    parts[rule->part_count++] = part;
    return 0;
}

/* `nl:`, `nl.past.sg:` without its colon, from the first name on */
static int read_part_line(struct tolk_scan *scan, struct tolk_rule *rule, const char *begin)
{
    while (scan->at < scan->line_end && strchr(" \t:", *scan->at) == NULL) {
        scan->at++;
    }
    const char *full = tolk_arena_text(&scan->grammar->arena, begin, (size_t)(scan->at - begin));
    int side = 0;
    const char *name = NULL;
    if (full == NULL) {
        return tolk_scan_no_memory(scan);
    }
    if (!tolk_scan_take(scan, ':')) {
        return tolk_scan_expected(scan, "'=' and a symbol, or ':' and words");
    }
    if (tolk_scan_part_name(scan, full, &side, &name) != 0) {
        return -1;
    }
    return read_part(scan, rule, side, name);
}

int tolk_rule_read_line(struct tolk_scan *scan, struct tolk_rule *rule)
{
    const bool head = tolk_scan_take(scan, '*');
    (void)tolk_scan_done(scan);
    const char *begin = scan->at;
    const char *name = tolk_scan_name(scan, "a child, a side or \"combination\"");
    if (name == NULL) {
        return -1;
    }
    if (head || tolk_scan_take(scan, '=')) {
        if (head && !tolk_scan_take(scan, '=')) {
            return tolk_scan_expected(scan, "'='");
        }
        return read_child(scan, rule, name, head);
    }
    if (strcmp(name, "combination") == 0) {
        return read_combination(scan, rule);
    }
    return read_part_line(scan, rule, begin);
}
