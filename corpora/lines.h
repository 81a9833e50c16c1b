/* Lines of a file (plain or gzip) or of a descriptor such as standard input.
 *
 *     struct tolk_lines lines;
 *     if (tolk_lines_open(&lines, "train.tsv.gz", &error) != 0) …
 *     int got;
 *     while ((got = tolk_lines_next(&lines, &error)) > 0) {
 *         printf("%zu: %s\n", lines.number, lines.text);
 *     }
 *     tolk_lines_close(&lines);
 *
 * A line ends at LF, which is not part of its text; the last one may lack it. Any other byte is
 * handed out as it stands, NUL and CR too: what a line may hold is for the caller to say. */
#ifndef TOLK_CORPORA_LINES_H
#define TOLK_CORPORA_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A longer line is an error: no sentence is that long, and a small gzip file can hold one that
 * fills the memory. */
enum { TOLK_LINES_LONGEST = 16 << 20 };

struct tolk_lines {
    const char *text; /* the line, followed by a NUL; valid until the next call */
    size_t size;      /* in bytes, without the LF and that NUL */
    size_t number;    /* of the line, from 1; 0 before the first */
    const char *name; /* what messages call it; borrowed from the caller */

    /* Private: buffer[begin … end) was read and not handed out yet, and holds no LF before `seen`.
     */
    void *gzip;
    int descriptor;
    char *buffer;
    size_t capacity, begin, end, seen;
    bool at_end;
};

/* Opens a file; gzip is known by its content. A name that ends in .gz promises gzip, and is refused
 * when the content is anything else. */
int tolk_lines_open(struct tolk_lines *lines, const char *path, struct tolk_error *error);

/* Reads from an open descriptor, as much at a time as it has ready, so that a person at a prompt is
 * answered after each line. No gzip. The descriptor stays the caller's. */
void tolk_lines_attach(struct tolk_lines *lines, int descriptor, const char *name);

/* 1: a line; 0: the end; -1: an error that names the line: cannot read, a line too long, a
 * truncated or damaged gzip stream (zlib notices damage a block at a time: it is at the line or
 * soon after).
 */
int tolk_lines_next(struct tolk_lines *lines, struct tolk_error *error);

/* True when the next call of tolk_lines_next will not wait: a whole line, the end or an error is
 * there. A translator goes on filling its batch as long as this holds. */
bool tolk_lines_ready(struct tolk_lines *lines);

void tolk_lines_close(struct tolk_lines *lines);

#endif
