/* The safetensors format: named tensors in one file, little-endian, row-major. */
#ifndef TOLK_MODEL_SAFETENSORS_H
#define TOLK_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

enum { TOLK_SAFETENSORS_MAX_RANK = 8 };

struct tolk_safetensor {
    char *name;
    char dtype[8]; /* "F32", "F64", "I64", "BF16", … */
    size_t rank;
    size_t shape[TOLK_SAFETENSORS_MAX_RANK];
    size_t begin; /* bytes, from the start of the data */
    size_t end;
};

struct tolk_safetensors {
    struct tolk_file file;
    unsigned char *data;           /* its data section; may be written, the file stays as it is */
    struct tolk_safetensor *items; /* in the order of their data */
    size_t count;
};

/* Maps and checks the file: every rule of the format has its own message, which names the file and
 * the tensor. What is allocated is bounded by the length of the file. */
int tolk_safetensors_open(struct tolk_safetensors *file, const char *path,
                          struct tolk_error *error);
/* NULL when there is no tensor of that name. */
const struct tolk_safetensor *tolk_safetensors_find(const struct tolk_safetensors *file,
                                                    const char *name);
void tolk_safetensors_close(struct tolk_safetensors *file);

/* One tensor to write; `bytes` as they go to the file. */
struct tolk_safetensor_source {
    const char *name;
    const char *dtype;
    size_t rank;
    const size_t *shape;
    const void *bytes;
    size_t size; /* bytes */
};

/* Writes all of them atomically, in the order given, with `"format": "pt"` in the metadata; the
 * data begins at a multiple of 64 bytes. */
int tolk_safetensors_write(const char *path, const struct tolk_safetensor_source *tensors,
                           size_t count, struct tolk_error *error);

#endif
