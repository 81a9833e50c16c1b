#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "corpora/lines.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

enum { MEGABYTE = 1 << 20 };

static void expect_line(struct tolk_lines *lines, size_t number, const char *text, size_t size)
{
    struct tolk_error error;
    const int got = tolk_lines_next(lines, &error);
    ck_assert_msg(got == 1, "line %zu: %s", number, got < 0 ? error.message : "the end");
    ck_assert_uint_eq(lines->number, number);
    ck_assert_uint_eq(lines->size, size);
    ck_assert_mem_eq(lines->text, text, size);
    ck_assert_int_eq(lines->text[size], '\0');
}

static void expect_end(struct tolk_lines *lines)
{
    ck_assert_int_eq(tolk_lines_next(lines, NULL), 0);
    ck_assert_int_eq(tolk_lines_next(lines, NULL), 0);
    tolk_lines_close(lines);
}

START_TEST(hands_out_every_byte)
{
    static const char text[] = "een\n\ntwee\r\nd\0rie\n\xff\nlast";
    for (int zipped = 0; zipped < 2; zipped++) {
        struct tolk_lines lines;
        const char *path = zipped ? files_write_gzip("lines.gz", text, sizeof text - 1)
                                  : files_write("lines", text, sizeof text - 1);
        ck_assert_int_eq(tolk_lines_open(&lines, path, NULL), 0);
        expect_line(&lines, 1, "een", 3);
        expect_line(&lines, 2, "", 0);
        expect_line(&lines, 3, "twee\r", 5);
        expect_line(&lines, 4, "d\0rie", 5);
        expect_line(&lines, 5, "\xff", 1);
        expect_line(&lines, 6, "last", 4);
        expect_end(&lines);
    }
}
END_TEST

START_TEST(takes_lines_of_a_megabyte)
{
    char *text = malloc(2 * MEGABYTE + 4);
    memset(text, 'a', MEGABYTE);
    memcpy(text + MEGABYTE, "\nb\n", 3);
    memset(text + MEGABYTE + 3, 'c', MEGABYTE);
    text[2 * MEGABYTE + 3] = '\n';
    for (int zipped = 0; zipped < 2; zipped++) {
        struct tolk_lines lines;
        const char *path = zipped ? files_write_gzip("long.gz", text, 2 * MEGABYTE + 4)
                                  : files_write("long", text, 2 * MEGABYTE + 4);
        ck_assert_int_eq(tolk_lines_open(&lines, path, NULL), 0);
        expect_line(&lines, 1, text, MEGABYTE);
        expect_line(&lines, 2, "b", 1);
        expect_line(&lines, 3, text + MEGABYTE + 3, MEGABYTE);
        expect_end(&lines);
    }
    free(text);
}
END_TEST

START_TEST(refuses_a_line_without_bound)
{
    const size_t size = TOLK_LINES_LONGEST + 10;
    char *text = calloc(size, 1);
    memcpy(text, "one\n", 4);
    const char *path = files_write_gzip("bomb.gz", text, size);
    free(text);
    struct tolk_lines lines;
    struct tolk_error error;
    char expected[2048];
    snprintf(expected, sizeof expected,
             "%s:2: expected a line of at most 16777216 bytes, found a longer", path);
    ck_assert_int_eq(tolk_lines_open(&lines, path, NULL), 0);
    expect_line(&lines, 1, "one", 3);
    const int got = tolk_lines_next(&lines, &error);
    ck_assert_int_eq(got, -1);
    ck_assert_str_eq(error.message, expected);
    tolk_lines_close(&lines);
}
END_TEST

/* Ten thousand lines that do not compress to nothing. */
static char *many_lines(size_t *size)
{
    enum { LINES = 10000, LINE = 17 };
    const struct tolk_random_key key = tolk_random_key(1, 0, 0);
    char *text = malloc(LINES * LINE + 1);
    for (uint32_t i = 0; i < LINES; i++) {
        snprintf(text + (size_t)i * LINE, LINE + 1, "%08x%08x\n", tolk_random_u32(key, i),
                 tolk_random_u32(key, i + LINES));
    }
    *size = LINES * LINE;
    return text;
}

