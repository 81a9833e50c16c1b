/* A folder of its own for each test that writes files. */
#ifndef TOLK_TESTS_FOLDER_H
#define TOLK_TESTS_FOLDER_H

#include <stddef.h>

/* Makes an empty folder under $TMPDIR (else /tmp) and returns its path. */
char *tolk_test_folder(void);

/* Removes the folder with the files in it (no folders within), and frees the path. */
void tolk_test_folder_remove(char *folder);

/* The file's content in fresh memory with a '\0' behind it; fails the test when it cannot be read.
 */
char *tolk_test_read(const char *path, size_t *size);

/* Writes the bytes; fails the test when it cannot. */
void tolk_test_write(const char *path, const void *bytes, size_t size);

#endif
