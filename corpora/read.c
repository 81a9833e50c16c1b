/* Reads a grammar file: its directives and tables here, its rules in rule.c. */
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "corpora/scan.h"

/* What a table's column holds. */
struct column {
    enum { COLUMN_FEATURE, COLUMN_FORM, COLUMN_WEIGHT } kind;
    size_t feature;
    int side;
    const char *part;
};

struct block {
    enum { BLOCK_NONE, BLOCK_TABLE, BLOCK_RULE } kind;
    size_t symbol;
    struct column *columns;
    size_t column_count;
};

static int read_languages(struct tolk_scan *scan)
{
    if (scan->grammar->languages[TOLK_TARGET] != NULL) {
        return tolk_scan_fault(scan, "the languages are named twice");
    }
    for (int side = 0; side < TOLK_SIDES; side++) {
        scan->grammar->languages[side] = tolk_scan_name(scan, "the name of a language");
        if (scan->grammar->languages[side] == NULL) {
            return -1;
        }
    }
    if (strcmp(scan->grammar->languages[0], scan->grammar->languages[1]) == 0) {
        return tolk_scan_fault(scan, "expected two different names of languages");
    }
    return 0;
}

static int add_feature(struct tolk_scan *scan, const char *name, size_t domain)
{
    struct tolk_grammar *grammar = scan->grammar;
    for (size_t i = 0; i < grammar->feature_count; i++) {
        if (strcmp(grammar->features[i].name, name) == 0) {
            return tolk_scan_fault(scan, "the feature %s is declared twice", name);
        }
    }
    struct tolk_feature *features = tolk_arena_grow(&grammar->arena, grammar->features,
                                                    grammar->feature_count, sizeof *features);
    if (features == NULL) {
        return tolk_scan_no_memory(scan);
    }
    grammar->features = features;
    features[grammar->feature_count++] = (struct tolk_feature){name, domain};
    return 0;
}

static int add_value(struct tolk_scan *scan, struct tolk_domain *domain)
{
    const char *value = tolk_scan_name(scan, "a value");
    if (value == NULL) {
        return -1;
    }
    if (domain->count == TOLK_DOMAIN_VALUES) {
        return tolk_scan_fault(scan, "expected at most %d values", TOLK_DOMAIN_VALUES);
    }
    const char **values =
        tolk_arena_grow(&scan->grammar->arena, domain->values, domain->count, sizeof *values);
    if (values == NULL) {
        return tolk_scan_no_memory(scan);
    }
    domain->values = values;
    values[domain->count++] = value;
    return 0;
}

/* feature NAME… = VALUE… */
static int read_feature(struct tolk_scan *scan)
{
    struct tolk_grammar *grammar = scan->grammar;
    struct tolk_domain *domains =
        tolk_arena_grow(&grammar->arena, grammar->domains, grammar->domain_count, sizeof *domains);
    if (domains == NULL) {
        return tolk_scan_no_memory(scan);
    }
    grammar->domains = domains;
    struct tolk_domain *domain = &domains[grammar->domain_count];
    *domain = (struct tolk_domain){NULL, 0};
    do {
        const char *name = tolk_scan_name(scan, "the name of a feature");
        if (name == NULL || add_feature(scan, name, grammar->domain_count) != 0) {
            return -1;
        }
    } while (!tolk_scan_take(scan, '='));
    grammar->domain_count++;
    do {
        if (add_value(scan, domain) != 0) {
            return -1;
        }
    } while (!tolk_scan_done(scan));
    return 0;
}

static int read_column(struct tolk_scan *scan, struct block *block)
{
    const char *text = tolk_scan_word(scan, "a column");
    struct column column = {0};
    if (text == NULL) {
        return -1;
    }
    if (strcmp(text, "weight") == 0) {
        column.kind = COLUMN_WEIGHT;
    } else if (tolk_scan_feature(scan, text, &column.feature) == 0) {
        column.kind = COLUMN_FEATURE;
    } else if (tolk_scan_part_name(scan, text, &column.side, &column.part) == 0) {
        column.kind = COLUMN_FORM;
    } else {
        return tolk_scan_fault(scan,
                               "expected a feature, a form such as %s.plural, or weight, "
                               "found \"%s\"",
                               scan->grammar->languages[TOLK_SOURCE], text);
    }
    struct column *columns = tolk_arena_grow(&scan->grammar->arena, block->columns,
                                             block->column_count, sizeof *columns);
    if (columns == NULL) {
        return tolk_scan_no_memory(scan);
    }
    block->columns = columns;
    columns[block->column_count++] = column;
    return 0;
}

