#include "tokenizer/vocabulary.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "tokenizer/vocabulary_scan.h"

/* A piece as it was added. */
struct entry {
    size_t text; /* where in `texts` */
    int64_t id;
};

struct tolk_vocabulary {
    char *texts; /* the pieces, each ended by a zero, in the order in which they were added */
    size_t texts_size, texts_capacity;
    struct entry *entries; /* [count], in that order */
    size_t count, capacity;
    const char **pieces; /* [count] by id */
    int32_t *slots;      /* [mask + 1] by the hash of a piece: its id, or NO_ID; open addressing */
    size_t mask;
};

enum { NO_ID = -1, FIRST_CAPACITY = 4096 };

void tolk_vocabulary_free(struct tolk_vocabulary *vocabulary)
{
    if (vocabulary != NULL) {
        free(vocabulary->texts);
        free(vocabulary->entries);
        free(vocabulary->pieces);
        free(vocabulary->slots);
        free(vocabulary);
    }
}

/* ---- making --------------------------------------------------------------------------------- */

/* Makes room for `wanted` items of `size` bytes; -1 when memory is out. */
static int reserve(void **items, size_t *capacity, size_t wanted, size_t size)
{
    size_t larger = *capacity > 0 ? *capacity : FIRST_CAPACITY;
    while (larger < wanted) {
        larger *= 2;
    }
    if (larger == *capacity) {
        return 0;
    }
    void *const grown = realloc(*items, larger * size);
    if (grown == NULL) {
        return -1;
    }
    *items = grown;
    *capacity = larger;
    return 0;
}

static int add(void *context, const char *piece, size_t size, int64_t id)
{
    struct tolk_vocabulary *const vocabulary = context;
    void *texts = vocabulary->texts;
    void *entries = vocabulary->entries;
    const int status =
        reserve(&texts, &vocabulary->texts_capacity, vocabulary->texts_size + size + 1, 1) != 0 ||
                reserve(&entries, &vocabulary->capacity, vocabulary->count + 1,
                        sizeof *vocabulary->entries) != 0
            ? -1
            : 0;
    vocabulary->texts = texts;
    vocabulary->entries = entries;
    if (status == 0) {
        char *const text = vocabulary->texts + vocabulary->texts_size;
        memcpy(text, piece, size);
        text[size] = '\0';
        vocabulary->entries[vocabulary->count++] = (struct entry){vocabulary->texts_size, id};
        vocabulary->texts_size += size + 1;
    }
    return status;
}

/* FNV-1a (Fowler, Noll and Vo). */
static size_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325U;
    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * 0x100000001b3U;
    }
    return (size_t)(value ^ value >> 32);
}

/* The slot that holds the piece, or the empty one where it belongs. */
static int32_t *slot_of(const struct tolk_vocabulary *vocabulary, const char *piece)
{
    size_t i = hash(piece) & vocabulary->mask;
    while (vocabulary->slots[i] != NO_ID &&
           strcmp(vocabulary->pieces[vocabulary->slots[i]], piece) != 0) {
        i = (i + 1) & vocabulary->mask;
    }
    return &vocabulary->slots[i];
}

/* Enters each piece: the ids 0 to count - 1 exactly once, and no piece twice. */
static int enter_all(struct tolk_vocabulary *vocabulary, const char *name, struct tolk_error *error)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        const char *const piece = vocabulary->texts + vocabulary->entries[i].text;
        const int64_t id = vocabulary->entries[i].id;
        if (id < 0 || (uint64_t)id >= vocabulary->count) {
            return tolk_error_set(error, "%s: piece \"%s\" has the id %lld, expected 0 to %zu",
                                  name, piece, (long long)id, vocabulary->count - 1);
        }
        int32_t *const slot = slot_of(vocabulary, piece);
        if (*slot != NO_ID) {
            return tolk_error_set(error, "%s: the piece \"%s\" is there twice", name, piece);
        }
        if (vocabulary->pieces[id] != NULL) {
            return tolk_error_set(error, "%s: pieces \"%s\" and \"%s\" both have the id %lld", name,
                                  vocabulary->pieces[id], piece, (long long)id);
        }
        vocabulary->pieces[id] = piece;
        *slot = (int32_t)id;
    }
    return 0;
}

static int check_special(const struct tolk_vocabulary *vocabulary, const char *name,
                         struct tolk_error *error)
{
    static const char *const needed[] = {TOLK_EOS_PIECE, TOLK_UNK_PIECE, TOLK_PAD_PIECE};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (tolk_vocabulary_id(vocabulary, needed[i]) < 0) {
            return tolk_error_set(error, "%s: the piece \"%s\" is missing", name, needed[i]);
        }
    }
    return 0;
}

