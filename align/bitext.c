#include "align/bitext.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "corpora/arena.h"
#include "corpora/text_map.h"

/* What a side is read with. */
struct reader {
    struct tolk_text_side *side;
    struct tolk_text_map ids; /* of units; the keys stand in `texts` */
    struct tolk_arena texts;
    char *unit; /* the unit that is being put together */
    size_t size, capacity;
};

enum kind { SPACE, APOSTROPHE, PUNCTUATION, LETTER };

static enum kind kind_of(uint32_t point)
{
    if (tolk_utf8_is_space(point)) {
        return SPACE;
    }
    if (point == '\'' || point == 0x2019) {
        return APOSTROPHE;
    }
    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return PUNCTUATION;
    default:
        return LETTER;
    }
}

static int append(struct reader *reader, uint32_t point)
{
    enum { LONGEST_CODE_POINT = 4 };
    if (reader->capacity - reader->size < LONGEST_CODE_POINT + 1) {
        const size_t capacity = 2 * reader->capacity + 64;
        char *const unit = realloc(reader->unit, capacity);
        if (unit == NULL) {
            return -1;
        }
        reader->unit = unit;
        reader->capacity = capacity;
    }
    reader->size += (size_t)utf8proc_encode_char(utf8proc_tolower((utf8proc_int32_t)point),
                                                 (utf8proc_uint8_t *)reader->unit + reader->size);
    reader->unit[reader->size] = '\0';
    return 0;
}

static int find_id(struct reader *reader, uint32_t *id)
{
    const struct tolk_text_map_entry *const known = tolk_text_map_find(&reader->ids, reader->unit);
    if (known != NULL) {
        *id = (uint32_t)known->value;
        return 0;
    }
    /* The reader's unit is freed by who made the reader.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    const char *const key = tolk_arena_text(&reader->texts, reader->unit, reader->size);
    if (key == NULL || tolk_text_map_add(&reader->ids, key, reader->side->vocabulary) != 0) {
        return -1;
    }
    *id = (uint32_t)reader->side->vocabulary++;
    return 0;
}

/* Ends the unit that is being put together, if any. */
static int end_unit(struct reader *reader, size_t word, bool silent)
{
    struct tolk_text_side *const side = reader->side;
    uint32_t id = 0;
    if (reader->size == 0) {
        return 0;
    }
    if (find_id(reader, &id) != 0) {
        return -1;
    }
    reader->size = 0;
    if (side->unit_count == side->unit_capacity) {
        const size_t capacity = 2 * side->unit_capacity + 1024;
        struct tolk_unit *const units = realloc(side->units, capacity * sizeof *units);
        if (units == NULL) {
            return -1;
        }
        side->units = units;
        side->unit_capacity = capacity;
    }
    side->units[side->unit_count++] = (struct tolk_unit){id, (uint32_t)word, silent};
    return 0;
}

/* A word of punctuation alone has nothing else to be linked by. */
static void let_speak(struct tolk_text_side *side, size_t from)
{
    bool all_silent = true;
    for (size_t i = from; i < side->unit_count; i++) {
        all_silent = all_silent && side->units[i].silent;
    }
    for (size_t i = from; i < side->unit_count && all_silent; i++) {
        side->units[i].silent = false;
    }
}

static int read_sentence(struct reader *reader, const char *text)
{
    struct tolk_text_side *const side = reader->side;
    const size_t size = strlen(text);
    size_t word = 0, word_begin = side->unit_count;
    enum kind before = SPACE;
    for (size_t at = 0, step = 0; at < size; at += step) {
        uint32_t point = 0;
        step = tolk_utf8_decode(text + at, size - at, &point);
        const enum kind kind = kind_of(point);
        const bool goes_on = kind == LETTER && (before == LETTER || before == APOSTROPHE);
        if (!goes_on && end_unit(reader, word, before != LETTER) != 0) {
            return -1;
        }
        if (kind == SPACE && before != SPACE) {
            let_speak(side, word_begin);
            word_begin = side->unit_count;
            word++;
        }
        if (kind != SPACE && append(reader, point) != 0) {
            return -1;
        }
        before = kind;
    }
    if (end_unit(reader, word, before != LETTER) != 0) {
        return -1;
    }
    let_speak(side, word_begin);
    return 0;
}

static int read_side(struct tolk_text_side *side, const struct tolk_pairs *pairs,
                     enum tolk_side which)
{
    struct reader reader = {.side = side};
    int status = -1;
    side->begin = calloc(pairs->count + 1, sizeof *side->begin);
    if (side->begin == NULL) {
        goto out;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        const struct tolk_pair *const pair = &pairs->items[i];
        if (read_sentence(&reader, which == TOLK_SOURCE_SIDE ? pair->source : pair->target) != 0) {
            goto out;
        }
        side->begin[i + 1] = side->unit_count;
    }
    status = 0;
out:
    free(reader.unit);
    tolk_text_map_free(&reader.ids);
    tolk_arena_free(&reader.texts);
    return status;
}

int tolk_bitext_make(struct tolk_bitext *bitext, const struct tolk_pairs *pairs,
                     struct tolk_error *error)
{
    *bitext = (struct tolk_bitext){.pairs = pairs->count};
    for (enum tolk_side which = TOLK_SOURCE_SIDE; which < TOLK_SIDES; which++) {
        if (read_side(&bitext->sides[which], pairs, which) != 0) {
            tolk_bitext_free(bitext);
            return tolk_error_set(error, "out of memory for the words of %zu pairs", pairs->count);
        }
    }
    return 0;
}

void tolk_bitext_free(struct tolk_bitext *bitext)
{
    for (enum tolk_side which = TOLK_SOURCE_SIDE; which < TOLK_SIDES; which++) {
        free(bitext->sides[which].units);
        free(bitext->sides[which].begin);
    }
    *bitext = (struct tolk_bitext){0};
}