/* Reads to the fault; the number of whole lines before it. */
static size_t lines_before_fault(const char *path, struct tolk_error *error)
{
    struct tolk_lines lines;
    int got = 0;
    ck_assert_int_eq(tolk_lines_open(&lines, path, NULL), 0);
    while ((got = tolk_lines_next(&lines, error)) > 0) {
    }
    ck_assert_int_eq(got, -1);
    const size_t number = lines.number;
    tolk_lines_close(&lines);
    return number;
}

START_TEST(notices_a_truncated_stream)
{
    size_t size = 0, zipped_size = 0;
    struct tolk_error error;
    char *text = many_lines(&size), expected[2048];
    char *zipped = tolk_test_read(files_write_gzip("whole.gz", text, size), &zipped_size);
    for (size_t cut = 1; cut < zipped_size - 2; cut += zipped_size / 7) {
        const char *path = files_write("cut.gz", zipped, zipped_size - cut);
        const size_t number = lines_before_fault(path, &error);
        ck_assert_uint_le(number, 10000);
        snprintf(expected, sizeof expected, "%s:%zu: the gzip stream ends too early", path,
                 number + 1);
        ck_assert_str_eq(error.message, expected);
    }
    free(zipped);
    free(text);
}
END_TEST

START_TEST(notices_a_damaged_stream)
{
    size_t size = 0, zipped_size = 0;
    struct tolk_error error;
    char *text = many_lines(&size), expected[2048];
    char *zipped = tolk_test_read(files_write_gzip("whole.gz", text, size), &zipped_size);
    const size_t places[] = {zipped_size / 2, zipped_size - 6}; /* the middle and the checksum */
    for (size_t i = 0; i < 2; i++) {
        zipped[places[i]] ^= 0x55;
        const char *path = files_write("bad.gz", zipped, zipped_size);
        zipped[places[i]] ^= 0x55;
        const size_t number = lines_before_fault(path, &error);
        snprintf(expected, sizeof expected, "%s:%zu: the gzip stream is damaged here or soon after",
                 path, number + 1);
        ck_assert_str_eq(error.message, expected);
    }
    free(zipped);
    free(text);
}
END_TEST

START_TEST(refuses_what_it_cannot_open)
{
    struct tolk_lines lines;
    struct tolk_error error;
    char expected[2048];
    const char *path = files_path("missing.tsv");
    snprintf(expected, sizeof expected, "%s: cannot open: No such file or directory", path);
    ck_assert_int_eq(tolk_lines_open(&lines, path, &error), -1);
    ck_assert_str_eq(error.message, expected);

    static const char *const not_gzip[] = {"", "plain text\n"};
    for (size_t i = 0; i < 2; i++) {
        path = files_write_text("plain.gz", not_gzip[i]);
        snprintf(expected, sizeof expected, "%s: expected a gzip stream, found other content",
                 path);
        ck_assert_int_eq(tolk_lines_open(&lines, path, &error), -1);
        ck_assert_str_eq(error.message, expected);
    }

    ck_assert_int_eq(tolk_lines_open(&lines, "/", &error), 0);
    ck_assert_int_eq(tolk_lines_next(&lines, &error), -1);
    ck_assert_str_eq(error.message, "/:1: cannot read: Is a directory");
    tolk_lines_close(&lines);
}
END_TEST

START_TEST(answers_a_person_line_by_line)
{
    int ends[2];
    struct tolk_lines lines;
    ck_assert_int_eq(pipe(ends), 0);
    tolk_lines_attach(&lines, ends[0], "standard input");
    ck_assert(!tolk_lines_ready(&lines));
    ck_assert_int_eq(write(ends[1], "ee", 2), 2);
    ck_assert(!tolk_lines_ready(&lines));
    ck_assert_int_eq(write(ends[1], "n\ntwee\ndr", 9), 9);
    ck_assert(tolk_lines_ready(&lines));
    expect_line(&lines, 1, "een", 3);
    ck_assert(tolk_lines_ready(&lines));
    expect_line(&lines, 2, "twee", 4);
    ck_assert(!tolk_lines_ready(&lines));
    close(ends[1]);
    ck_assert(tolk_lines_ready(&lines));
    expect_line(&lines, 3, "dr", 2);
    ck_assert(tolk_lines_ready(&lines));
    expect_end(&lines);
    close(ends[0]);
}
END_TEST

TOLK_SUITE("lines", hands_out_every_byte, takes_lines_of_a_megabyte, refuses_a_line_without_bound,
           notices_a_truncated_stream, notices_a_damaged_stream, refuses_what_it_cannot_open,
           answers_a_person_line_by_line)
