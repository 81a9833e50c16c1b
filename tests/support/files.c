#include "tests/support/files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/support/suite.h"

enum { PATH_BYTES = 1024, PATHS = 32 };

static char folder[PATH_BYTES];
static pid_t owner;

static void remove_folder(void)
{
    char path[2 * PATH_BYTES];
    DIR *listing = getpid() == owner ? opendir(folder) : NULL;
    if (listing == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(listing);
    rmdir(folder);
}

const char *files_path(const char *name)
{
    static char paths[PATHS][2 * PATH_BYTES];
    static size_t next;
    if (folder[0] == '\0') {
        const char *top = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/tolk-test-XXXXXX", top != NULL ? top : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        owner = getpid();
        atexit(remove_folder);
    }
    char *path = paths[next++ % PATHS];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *files_write(const char *name, const void *bytes, size_t size)
{
    const char *path = files_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
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

char *files_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s: cannot open", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

const char *files_tatoeba(const char *name)
{
    static char path[PATH_BYTES];
    const char *corpus = getenv("TOLK_TATOEBA");
    snprintf(path, sizeof path, "%s/%s",
             corpus != NULL ? corpus : "../shared/corpora/tatoeba-nl-en", name);
    return access(path, R_OK) == 0 ? path : NULL;
}
