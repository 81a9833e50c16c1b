#include "model/safetensors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the data of safetensors is little-endian, and read without conversion");

enum {
    LENGTH_BYTES = 8, /* the length of the header, before it */
    MAX_HEADER_BYTES = 100000000,
    DATA_ALIGNMENT = 64,
};

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {{"F32", 4},  {"F16", 2}, {"BF16", 2},    {"F64", 8},     {"I64", 8},    {"I32", 4},
              {"I16", 2},  {"I8", 1},  {"U64", 8},     {"U32", 4},     {"U16", 2},    {"U8", 1},
              {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}};

/* Bytes of one number; 0 for a type that this reader does not know. */
static size_t dtype_bytes(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            return dtypes[i].bytes;
        }
    }
    return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int read_dtype(struct tolk_safetensor *item, const json_t *entry, const char *path,
                      struct tolk_error *error)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    if (name == NULL) {
        return tolk_error_set(error, "%s: %s: expected a string as dtype", path, item->name);
    }
    if (dtype_bytes(name) == 0) {
        return tolk_error_set(error, "%s: %s: the dtype %.32s is not known", path, item->name,
                              name);
    }
    snprintf(item->dtype, sizeof item->dtype, "%s", name);
    return 0;
}

static int read_shape(struct tolk_safetensor *item, const json_t *entry, const char *path,
                      struct tolk_error *error)
{
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *length;
    size_t i;
    if (!json_is_array(shape)) {
        return tolk_error_set(error, "%s: %s: expected a list as shape", path, item->name);
    }
    if (json_array_size(shape) > TOLK_SAFETENSORS_MAX_RANK) {
        return tolk_error_set(error, "%s: %s: expected a shape of at most %d lengths, found %zu",
                              path, item->name, TOLK_SAFETENSORS_MAX_RANK, json_array_size(shape));
    }
    json_array_foreach(shape, i, length)
    {
        if (!json_is_integer(length) || json_integer_value(length) < 0) {
            return tolk_error_set(error, "%s: %s: expected lengths from 0 in shape", path,
                                  item->name);
        }
        item->shape[i] = (size_t)json_integer_value(length);
    }
    item->rank = json_array_size(shape);
    return 0;
}

static int read_offsets(struct tolk_safetensor *item, const json_t *entry, const char *path,
                        struct tolk_error *error)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0);
    const json_t *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < 0) {
        return tolk_error_set(error, "%s: %s: expected [begin, end] as data_offsets", path,
                              item->name);
    }
    item->begin = (size_t)json_integer_value(begin);
    item->end = (size_t)json_integer_value(end);
    if (item->end < item->begin) {
        return tolk_error_set(error, "%s: %s: the data ends at %zu, before it begins at %zu", path,
                              item->name, item->end, item->begin);
    }
    return 0;
}

static int check_size(const struct tolk_safetensor *item, const char *path,
                      struct tolk_error *error)
{
    size_t bytes = dtype_bytes(item->dtype);
    for (size_t i = 0; i < item->rank; i++) {
        if (__builtin_mul_overflow(bytes, item->shape[i], &bytes)) {
            return tolk_error_set(error, "%s: %s: the product of the shape overflows", path,
                                  item->name);
        }
    }
    if (bytes != item->end - item->begin) {
        return tolk_error_set(error, "%s: %s: expected %zu bytes of data by the shape, found %zu",
                              path, item->name, bytes, item->end - item->begin);
    }
    return 0;
}

static int read_item(struct tolk_safetensor *item, const char *name, const json_t *entry,
                     const char *path, struct tolk_error *error)
{
    item->name = strdup(name);
    if (item->name == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    if (!json_is_object(entry)) {
        return tolk_error_set(error, "%s: %s: expected an object", path, name);
    }
    if (read_dtype(item, entry, path, error) != 0 || read_shape(item, entry, path, error) != 0 ||
        read_offsets(item, entry, path, error) != 0) {
        return -1;
    }
    return check_size(item, path, error);
}

static int check_metadata(json_t *metadata, const char *path, struct tolk_error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) {
        return tolk_error_set(error, "%s: __metadata__: expected an object", path);
    }
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return tolk_error_set(error, "%s: __metadata__: expected a string for %s", path, key);
        }
    }
    return 0;
}

