#include "tokenizer/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"

struct tolk_vocabulary {
    json_t *ids;         /* the object of vocab.json, as an index */
    const char **pieces; /* [count] by id; the texts are the keys of `ids` */
    size_t count;
};

/* An empty vocabulary with room for `count` pieces. */
static struct tolk_vocabulary *make(json_t *ids, size_t count)
{
    struct tolk_vocabulary *const vocabulary = calloc(1, sizeof *vocabulary);
    if (vocabulary == NULL) {
        json_decref(ids);
        return NULL;
    }
    vocabulary->ids = ids;
    vocabulary->count = count;
    vocabulary->pieces = calloc(count > 0 ? count : 1, sizeof *vocabulary->pieces);
    if (ids == NULL || vocabulary->pieces == NULL) {
        tolk_vocabulary_free(vocabulary);
        return NULL;
    }
    return vocabulary;
}

void tolk_vocabulary_free(struct tolk_vocabulary *vocabulary)
{
    if (vocabulary != NULL) {
        json_decref(vocabulary->ids);
        free(vocabulary->pieces);
        free(vocabulary);
    }
}

/* Fills `pieces` from `ids`: each id from 0 to count - 1 exactly once. */
static int invert(struct tolk_vocabulary *vocabulary, const char *name, struct tolk_error *error)
{
    const char *piece;
    json_t *value;
    json_object_foreach(vocabulary->ids, piece, value)
    {
        if (!json_is_integer(value)) {
            return tolk_error_set(error, "%s: the id of piece \"%s\" is no whole number", name,
                                  piece);
        }
        const json_int_t id = json_integer_value(value);
        if (id < 0 || (size_t)id >= vocabulary->count) {
            return tolk_error_set(error, "%s: piece \"%s\" has the id %lld, expected 0 to %zu",
                                  name, piece, (long long)id, vocabulary->count - 1);
        }
        if (vocabulary->pieces[id] != NULL) {
            return tolk_error_set(error, "%s: pieces \"%s\" and \"%s\" both have the id %lld", name,
                                  vocabulary->pieces[id], piece, (long long)id);
        }
        vocabulary->pieces[id] = piece;
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

struct tolk_vocabulary *tolk_vocabulary_of(const struct tolk_tokenizer *tokenizer,
                                           struct tolk_error *error)
{
    static const char name[] = "the vocabulary of the tokenizer";
    const size_t pieces = tolk_tokenizer_size(tokenizer);
    struct tolk_vocabulary *const vocabulary = make(json_object(), pieces + 1);
    if (vocabulary == NULL) {
        tolk_error_set(error, "%s: out of memory", name);
        return NULL;
    }
    for (size_t id = 0; id <= pieces; id++) {
        const char *const piece =
            id < pieces ? tolk_tokenizer_piece(tokenizer, (int32_t)id) : TOLK_PAD_PIECE;
        if (json_object_get(vocabulary->ids, piece) != NULL) {
            tolk_error_set(error, "%s: the piece \"%s\" is there twice", name, piece);
            goto fail;
        }
        if (json_object_set_new(vocabulary->ids, piece, json_integer((json_int_t)id)) != 0) {
            tolk_error_set(error, "%s: out of memory at piece %zu", name, id);
            goto fail;
        }
    }
    if (invert(vocabulary, name, error) == 0 && check_special(vocabulary, name, error) == 0) {
        return vocabulary;
    }
fail:
    tolk_vocabulary_free(vocabulary);
    return NULL;
}

struct tolk_vocabulary *tolk_vocabulary_load(const char *path, struct tolk_error *error)
{
    struct tolk_file file;
    if (tolk_file_map(&file, path, error) != 0) {
        return NULL;
    }
    json_error_t fault = {.text = "the file is empty"};
    json_t *const ids = file.size == 0 ? NULL
                                       : json_loadb((const char *)file.bytes, file.size,
                                                    JSON_REJECT_DUPLICATES, &fault);
    tolk_file_unmap(&file);
    if (ids == NULL) {
        tolk_error_set(error, "%s:%d: %s", path, fault.line, fault.text);
        return NULL;
    }
    if (!json_is_object(ids)) {
        tolk_error_set(error, "%s: expected one object, piece to id", path);
        json_decref(ids);
        return NULL;
    }
    struct tolk_vocabulary *const vocabulary = make(ids, json_object_size(ids));
    if (vocabulary == NULL) {
        tolk_error_set(error, "%s: out of memory", path);
        return NULL;
    }
    if (invert(vocabulary, path, error) != 0 || check_special(vocabulary, path, error) != 0) {
        tolk_vocabulary_free(vocabulary);
        return NULL;
    }
    return vocabulary;
}

int tolk_vocabulary_save(const struct tolk_vocabulary *vocabulary, const char *path,
                         struct tolk_error *error)
{
    /* Jansson keeps the order of insertion, which for a vocabulary of ours is that of the ids. */
    char *const text = json_dumps(vocabulary->ids, JSON_INDENT(2));
    if (text == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    const int status = tolk_file_write_atomic(path, text, strlen(text), error);
    free(text);
    return status;
}

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
    const json_t *const id = json_object_get(vocabulary->ids, piece);
    return id == NULL ? -1 : (int32_t)json_integer_value(id);
}