/* Once all pieces are added: the ways from an id to its piece and back. */
static int finish(struct tolk_vocabulary *vocabulary, const char *name, struct tolk_error *error)
{
    size_t slots = 2; /* a power of two, half of them empty at least */
    while (slots < 2 * (vocabulary->count + 1)) {
        slots *= 2;
    }
    vocabulary->mask = slots - 1;
    vocabulary->pieces = calloc(vocabulary->count + 1, sizeof *vocabulary->pieces);
    vocabulary->slots = malloc(slots * sizeof *vocabulary->slots);
    if (vocabulary->count > INT32_MAX || vocabulary->pieces == NULL || vocabulary->slots == NULL) {
        return tolk_error_set(error, "%s: out of memory for %zu pieces", name, vocabulary->count);
    }
    for (size_t i = 0; i < slots; i++) {
        vocabulary->slots[i] = NO_ID;
    }
    return enter_all(vocabulary, name, error) != 0 ? -1 : check_special(vocabulary, name, error);
}

struct tolk_vocabulary *tolk_vocabulary_of(const struct tolk_tokenizer *tokenizer,
                                           struct tolk_error *error)
{
    static const char name[] = "the vocabulary of the tokenizer";
    const size_t pieces = tolk_tokenizer_size(tokenizer);
    struct tolk_vocabulary *const vocabulary = calloc(1, sizeof *vocabulary);
    bool added = vocabulary != NULL;
    for (size_t id = 0; added && id <= pieces; id++) {
        const char *const piece =
            id < pieces ? tolk_tokenizer_piece(tokenizer, (int32_t)id) : TOLK_PAD_PIECE;
        added = add(vocabulary, piece, strlen(piece), (int64_t)id) == 0;
    }
    if (!added) {
        tolk_error_set(error, "%s: out of memory", name);
    }
    if (!added || finish(vocabulary, name, error) != 0) {
        tolk_vocabulary_free(vocabulary);
        return NULL;
    }
    return vocabulary;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* Any JSON, with what is wrong with it. */
static int load_json(struct tolk_vocabulary *vocabulary, const struct tolk_file *file,
                     const char *path, struct tolk_error *error)
{
    json_error_t fault = {.text = "the file is empty"};
    json_t *const ids = file->size == 0 ? NULL
                                        : json_loadb((const char *)file->bytes, file->size,
                                                     JSON_REJECT_DUPLICATES, &fault);
    if (ids == NULL) {
        return tolk_error_set(error, "%s:%d: %s", path, fault.line, fault.text);
    }
    int status = json_is_object(ids)
                     ? 0
                     : tolk_error_set(error, "%s: expected one object, piece to id", path);
    const char *piece;
    json_t *value;
    json_object_foreach(ids, piece, value)
    {
        if (status == 0 && !json_is_integer(value)) {
            status =
                tolk_error_set(error, "%s: the id of piece \"%s\" is no whole number", path, piece);
        }
        if (status == 0 && add(vocabulary, piece, strlen(piece), json_integer_value(value)) != 0) {
            status = tolk_error_set(error, "%s: out of memory", path);
        }
    }
    json_decref(ids);
    return status;
}

struct tolk_vocabulary *tolk_vocabulary_load(const char *path, struct tolk_error *error)
{
    struct tolk_file file;
    if (tolk_file_map(&file, path, error) != 0) {
        return NULL;
    }
    struct tolk_vocabulary *const vocabulary = calloc(1, sizeof *vocabulary);
    if (vocabulary == NULL) {
        tolk_file_unmap(&file);
        tolk_error_set(error, "%s: out of memory", path);
        return NULL;
    }
    int status = 0;
    if (!tolk_vocabulary_scan((const char *)file.bytes, file.size, add, vocabulary)) {
        vocabulary->count = 0;
        vocabulary->texts_size = 0;
        status = load_json(vocabulary, &file, path, error);
    }
    tolk_file_unmap(&file);
    if (status != 0 || finish(vocabulary, path, error) != 0) {
        tolk_vocabulary_free(vocabulary);
        return NULL;
    }
    return vocabulary;
}

int tolk_vocabulary_save(const struct tolk_vocabulary *vocabulary, const char *path,
                         struct tolk_error *error)
{
    /* Jansson keeps the order of insertion, which for a vocabulary of ours is that of the ids. */
    json_t *const ids = json_object();
    bool listed = ids != NULL;
    for (size_t i = 0; listed && i < vocabulary->count; i++) {
        const struct entry *const entry = &vocabulary->entries[i];
        listed = json_object_set_new(ids, vocabulary->texts + entry->text,
                                     json_integer((json_int_t)entry->id)) == 0;
    }
    char *const text = listed ? json_dumps(ids, JSON_INDENT(2)) : NULL;
    json_decref(ids);
    if (text == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    const int status = tolk_file_write_atomic(path, text, strlen(text), error);
    free(text);
    return status;
}

/* ---- looking up ----------------------------------------------------------------------------- */

size_t tolk_vocabulary_size(const struct tolk_vocabulary *vocabulary)
{
    return vocabulary->count;
}

const char *tolk_vocabulary_piece(const struct tolk_vocabulary *vocabulary, int32_t id)
{
    return id < 0 || (size_t)id >= vocabulary->count ? NULL : vocabulary->pieces[id];
}

int32_t tolk_vocabulary_id(const struct tolk_vocabulary *vocabulary, const char *piece)
{
    return *slot_of(vocabulary, piece);
}
