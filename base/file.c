#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(struct tolk_file *file, unsigned char **bytes, int protection, const char *path,
               struct tolk_error *error)
{
    int result = -1;
    struct stat status;
    *file = (struct tolk_file){NULL, 0};
    *bytes = NULL;
    /* Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it. */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return tolk_error_errno(error, "%s: cannot open", path);
    }
    if (fstat(descriptor, &status) != 0) {
        tolk_error_errno(error, "%s: cannot read its size", path);
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        tolk_error_set(error, "%s: expected a regular file", path);
        goto out;
    }
    if (status.st_size > 0) {
        void *mapped = mmap(NULL, (size_t)status.st_size, protection, MAP_PRIVATE, descriptor, 0);
        if (mapped == MAP_FAILED) {
            tolk_error_errno(error, "%s: cannot map", path);
            goto out;
        }
        *bytes = mapped;
        *file = (struct tolk_file){mapped, (size_t)status.st_size};
    }
    result = 0;
out:
    close(descriptor);
    return result;
}

int tolk_file_map(struct tolk_file *file, const char *path, struct tolk_error *error)
{
    unsigned char *bytes;
    return map(file, &bytes, PROT_READ, path, error);
}

int tolk_file_map_private(struct tolk_file *file, unsigned char **writable, const char *path,
                          struct tolk_error *error)
{
    return map(file, writable, PROT_READ | PROT_WRITE, path, error);
}

void tolk_file_unmap(struct tolk_file *file)
{
    if (file->bytes != NULL) {
        munmap((void *)(uintptr_t)file->bytes, file->size);
    }
    *file = (struct tolk_file){NULL, 0};
}

void tolk_file_forget(const struct tolk_file *file, const void *begin, size_t size)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)begin + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)begin + size) / page * page;
    assert((uintptr_t)begin >= (uintptr_t)file->bytes &&
           (uintptr_t)begin + size <= (uintptr_t)file->bytes + file->size);
    if (first < end) {
        madvise((void *)first, end - first, MADV_DONTNEED);
    }
}

char *tolk_path_join(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

int tolk_folder_make(const char *path, struct tolk_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0) {
        return 0;
    }
    if (errno == EEXIST && stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            return 0;
        }
        return tolk_error_set(error, "%s: expected a folder, found a file", path);
    }
    return tolk_error_errno(error, "%s: cannot make the folder", path);
}

static int write_all(int descriptor, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return -1;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Makes the rename itself durable. A file system that cannot sync a folder is no error. */
static void sync_parent(const char *path)
{
    char *folder = strdup(path);
    if (folder == NULL) {
        return;
    }
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    const int descriptor = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

static int write_spans(int descriptor, const struct tolk_span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (write_all(descriptor, spans[i].bytes, spans[i].size) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Creates `path` with the content of the spans, on the disk; on failure nothing of it stays. */
static int write_durably(const char *path, const struct tolk_span *spans, size_t count,
                         struct tolk_error *error)
{
    const int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        return tolk_error_errno(error, "%s: cannot create", path);
    }
    const bool written = write_spans(descriptor, spans, count) == 0 && fsync(descriptor) == 0;
    const int code = errno;
    /* Network file systems report a full disk only on close. */
    const bool closed = close(descriptor) == 0;
    if (written && closed) {
        return 0;
    }
    if (!written) {
        errno = code;
    }
    tolk_error_errno(error, "%s: cannot write", path);
    unlink(path);
    return -1;
}

int tolk_file_write_spans_atomic(const char *path, const struct tolk_span *spans, size_t count,
                                 struct tolk_error *error)
{
    const size_t room = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(room);
    int result = -1;
    if (temporary == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    snprintf(temporary, room, "%s.tmp", path);
    if (write_durably(temporary, spans, count, error) != 0) {
        goto out;
    }
    if (rename(temporary, path) != 0) {
        tolk_error_errno(error, "%s: cannot rename to %s", temporary, path);
        unlink(temporary);
        goto out;
    }
    sync_parent(path);
    result = 0;
out:
    free(temporary);
    return result;
}

int tolk_file_write_atomic(const char *path, const void *bytes, size_t size,
                           struct tolk_error *error)
{
    return tolk_file_write_spans_atomic(path, &(struct tolk_span){bytes, size}, 1, error);
}
