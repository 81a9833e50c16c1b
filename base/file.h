/* Files: read whole (mapped), written whole or not at all. */
#ifndef TOLK_BASE_FILE_H
#define TOLK_BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/* A file mapped read-only. `bytes` is NULL when `size` is 0. */
struct tolk_file {
    const unsigned char *bytes;
    size_t size;
};

/* Maps a regular file. Errors: cannot open, not a regular file, cannot map; each names the path. */
int tolk_file_map(struct tolk_file *file, const char *path, struct tolk_error *error);

/* The same, and the bytes may be written through `*writable`: pages written to become the process'
 * own, the file stays as it is. */
int tolk_file_map_private(struct tolk_file *file, unsigned char **writable, const char *path,
                          struct tolk_error *error);
void tolk_file_unmap(struct tolk_file *file);

/* Gives back the memory of a part of a mapped file, in whole pages; who looks there again has it
 * read again. Only for bytes that nobody has written: a written page would be lost. */
void tolk_file_forget(const struct tolk_file *file, const void *begin, size_t size);

/* Writes `size` bytes to `path` so that at any instant the path holds the old content or the new:
 * temporary name beside it, write, fsync, rename, fsync of the folder. On failure the old file
 * stays and the temporary one is removed. */
int tolk_file_write_atomic(const char *path, const void *bytes, size_t size,
                           struct tolk_error *error);

/* A piece of memory that somebody else owns. */
struct tolk_span {
    const void *bytes;
    size_t size;
};

/* The same for the spans one behind the other. */
int tolk_file_write_spans_atomic(const char *path, const struct tolk_span *spans, size_t count,
                                 struct tolk_error *error);

/* "folder/name" in fresh memory, or NULL when there is none. */
char *tolk_path_join(const char *folder, const char *name);

/* Makes the folder where it is missing; an existing folder is no error. */
int tolk_folder_make(const char *path, struct tolk_error *error);

#endif