/* table NAME: COLUMN… */
static int read_table(struct tolk_scan *scan, struct block *block)
{
    *block = (struct block){.kind = BLOCK_TABLE};
    const char *name = tolk_scan_name(scan, "the name of a table");
    if (name == NULL || tolk_scan_symbol(scan, name, &block->symbol) != 0) {
        return -1;
    }
    if (!tolk_scan_take(scan, ':')) {
        return tolk_scan_expected(scan, "':' and the columns");
    }
    do {
        if (read_column(scan, block) != 0) {
            return -1;
        }
    } while (!tolk_scan_done(scan));
    return 0;
}

/* A cell of words: `_` stands between two of them, `-` alone is no word. */
static int read_form(struct tolk_scan *scan, const struct column *column, struct tolk_rule *rule)
{
    struct tolk_arena *arena = &scan->grammar->arena;
    const char *text = tolk_scan_word(scan, "a form");
    if (text == NULL) {
        return -1;
    }
    struct tolk_part *parts = tolk_arena_grow(arena, rule->parts, rule->part_count, sizeof *parts);
    if (parts == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->parts = parts;
    struct tolk_part *part = &parts[rule->part_count++];
    *part = (struct tolk_part){column->part, column->side, scan->line, NULL, 0};
    while (*text != '\0' && strcmp(text, "-") != 0) {
        const size_t size = strcspn(text, "_");
        struct tolk_item *items =
            tolk_arena_grow(arena, part->items, part->item_count, sizeof *items);
        const char *word = tolk_arena_text(arena, text, size);
        struct tolk_mark *mark = tolk_arena_take(arena, sizeof *mark);
        if (items == NULL || word == NULL || mark == NULL) {
            return tolk_scan_no_memory(scan);
        }
        *mark = (struct tolk_mark){.name = "", .child = -1};
        part->items = items;
        items[part->item_count++] =
            (struct tolk_item){.word = word, .child = -1, .marks = mark, .mark_count = 1};
        text += size + (text[size] == '_');
    }
    return 0;
}

static int read_cell(struct tolk_scan *scan, const struct column *column, struct tolk_rule *rule)
{
    if (column->kind == COLUMN_WEIGHT) {
        return tolk_scan_number(scan, "a weight", &rule->weight);
    }
    if (column->kind == COLUMN_FORM) {
        return read_form(scan, column, rule);
    }
    struct tolk_term *terms =
        tolk_arena_grow(&scan->grammar->arena, rule->terms, rule->term_count, sizeof *terms);
    if (terms == NULL) {
        return tolk_scan_no_memory(scan);
    }
    rule->terms = terms;
    struct tolk_term *term = &terms[rule->term_count++];
    *term = (struct tolk_term){.feature = column->feature, .variable = -1};
    return tolk_scan_values(scan, &scan->grammar->features[column->feature], &term->mask);
}

static int read_row(struct tolk_scan *scan, const struct block *block)
{
    struct tolk_rule *rule = tolk_scan_add_rule(scan, block->symbol);
    if (rule == NULL) {
        return -1;
    }
    rule->row = true;
    for (size_t i = 0; i < block->column_count; i++) {
        if (tolk_scan_done(scan)) {
            return tolk_scan_fault(scan, "expected %zu cells, found %zu", block->column_count, i);
        }
        if (read_cell(scan, &block->columns[i], rule) != 0) {
            return -1;
        }
    }
    if (!tolk_scan_done(scan)) {
        return tolk_scan_fault(scan, "expected %zu cells, found more", block->column_count);
    }
    return 0;
}

static int read_start(struct tolk_scan *scan)
{
    const char *name = tolk_scan_name(scan, "a symbol");
    scan->grammar->start_line = scan->line;
    return name == NULL ? -1 : tolk_scan_symbol(scan, name, &scan->grammar->start);
}

/* length SHORTEST LONGEST */
static int read_length(struct tolk_scan *scan)
{
    double shortest = 0.0;
    double longest = 0.0;
    if (tolk_scan_number(scan, "the shortest length", &shortest) != 0 ||
        tolk_scan_number(scan, "the longest length", &longest) != 0) {
        return -1;
    }
    if (shortest > longest) {
        return tolk_scan_fault(scan, "expected the shorter length first");
    }
    scan->grammar->shortest = (size_t)shortest;
    scan->grammar->longest = (size_t)longest;
    return 0;
}

/* held-out COUNT of COUNT */
static int read_held_out(struct tolk_scan *scan)
{
    double part = 0.0;
    double whole = 0.0;
    const char *of = NULL;
    if (tolk_scan_number(scan, "a number of combinations", &part) != 0 ||
        (of = tolk_scan_name(scan, "\"of\"")) == NULL ||
        tolk_scan_number(scan, "a number of combinations", &whole) != 0) {
        return -1;
    }
    if (strcmp(of, "of") != 0 || part >= whole) {
        return tolk_scan_fault(scan, "expected a part of all combinations, such as 1 of 12");
    }
    scan->grammar->held_out = (uint32_t)part;
    scan->grammar->held_out_of = (uint32_t)whole;
    return 0;
}

static int read_directive(struct tolk_scan *scan, struct block *block)
{
    const char *word = tolk_scan_name(scan, "a directive");
    if (word == NULL) {
        return -1;
    }
    const bool known_sides = scan->grammar->languages[TOLK_TARGET] != NULL;
    block->kind = BLOCK_NONE;
    if (strcmp(word, "languages") == 0) {
        return read_languages(scan);
    }
    if (!known_sides) {
        return tolk_scan_fault(scan, "expected \"languages\" first, found \"%s\"", word);
    }
    if (strcmp(word, "table") == 0) {
        return read_table(scan, block);
    }
    if (strcmp(word, "rule") == 0) {
        *block = (struct block){.kind = BLOCK_RULE};
        return tolk_rule_read_head(scan, &block->symbol);
    }
    if (strcmp(word, "feature") == 0) {
        return read_feature(scan);
    }
    if (strcmp(word, "start") == 0) {
        return read_start(scan);
    }
    if (strcmp(word, "length") == 0) {
        return read_length(scan);
    }
    if (strcmp(word, "held-out") == 0) {
        return read_held_out(scan);
    }
    return tolk_scan_fault(scan,
                           "expected languages, feature, start, length, held-out, table or rule, "
                           "found \"%s\"",
                           word);
}

static int read_line(struct tolk_scan *scan, struct block *block)
{
    if (!scan->indented) {
        if (read_directive(scan, block) != 0) {
            return -1;
        }
        return tolk_scan_done(scan) ? 0 : tolk_scan_expected(scan, "the end of the line");
    }
    if (block->kind == BLOCK_NONE) {
        return tolk_scan_fault(scan, "an indented line belongs to a table or a rule, found none");
    }
    if (block->kind == BLOCK_TABLE) {
        return read_row(scan, block);
    }
    struct tolk_symbol *symbol = &scan->grammar->symbols[block->symbol];
    if (tolk_rule_read_line(scan, &symbol->rules[symbol->rule_count - 1]) != 0) {
        return -1;
    }
    return tolk_scan_done(scan) ? 0 : tolk_scan_expected(scan, "the end of the line");
}

/* The file is text, or the error names the first line that is not. */
static int check_text(struct tolk_scan *scan, const struct tolk_file *file)
{
    const char *text = (const char *)file->bytes;
    const size_t valid = tolk_utf8_valid_prefix(text, file->size);
    for (size_t i = 0; i < file->size; i++) {
        if (i == valid || text[i] == '\r' || text[i] == '\0') {
            scan->line++;
            return tolk_scan_fault(scan, "expected UTF-8 text, found the byte 0x%02x",
                                   file->bytes[i]);
        }
        scan->line += text[i] == '\n';
    }
    scan->line = 0;
    return 0;
}

int tolk_grammar_read(struct tolk_grammar *grammar, struct tolk_error *error)
{
    struct tolk_file file;
    struct tolk_scan scan = {.grammar = grammar, .error = error};
    struct block block = {.kind = BLOCK_NONE};
    int result = -1;
    if (tolk_file_map(&file, grammar->path, error) != 0) {
        return -1;
    }
    if (check_text(&scan, &file) != 0) {
        goto out;
    }
    scan.next = (const char *)file.bytes;
    scan.end = scan.next == NULL ? NULL : scan.next + file.size;
    while (tolk_scan_line(&scan)) {
        if (read_line(&scan, &block) != 0) {
            goto out;
        }
    }
    result = 0;
out:
    tolk_file_unmap(&file);
    return result;
}
