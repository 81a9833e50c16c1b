#include "tests/support/folder.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *tolk_test_folder(void)
{
    char path[4096];
    const char *parent = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/tolk-test-XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
    char *folder = strdup(path);
    ck_assert_ptr_nonnull(folder);
    return folder;
}

void tolk_test_folder_remove(char *folder)
{
    DIR *entries = opendir(folder);
    ck_assert_ptr_nonnull(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
    ck_assert_int_eq(rmdir(folder), 0);
    free(folder);
}

char *tolk_test_read(const char *path, size_t *size)
{
    struct stat status;
    FILE *stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "cannot open %s", path);
    ck_assert_int_eq(fstat(fileno(stream), &status), 0);
    *size = (size_t)status.st_size;
    char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, stream), *size);
    bytes[*size] = '\0';
    fclose(stream);
    return bytes;
}

void tolk_test_write(const char *path, const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    ck_assert_msg(stream != NULL, "cannot create %s", path);
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    ck_assert_int_eq(fclose(stream), 0);
}