static int read_items(struct tolk_safetensors *file, json_t *header, const char *path,
                      struct tolk_error *error)
{
    const char *name;
    json_t *entry;
    file->items = calloc(json_object_size(header) + 1, sizeof *file->items);
    if (file->items == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) {
            if (check_metadata(entry, path, error) != 0) {
                return -1;
            }
        } else if (read_item(&file->items[file->count++], name, entry, path, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int by_place(const void *left, const void *right)
{
    const struct tolk_safetensor *a = left;
    const struct tolk_safetensor *b = right;
    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }
    if (a->end != b->end) {
        return a->end < b->end ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/* The tensors cover the data without gap or overlap, from its first byte to the file's last. */
static int check_cover(struct tolk_safetensors *file, size_t data_bytes, const char *path,
                       struct tolk_error *error)
{
    size_t end = 0;
    qsort(file->items, file->count, sizeof *file->items, by_place);
    for (size_t i = 0; i < file->count; i++) {
        const struct tolk_safetensor *item = &file->items[i];
        if (item->begin > end) {
            return tolk_error_set(error, "%s: %s: %zu bytes before its data belong to no tensor",
                                  path, item->name, item->begin - end);
        }
        if (item->begin < end) {
            return tolk_error_set(error, "%s: %s: its data overlaps that of %s", path, item->name,
                                  file->items[i - 1].name);
        }
        end = item->end;
    }
    if (end > data_bytes) {
        return tolk_error_set(error,
                              "%s: the file is cut off: expected %zu bytes of data, found %zu",
                              path, end, data_bytes);
    }
    if (end < data_bytes) {
        return tolk_error_set(error,
                              "%s: expected the file to end with the last tensor, found %zu "
                              "bytes more",
                              path, data_bytes - end);
    }
    return 0;
}

/* Where the header lies: its length, checked against the file's. */
static int header_length(size_t *length, const struct tolk_file *file, const char *path,
                         struct tolk_error *error)
{
    uint64_t stored;
    if (file->size < LENGTH_BYTES) {
        return tolk_error_set(error, "%s: expected a safetensors file, found one of %zu bytes",
                              path, file->size);
    }
    memcpy(&stored, file->bytes, sizeof stored);
    if (stored > MAX_HEADER_BYTES) {
        return tolk_error_set(error,
                              "%s: expected a safetensors file: a header of %llu bytes is over "
                              "the limit of %d",
                              path, (unsigned long long)stored, MAX_HEADER_BYTES);
    }
    if (stored > file->size - LENGTH_BYTES) {
        return tolk_error_set(error,
                              "%s: the file is cut off: expected a header of %llu bytes, found %zu",
                              path, (unsigned long long)stored, file->size - LENGTH_BYTES);
    }
    if (stored == 0 || file->bytes[LENGTH_BYTES] != '{') {
        return tolk_error_set(error, "%s: expected a header that begins with {", path);
    }
    *length = (size_t)stored;
    return 0;
}

int tolk_safetensors_open(struct tolk_safetensors *file, const char *path, struct tolk_error *error)
{
    unsigned char *bytes;
    json_t *header = NULL;
    json_error_t fault;
    size_t length = 0;
    int result = -1;
    *file = (struct tolk_safetensors){0};
    if (tolk_file_map_private(&file->file, &bytes, path, error) != 0) {
        return -1;
    }
    if (header_length(&length, &file->file, path, error) != 0) {
        goto out;
    }
    header = json_loadb((const char *)bytes + LENGTH_BYTES, length, JSON_REJECT_DUPLICATES, &fault);
    if (header == NULL) {
        tolk_error_set(error, "%s: the header at byte %d: %s", path, fault.position + LENGTH_BYTES,
                       fault.text);
        goto out;
    }
    file->data = bytes + LENGTH_BYTES + length;
    if (read_items(file, header, path, error) != 0 ||
        check_cover(file, file->file.size - LENGTH_BYTES - length, path, error) != 0) {
        goto out;
    }
    result = 0;
out:
    json_decref(header);
    if (result != 0) {
        tolk_safetensors_close(file);
    }
    return result;
}

const struct tolk_safetensor *tolk_safetensors_find(const struct tolk_safetensors *file,
                                                    const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->items[i].name, name) == 0) {
            return &file->items[i];
        }
    }
    return NULL;
}

void tolk_safetensors_close(struct tolk_safetensors *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->items[i].name);
    }
    free(file->items);
    tolk_file_unmap(&file->file);
    *file = (struct tolk_safetensors){0};
}

/* ---- writing -------------------------------------------------------------------------------- */

/* NULL when there is no memory. */
static json_t *entry_of(const struct tolk_safetensor_source *tensor, size_t begin)
{
    const size_t end = begin + tensor->size;
    json_t *shape = json_array();
    int failed = 0;
    for (size_t i = 0; i < tensor->rank; i++) {
        failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    }
    if (failed) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->dtype, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

/* The length and the header, padded with spaces, in fresh memory; NULL when there is none. */
static char *header_of(const struct tolk_safetensor_source *tensors, size_t count, size_t *size)
{
    json_t *root = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    size_t begin = 0;
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        failed |= json_object_set_new(root, tensors[i].name, entry_of(&tensors[i], begin));
        begin += tensors[i].size;
    }
    const size_t used = failed ? 0 : json_dumpb(root, NULL, 0, JSON_COMPACT);
    *size = (LENGTH_BYTES + used + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    char *header = used == 0 ? NULL : malloc(*size);
    if (header != NULL) {
        const uint64_t stored = *size - LENGTH_BYTES;
        memset(header, ' ', *size);
        memcpy(header, &stored, sizeof stored);
        json_dumpb(root, header + LENGTH_BYTES, used, JSON_COMPACT);
    }
    json_decref(root);
    return header;
}

int tolk_safetensors_write(const char *path, const struct tolk_safetensor_source *tensors,
                           size_t count, struct tolk_error *error)
{
    size_t header_size;
    int result = -1;
    char *header = header_of(tensors, count, &header_size);
    struct tolk_span *spans = calloc(count + 1, sizeof *spans);
    if (header == NULL || spans == NULL) {
        tolk_error_set(error, "%s: out of memory", path);
        goto out;
    }
    spans[0] = (struct tolk_span){header, header_size};
    for (size_t i = 0; i < count; i++) {
        spans[i + 1] = (struct tolk_span){tensors[i].bytes, tensors[i].size};
    }
    result = tolk_file_write_spans_atomic(path, spans, count + 1, error);
out:
    free(spans);
    free(header);
    return result;
}
