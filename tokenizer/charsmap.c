/* The normalisation table inside a model file: a length, a double-array trie (Aoe 1989, as
 * Darts-clone packs it) from byte sequences to positions, and the replacements at those positions,
 * each ended by a zero. The library walks it without looking at its bounds; this checks every
 * step that a walk can take. */
#include "tokenizer/model_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_BYTES = 4,
    UNIT_BYTES = 4,
    FANOUT = 256,    /* one unit of the trie for each next byte */
    MATCHES_MAX = 32 /* the library keeps 32 matches of one walk, without a check */
};

static const uint32_t NONE = UINT32_MAX;

enum mark { NEW, OPEN, CLOSED };

struct trie {
    const unsigned char *bytes;
    size_t units;
    size_t replacements;    /* bytes of them */
    unsigned char *mark;    /* [units] whether the walk below a unit is checked */
    unsigned char *matches; /* [units] the most matches that a walk from this unit on can meet */
    uint32_t *child;        /* [units] the first child of the base that is this unit, or NONE */
    uint32_t *sibling;      /* [units] the next child of this child's base, or NONE */
};

static uint32_t unit_at(const struct trie *trie, size_t index)
{
    const unsigned char *const b = trie->bytes + UNIT_BYTES * index;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The packing of a unit: bits 0 to 7 the byte that leads here; bit 8, whether a key ends here; bit
 * 31 marks the unit that holds a key's value in bits 0 to 30; the rest, the offset to the next. */
static bool unit_ends_key(uint32_t unit)
{
    return (unit >> 8 & 1) == 1;
}

static size_t unit_offset(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & (1U << 9)) >> 6);
}

static bool unit_is_value(uint32_t unit)
{
    return unit >> 31 == 1;
}

static uint32_t unit_label(uint32_t unit)
{
    return unit & 0xffU;
}

static uint32_t unit_value(uint32_t unit)
{
    return unit & ~(1U << 31);
}

/* Child c of a base stands at base ^ c and is labelled c: so each unit tells the one base that it
 * can be a child of, and no unit has to look for its children at all 256 places. */
static void list_children(struct trie *trie)
{
    for (size_t i = 0; i < trie->units; i++) {
        trie->child[i] = NONE;
    }
    for (size_t i = trie->units; i-- > 0;) {
        const uint32_t unit = unit_at(trie, i);
        const size_t base = i ^ unit_label(unit);
        if (!unit_is_value(unit) && base < trie->units) {
            trie->sibling[i] = trie->child[base];
            trie->child[base] = (uint32_t)i;
        }
    }
}

/* One unit on the path from the root, and the child to look at next. */
struct step {
    size_t unit;
    uint32_t next;
};

/* Enters a unit: its children and, where a key ends, its value must lie inside. */
static int enter(struct trie *trie, size_t unit, struct step *step)
{
    const uint32_t packed = unit_at(trie, unit);
    const size_t base = unit ^ unit_offset(packed);
    if ((base | (FANOUT - 1)) >= trie->units) {
        return -1;
    }
    trie->mark[unit] = OPEN;
    trie->matches[unit] = 0;
    if (unit_ends_key(packed)) {
        if (unit_value(unit_at(trie, base)) >= trie->replacements) {
            return -1;
        }
        trie->matches[unit] = 1;
    }
    *step = (struct step){unit, trie->child[base]};
    return 0;
}

/* Adds what is below a child to its parent. */
static int count_matches(struct trie *trie, size_t parent, size_t child)
{
    const uint32_t packed = unit_at(trie, parent);
    const unsigned here = unit_ends_key(packed) ? 1 : 0;
    const unsigned below = trie->matches[child] + here;
    if (below > MATCHES_MAX) {
        return -1;
    }
    if (below > trie->matches[parent]) {
        trie->matches[parent] = (unsigned char)below;
    }
    return 0;
}

/* Depth first over the units that can be reached; a unit met while it is still open is a circle. */
static int walk(struct trie *trie, struct step *path)
{
    size_t depth = 0;
    if (enter(trie, 0, &path[depth]) != 0) {
        return -1;
    }
    for (;;) {
        const uint32_t child = path[depth].next;
        if (child == NONE) {
            trie->mark[path[depth].unit] = CLOSED;
            if (depth == 0) {
                return 0;
            }
            depth--;
            if (count_matches(trie, path[depth].unit, path[depth + 1].unit) != 0) {
                return -1;
            }
            continue;
        }
        path[depth].next = trie->sibling[child];
        if (trie->mark[child] == CLOSED) {
            if (count_matches(trie, path[depth].unit, child) != 0) {
                return -1;
            }
        } else if (trie->mark[child] == OPEN || enter(trie, child, &path[++depth]) != 0) {
            return -1;
        }
    }
}

int tolk_charsmap_check(const unsigned char *bytes, size_t size, const char *name,
                        struct tolk_error *error)
{
    size_t trie_bytes = 0;
    if (size > LENGTH_BYTES) {
        const struct trie length = {.bytes = bytes, .units = 1};
        trie_bytes = unit_at(&length, 0);
    }
    if (trie_bytes == 0 || trie_bytes % UNIT_BYTES != 0 || size <= LENGTH_BYTES ||
        trie_bytes >= size - LENGTH_BYTES || bytes[size - 1] != '\0') {
        return tolk_error_set(error, "%s: damaged normalisation table (%zu bytes, trie of %zu)",
                              name, size, trie_bytes);
    }
    struct trie trie = {.bytes = bytes + LENGTH_BYTES,
                        .units = trie_bytes / UNIT_BYTES,
                        .replacements = size - LENGTH_BYTES - trie_bytes};
    int status = -1;
    trie.mark = calloc(trie.units, 1);
    trie.matches = calloc(trie.units, 1);
    trie.child = malloc(trie.units * sizeof *trie.child);
    trie.sibling = malloc(trie.units * sizeof *trie.sibling);
    struct step *const path = calloc(trie.units, sizeof *path);
    if (trie.mark == NULL || trie.matches == NULL || trie.child == NULL || trie.sibling == NULL ||
        path == NULL) {
        tolk_error_set(error, "%s: out of memory for a normalisation table of %zu bytes", name,
                       size);
        goto out;
    }
    list_children(&trie);
    status = walk(&trie, path);
    if (status != 0) {
        tolk_error_set(error, "%s: damaged normalisation table: it leads outside itself", name);
    }
out:
    free(trie.mark);
    free(trie.matches);
    free(trie.child);
    free(trie.sibling);
    free(path);
    return status;
}
