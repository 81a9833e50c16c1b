#include "tests/support/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "tests/support/folder.h"
#include "tests/support/suite.h"

enum { PATHS = 32 };

static char *folder;
static char *paths[PATHS];
static size_t path_count;

/* Runs at exit, where Check can no longer take note of a failed assertion. */
static void remove_all(void)
{
    while (path_count > 0) {
        unlink(paths[--path_count]);
        free(paths[path_count]);
    }
    rmdir(folder);
    free(folder);
}

const char *files_path(const char *name)
{
    if (folder == NULL) {
        folder = tolk_test_folder();
        atexit(remove_all);
    }
    char *path = tolk_path_join(folder, name);
    for (size_t i = 0; i < path_count; i++) {
        if (strcmp(paths[i], path) == 0) {
            free(path);
            return paths[i];
        }
    }
    ck_assert_uint_lt(path_count, PATHS);
    return paths[path_count++] = path;
}

const char *files_write(const char *name, const void *bytes, size_t size)
{
    const char *path = files_path(name);
    tolk_test_write(path, bytes, size);
    return path;
}

const char *files_write_text(const char *name, const char *text)
{
    return files_write(name, text, strlen(text));
}

const char *files_write_gzip(const char *name, const void *bytes, size_t size)
{
    const char *path = files_path(name);
    gzFile file = gzopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(file), Z_OK);
    return path;
}

const char *files_tatoeba(const char *name)
{
    enum { PATH_BYTES = 4096 };
    static char path[PATH_BYTES];
    const char *corpus = getenv("TOLK_TATOEBA");
    snprintf(path, sizeof path, "%s/%s",
             corpus != NULL ? corpus : "../shared/corpora/tatoeba-nl-en", name);
    return access(path, R_OK) == 0 ? path : NULL;
}
