#include "corpora/grammar.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/rules.h"

enum { LONGEST_SENTENCE = 200 };

uint64_t tolk_domain_all(const struct tolk_domain *domain)
{
    return domain->count == TOLK_DOMAIN_VALUES ? UINT64_MAX : (UINT64_C(1) << domain->count) - 1;
}

const struct tolk_term *tolk_term_find(const struct tolk_term *terms, size_t count, size_t feature)
{
    for (size_t i = 0; i < count; i++) {
        if (terms[i].feature == feature) {
            return &terms[i];
        }
    }
    return NULL;
}

const struct tolk_part *tolk_rule_part(const struct tolk_rule *rule, int side, const char *name)
{
    for (size_t i = 0; i < rule->part_count; i++) {
        if (rule->parts[i].side == side && strcmp(rule->parts[i].name, name) == 0) {
            return &rule->parts[i];
        }
    }
    return NULL;
}

bool tolk_symbol_has_part(const struct tolk_symbol *symbol, int side, const char *name)
{
    for (size_t i = 0; i < symbol->rule_count; i++) {
        if (tolk_rule_part(&symbol->rules[i], side, name) != NULL) {
            return true;
        }
    }
    return false;
}

int tolk_grammar_load(struct tolk_grammar **grammar, const char *path, struct tolk_error *error)
{
    struct tolk_grammar *fresh = calloc(1, sizeof *fresh);
    *grammar = NULL;
    if (fresh == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    fresh->shortest = 1;
    fresh->longest = LONGEST_SENTENCE;
    fresh->path = tolk_arena_text(&fresh->arena, path, strlen(path));
    if (fresh->path == NULL) {
        tolk_error_set(error, "%s: out of memory", path);
        goto out;
    }
    if (tolk_grammar_read(fresh, error) != 0 || tolk_grammar_check(fresh, error) != 0) {
        goto out;
    }
    *grammar = fresh;
    return 0;
out:
    tolk_grammar_free(fresh);
    return -1;
}

void tolk_grammar_free(struct tolk_grammar *grammar)
{
    if (grammar != NULL) {
        tolk_arena_free(&grammar->arena);
        free(grammar);
    }
}

void tolk_derived_free(struct tolk_derived *pair)
{
    free(pair->source);
    free(pair->target);
    tolk_links_free(&pair->links);
    *pair = (struct tolk_derived){0};
}
