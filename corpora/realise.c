/* Turns a derivation into two sentences and the links between their words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "corpora/rules.h"

/* A word carries a mark of a node; equal tags on the two sides are a link. */
struct tag {
    uint32_t word;
    uint32_t node;
    uint32_t mark;
    bool possible;
};

struct sentence {
    char *text;
    size_t size;
    size_t capacity;
    struct tag *tags;
    size_t tag_count;
    size_t tag_capacity;
    size_t words;
    bool glue; /* the next word clings to the one before */
};

struct realiser {
    const struct tolk_grammar *grammar;
    const struct tolk_tree *tree;
    struct tolk_error *error;
    struct sentence sentences[TOLK_SIDES];
};

static int no_memory(struct realiser *r)
{
    return tolk_error_set(r->error, "%s: out of memory", r->grammar->path);
}

/* Makes room for `more` bytes and a closing NUL. */
static int reserve(struct sentence *s, size_t more)
{
    if (s->capacity - s->size > more) {
        return 0;
    }
    const size_t capacity = 2 * (s->capacity + more + 1);
    char *text = realloc(s->text, capacity);
    if (text == NULL) {
        return -1;
    }
    s->text = text;
    s->capacity = capacity;
    return 0;
}

static bool ends_sentence(const struct sentence *s)
{
    return s->size == 0 || strchr(".?!", s->text[s->size - 1]) != NULL;
}

/* Appends bytes, the first letter as a capital if asked. */
static int append(struct sentence *s, const char *text, size_t size, bool capital)
{
    utf8proc_uint8_t letter[4];
    size_t letter_size = 0;
    size_t skipped = 0;
    uint32_t point = 0;
    if (capital && size > 0) {
        skipped = tolk_utf8_decode(text, size, &point);
        letter_size =
            (size_t)utf8proc_encode_char(utf8proc_toupper((utf8proc_int32_t)point), letter);
    }
    if (reserve(s, letter_size + size) != 0) {
        return -1;
    }
    memcpy(s->text + s->size, letter, letter_size);
    memcpy(s->text + s->size + letter_size, text + skipped, size - skipped);
    s->size += letter_size + size - skipped;
    s->text[s->size] = '\0';
    return 0;
}

static bool clings_by_itself(const char *word)
{
    return strchr(".,?!;:", word[0]) != NULL;
}

/* A word begins with `+` or is punctuation: it clings to the word before. It ends with `+`: the
 * next one clings to it. */
static int add_word(struct sentence *s, const char *word)
{
    size_t size = strlen(word);
    const bool leading = size > 1 && word[0] == '+';
    const bool trailing = size > 1 && word[size - 1] == '+';
    const bool cling = s->size > 0 && (s->glue || leading || clings_by_itself(word));
    const bool capital = !cling && ends_sentence(s);
    word += leading;
    size -= (size_t)leading + (size_t)trailing;
    s->glue = trailing;
    if (!cling) {
        if (s->size > 0 && append(s, " ", 1, false) != 0) {
            return -1;
        }
        s->words++;
    }
    return append(s, word, size, capital);
}

static int add_tag(struct sentence *s, struct tag tag)
{
    if (s->tag_count == s->tag_capacity) {
        const size_t capacity = 2 * s->tag_capacity + 16;
        struct tag *tags = realloc(s->tags, capacity * sizeof *tags);
        if (tags == NULL) {
            return -1;
        }
        s->tags = tags;
        s->tag_capacity = capacity;
    }
    s->tags[s->tag_count++] = tag;
    return 0;
}

/* Tags the sentence's last `count` words with the marks of an item. */
static int add_marks(struct realiser *r, uint32_t node, int side, const struct tolk_item *item,
                     size_t count)
{
    struct sentence *s = &r->sentences[side];
    for (size_t m = 0; m < item->mark_count; m++) {
        const struct tolk_mark *mark = &item->marks[m];
        uint32_t owner = node;
        if (mark->child >= 0) {
            owner = tolk_tree_head(r->tree, tolk_tree_child(r->tree, node, mark->child));
        }
        for (size_t w = s->words - count; owner != TOLK_NO_NODE && w < s->words; w++) {
            const struct tag tag = {(uint32_t)w, owner, mark->local, mark->possible};
            if (add_tag(s, tag) != 0) {
                return no_memory(r);
            }
        }
    }
    return 0;
}

/* The text of a step; an error when its variable still has several values. */
static const char *step_text(struct realiser *r, uint32_t node, const struct tolk_step *step,
                             size_t line)
{
    const struct tolk_node *owner = &r->tree->nodes[node];
    if (step->variable < 0) {
        return step->text;
    }
    const uint32_t cell = tolk_tree_cell(r->tree, owner->cells + (uint32_t)step->variable);
    const uint64_t mask = r->tree->cells[cell].mask;
    if ((mask & (mask - 1)) != 0) {
        tolk_error_set(r->error, "%s:%zu: $%s is not decided: no child narrows it to one value",
                       r->grammar->path, line, step->text);
        return NULL;
    }
    const size_t domain = owner->rule->variables[step->variable].domain;
    return r->grammar->domains[domain].values[__builtin_ctzll(mask)];
}

