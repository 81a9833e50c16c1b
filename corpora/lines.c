#include "corpora/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 16, NO_DESCRIPTOR = -1 };

/* What reading once more brought. */
enum filled { FILLED_BYTES, FILLED_END, FILLED_NO_MEMORY, FILLED_TOO_LONG, FILLED_FAULT };

static bool ends_in_gz(const char *path)
{
    const size_t size = strlen(path);
    return size > 3 && strcmp(path + size - 3, ".gz") == 0;
}

int tolk_lines_open(struct tolk_lines *lines, const char *path, struct tolk_error *error)
{
    *lines = (struct tolk_lines){.name = path, .descriptor = NO_DESCRIPTOR};
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return tolk_error_errno(error, "%s: cannot open", path);
    }
    lines->gzip = gzdopen(descriptor, "rb");
    if (lines->gzip == NULL) {
        close(descriptor);
        return tolk_error_set(error, "%s: out of memory", path);
    }
    /* gzdirect looks at the first bytes; for an empty file it says that there is no gzip. */
    if (ends_in_gz(path) && gzdirect(lines->gzip)) {
        tolk_lines_close(lines);
        return tolk_error_set(error, "%s: expected a gzip stream, found other content", path);
    }
    return 0;
}

void tolk_lines_attach(struct tolk_lines *lines, int descriptor, const char *name)
{
    *lines = (struct tolk_lines){.name = name, .descriptor = descriptor};
}

void tolk_lines_close(struct tolk_lines *lines)
{
    if (lines->gzip != NULL) {
        gzclose(lines->gzip);
    }
    free(lines->buffer);
    *lines = (struct tolk_lines){.descriptor = NO_DESCRIPTOR};
}

/* Makes room for a chunk behind `end`, and for the NUL behind the last line. */
static enum filled make_room(struct tolk_lines *lines)
{
    if (lines->begin > 0) {
        memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->seen -= lines->begin;
        lines->begin = 0;
    }
    if (lines->end > TOLK_LINES_LONGEST) {
        return FILLED_TOO_LONG;
    }
    if (lines->capacity - lines->end < CHUNK + 1) {
        const size_t capacity = 2 * lines->capacity + CHUNK + 1;
        char *buffer = realloc(lines->buffer, capacity);
        if (buffer == NULL) {
            return FILLED_NO_MEMORY;
        }
        lines->buffer = buffer;
        lines->capacity = capacity;
    }
    return FILLED_BYTES;
}

static ssize_t read_some(struct tolk_lines *lines, char *to)
{
    if (lines->gzip != NULL) {
        return gzread(lines->gzip, to, CHUNK);
    }
    ssize_t got = 0;
    do {
        got = read(lines->descriptor, to, CHUNK);
    } while (got < 0 && errno == EINTR);
    return got;
}

static enum filled fill(struct tolk_lines *lines)
{
    const enum filled room = make_room(lines);
    if (room != FILLED_BYTES) {
        return room;
    }
    const ssize_t got = read_some(lines, lines->buffer + lines->end);
    if (got > 0) {
        lines->end += (size_t)got;
        return FILLED_BYTES;
    }
    /* A truncated stream gives what it has and then 0, with the fault noted beside. */
    int code = Z_OK;
    if (lines->gzip != NULL) {
        gzerror(lines->gzip, &code);
    }
    return got < 0 || code < 0 ? FILLED_FAULT : FILLED_END;
}

static int refuse(const struct tolk_lines *lines, enum filled why, struct tolk_error *error)
{
    const size_t number = lines->number + 1;
    int code = Z_ERRNO;
    switch (why) {
    case FILLED_TOO_LONG:
        return tolk_error_set(error, "%s:%zu: expected a line of at most %d bytes, found a longer",
                              lines->name, number, TOLK_LINES_LONGEST);
    case FILLED_NO_MEMORY:
        return tolk_error_set(error, "%s:%zu: out of memory", lines->name, number);
    default:
        break;
    }
    if (lines->gzip != NULL) {
        gzerror(lines->gzip, &code);
    }
    switch (code) {
    case Z_ERRNO:
        return tolk_error_errno(error, "%s:%zu: cannot read", lines->name, number);
    case Z_BUF_ERROR:
        return tolk_error_set(error, "%s:%zu: the gzip stream ends too early", lines->name, number);
    case Z_MEM_ERROR:
        return tolk_error_set(error, "%s:%zu: out of memory", lines->name, number);
    default:
        return tolk_error_set(error, "%s:%zu: the gzip stream is damaged here or soon after",
                              lines->name, number);
    }
}

/* The LF that ends the next line, or NULL while it was not read; no byte is looked at twice. */
static char *find_end(struct tolk_lines *lines)
{
    if (lines->seen == lines->end) {
        return NULL;
    }
    char *found = memchr(lines->buffer + lines->seen, '\n', lines->end - lines->seen);
    lines->seen = found != NULL ? (size_t)(found - lines->buffer) : lines->end;
    return found;
}

static int hand_out(struct tolk_lines *lines, size_t size, size_t with_end)
{
    lines->text = lines->buffer + lines->begin;
    lines->size = size;
    lines->buffer[lines->begin + size] = '\0';
    lines->begin += with_end;
    lines->seen = lines->begin;
    lines->number++;
    return 1;
}

int tolk_lines_next(struct tolk_lines *lines, struct tolk_error *error)
{
    for (;;) {
        const char *end = find_end(lines);
        if (end != NULL) {
            const size_t size = (size_t)(end - lines->buffer) - lines->begin;
            return size <= TOLK_LINES_LONGEST ? hand_out(lines, size, size + 1)
                                              : refuse(lines, FILLED_TOO_LONG, error);
        }
        const enum filled got = lines->at_end ? FILLED_END : fill(lines);
        if (got == FILLED_END) {
            lines->at_end = true;
            const size_t size = lines->end - lines->begin;
            return size > 0 ? hand_out(lines, size, size) : 0;
        }
        if (got != FILLED_BYTES) {
            return refuse(lines, got, error);
        }
    }
}

bool tolk_lines_ready(struct tolk_lines *lines)
{
    while (find_end(lines) == NULL && !lines->at_end && lines->gzip == NULL) {
        struct pollfd watch = {.fd = lines->descriptor, .events = POLLIN};
        if (poll(&watch, 1, 0) <= 0) {
            return false;
        }
        switch (fill(lines)) {
        case FILLED_BYTES:
            break;
        case FILLED_END:
            lines->at_end = true;
            break;
        default:
            return true;
        }
    }
    return true;
}
