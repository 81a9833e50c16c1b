/* Files for a test, in a folder that is removed when the test ends. */
#ifndef TOLK_TESTS_FILES_H
#define TOLK_TESTS_FILES_H

#include <stddef.h>

/* The path of a name in that folder, made by the first call; valid until the test ends. */
const char *files_path(const char *name);

/* Writes a file there, plain or gzip; the path. */
const char *files_write(const char *name, const void *bytes, size_t size);
const char *files_write_text(const char *name, const char *text);
const char *files_write_gzip(const char *name, const void *bytes, size_t size);

/* A file of the real corpus: in $TOLK_TATOEBA, or where this project keeps it; NULL when absent. */
const char *files_tatoeba(const char *name);

#endif