static int emit(struct realiser *r, uint32_t node, int side, const char *name);

static int emit_child(struct realiser *r, uint32_t node, const struct tolk_part *part,
                      const struct tolk_item *item)
{
    char name[TOLK_PART_NAME_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < item->step_count; i++) {
        const char *text = step_text(r, node, &item->steps[i], part->line);
        if (text == NULL) {
            return -1;
        }
        const int written =
            snprintf(name + used, sizeof name - used, "%s%s", i > 0 ? "." : "", text);
        if (written < 0 || (size_t)written >= sizeof name - used) {
            return tolk_error_set(r->error, "%s:%zu: the name of a part is too long",
                                  r->grammar->path, part->line);
        }
        used += (size_t)written;
    }
    const uint32_t child = tolk_tree_child(r->tree, node, item->child);
    const struct tolk_symbol *symbol = r->tree->nodes[child].symbol;
    if (!tolk_symbol_has_part(symbol, part->side, name)) {
        return tolk_error_set(r->error, "%s:%zu: no rule of %s has the part %s.%s",
                              r->grammar->path, part->line, symbol->name,
                              r->grammar->languages[part->side], name);
    }
    return emit(r, child, part->side, name);
}

/* A part that other rules of the symbol have and this one does not is empty. */
static int emit(struct realiser *r, uint32_t node, int side, const char *name)
{
    const struct tolk_part *part = tolk_rule_part(r->tree->nodes[node].rule, side, name);
    struct sentence *s = &r->sentences[side];
    for (size_t i = 0; part != NULL && i < part->item_count; i++) {
        const struct tolk_item *item = &part->items[i];
        const size_t before = s->words;
        if (item->child >= 0 && emit_child(r, node, part, item) != 0) {
            return -1;
        }
        if (item->child < 0 && add_word(s, item->word) != 0) {
            return no_memory(r);
        }
        /* A word that clings carries its marks to the word it clings to; punctuation has none. */
        const size_t one = item->child < 0 && !clings_by_itself(item->word);
        const size_t count = item->child < 0 ? one : s->words - before;
        if (add_marks(r, node, side, item, count) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Adds the link, or makes the one that is there sure. */
static int link_words(struct tolk_links *links, const struct tag *source, const struct tag *target)
{
    const bool possible = source->possible || target->possible;
    for (size_t i = 0; i < links->count; i++) {
        struct tolk_link *link = &links->items[i];
        if (link->source == source->word && link->target == target->word) {
            link->possible = link->possible && possible;
            return 0;
        }
    }
    return tolk_links_add(links, source->word, target->word, possible);
}

static int link_sentences(struct realiser *r, struct tolk_links *links)
{
    const struct sentence *source = &r->sentences[TOLK_SOURCE];
    const struct sentence *target = &r->sentences[TOLK_TARGET];
    for (size_t i = 0; i < source->tag_count; i++) {
        for (size_t j = 0; j < target->tag_count; j++) {
            const struct tag *a = &source->tags[i];
            const struct tag *b = &target->tags[j];
            if (a->node == b->node && a->mark == b->mark && link_words(links, a, b) != 0) {
                return no_memory(r);
            }
        }
    }
    tolk_links_sort(links);
    return 0;
}

int tolk_tree_realise(const struct tolk_grammar *grammar, const struct tolk_tree *tree,
                      struct tolk_derived *pair, size_t *source_words, struct tolk_error *error)
{
    struct realiser r = {.grammar = grammar, .tree = tree, .error = error};
    struct sentence *source = &r.sentences[TOLK_SOURCE];
    struct sentence *target = &r.sentences[TOLK_TARGET];
    int result = -1;
    if (emit(&r, 0, TOLK_SOURCE, "") != 0 || emit(&r, 0, TOLK_TARGET, "") != 0) {
        goto out;
    }
    if (source->size == 0 || target->size == 0) {
        tolk_error_set(error, "%s:%zu: a derivation came out empty on the side %s", grammar->path,
                       tree->nodes[0].rule->line, grammar->languages[source->size == 0 ? 0 : 1]);
        goto out;
    }
    if (link_sentences(&r, &pair->links) != 0) {
        tolk_links_free(&pair->links);
        goto out;
    }
    pair->source = source->text;
    pair->target = target->text;
    *source_words = source->words;
    source->text = target->text = NULL;
    result = 0;
out:
    for (int side = 0; side < TOLK_SIDES; side++) {
        free(r.sentences[side].text);
        free(r.sentences[side].tags);
    }
    return result;
}
