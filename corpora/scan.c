#include "corpora/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || (byte & 0x80) != 0;
}

/* A comment runs from a `#` at the start of the line or after a blank. */
static const char *without_comment(const char *begin, const char *end)
{
    for (const char *c = begin; c < end; c++) {
        if (*c == '#' && (c == begin || is_blank(c[-1]))) {
            return c;
        }
    }
    return end;
}

bool tolk_scan_line(struct tolk_scan *scan)
{
    while (scan->next < scan->end) {
        const char *begin = scan->next;
        const char *newline = memchr(begin, '\n', (size_t)(scan->end - begin));
        scan->next = newline != NULL ? newline + 1 : scan->end;
        scan->line++;
        scan->at = begin;
        scan->line_end = without_comment(begin, newline != NULL ? newline : scan->end);
        scan->indented = begin < scan->line_end && is_blank(*begin);
        if (!tolk_scan_done(scan)) {
            return true;
        }
    }
    return false;
}

bool tolk_scan_done(struct tolk_scan *scan)
{
    while (scan->at < scan->line_end && is_blank(*scan->at)) {
        scan->at++;
    }
    return scan->at == scan->line_end;
}

bool tolk_scan_take(struct tolk_scan *scan, char byte)
{
    if (!tolk_scan_done(scan) && *scan->at == byte) {
        scan->at++;
        return true;
    }
    return false;
}

static const char *keep(struct tolk_scan *scan, const char *begin)
{
    const char *text = tolk_arena_text(&scan->grammar->arena, begin, (size_t)(scan->at - begin));
    if (text == NULL) {
        tolk_scan_no_memory(scan);
    }
    return text;
}

const char *tolk_scan_name(struct tolk_scan *scan, const char *what)
{
    const char *begin = tolk_scan_done(scan) ? scan->line_end : scan->at;
    while (scan->at < scan->line_end && is_name(*scan->at)) {
        scan->at++;
    }
    if (scan->at == begin) {
        tolk_scan_expected(scan, what);
        return NULL;
    }
    return keep(scan, begin);
}

const char *tolk_scan_word(struct tolk_scan *scan, const char *what)
{
    if (tolk_scan_done(scan)) {
        tolk_scan_expected(scan, what);
        return NULL;
    }
    const char *begin = scan->at;
    while (scan->at < scan->line_end && !is_blank(*scan->at)) {
        scan->at++;
    }
    return keep(scan, begin);
}

int tolk_scan_number(struct tolk_scan *scan, const char *what, double *number)
{
    const char *text = tolk_scan_word(scan, what);
    if (text == NULL) {
        return -1;
    }
    char *end = NULL;
    *number = strtod(text, &end);
    const double largest = 1e6;
    if (*end != '\0' || !(*number > 0.0) || *number > largest) {
        return tolk_scan_fault(scan, "expected %s, a positive number, found \"%s\"", what, text);
    }
    return 0;
}

int tolk_scan_expected(struct tolk_scan *scan, const char *what)
{
    if (tolk_scan_done(scan)) {
        return tolk_scan_fault(scan, "expected %s, found the end of the line", what);
    }
    return tolk_scan_fault(scan, "expected %s, found \"%.*s\"", what,
                           (int)(scan->line_end - scan->at > 40 ? 40 : scan->line_end - scan->at),
                           scan->at);
}

int tolk_scan_fault(struct tolk_scan *scan, const char *format, ...)
{
    char message[TOLK_ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return tolk_error_set(scan->error, "%s:%zu: %s", scan->grammar->path, scan->line, message);
}

int tolk_scan_no_memory(struct tolk_scan *scan)
{
    return tolk_scan_fault(scan, "out of memory");
}

static int value_index(const struct tolk_domain *domain, const char *text, size_t size)
{
    for (size_t i = 0; i < domain->count; i++) {
        if (strlen(domain->values[i]) == size && memcmp(domain->values[i], text, size) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int tolk_scan_values(struct tolk_scan *scan, const struct tolk_feature *feature, uint64_t *mask)
{
    const struct tolk_domain *domain = &scan->grammar->domains[feature->domain];
    *mask = 0;
    if (tolk_scan_take(scan, '*')) {
        *mask = tolk_domain_all(domain);
        return 0;
    }
    do {
        const char *value = tolk_scan_name(scan, "a value");
        if (value == NULL) {
            return -1;
        }
        const int index = value_index(domain, value, strlen(value));
        if (index < 0) {
            return tolk_scan_fault(scan, "expected a value of the feature %s, found \"%s\"",
                                   feature->name, value);
        }
        *mask |= UINT64_C(1) << index;
    } while (scan->at < scan->line_end && *scan->at == '|' && tolk_scan_take(scan, '|'));
    return 0;
}

int tolk_scan_feature(struct tolk_scan *scan, const char *name, size_t *feature)
{
    const struct tolk_grammar *grammar = scan->grammar;
    for (*feature = 0; *feature < grammar->feature_count; (*feature)++) {
        if (strcmp(grammar->features[*feature].name, name) == 0) {
            return 0;
        }
    }
    return tolk_scan_fault(scan, "expected a declared feature, found \"%s\"", name);
}

int tolk_scan_symbol(struct tolk_scan *scan, const char *name, size_t *symbol)
{
    struct tolk_grammar *grammar = scan->grammar;
    for (*symbol = 0; *symbol < grammar->symbol_count; (*symbol)++) {
        if (strcmp(grammar->symbols[*symbol].name, name) == 0) {
            return 0;
        }
    }
    struct tolk_symbol *symbols =
        tolk_arena_grow(&grammar->arena, grammar->symbols, grammar->symbol_count, sizeof *symbols);
    if (symbols == NULL) {
        return tolk_scan_no_memory(scan);
    }
    grammar->symbols = symbols;
    symbols[grammar->symbol_count++] = (struct tolk_symbol){.name = name, .line = scan->line};
    return 0;
}

struct tolk_rule *tolk_scan_add_rule(struct tolk_scan *scan, size_t symbol)
{
    struct tolk_symbol *owner = &scan->grammar->symbols[symbol];
    struct tolk_rule *rules =
        tolk_arena_grow(&scan->grammar->arena, owner->rules, owner->rule_count, sizeof *rules);
    if (rules == NULL) {
        tolk_scan_no_memory(scan);
        return NULL;
    }
    owner->rules = rules;
    struct tolk_rule *rule = &rules[owner->rule_count++];
    *rule = (struct tolk_rule){.line = scan->line, .weight = 1.0, .head = -1};
    return rule;
}

int tolk_scan_part_name(struct tolk_scan *scan, const char *text, int *side, const char **part)
{
    const char *dot = strchr(text, '.');
    const size_t size = dot != NULL ? (size_t)(dot - text) : strlen(text);
    *part = dot != NULL ? dot + 1 : "";
    for (*side = 0; *side < TOLK_SIDES; (*side)++) {
        const char *language = scan->grammar->languages[*side];
        if (language != NULL && strlen(language) == size && memcmp(language, text, size) == 0) {
            break;
        }
    }
    if (*side == TOLK_SIDES) {
        return tolk_scan_fault(scan, "expected one of the two languages, found \"%s\"", text);
    }
    if (strlen(*part) >= TOLK_PART_NAME_BYTES) {
        return tolk_scan_fault(scan, "expected a name below %d bytes, found \"%s\"",
                               TOLK_PART_NAME_BYTES, text);
    }
    return 0;
}
