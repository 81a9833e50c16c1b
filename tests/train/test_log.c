#include "tests/support/suite.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/files.h"
#include "train/curves.h"
#include "train/log.h"

/* Updates 10, 20, … and, at each second one, a validation. */
static const char *write_log(int count)
{
    struct tolk_log log;
    struct tolk_error error;
    const char *path = files_path("log.jsonl");
    ck_assert_int_eq(tolk_log_open(&log, path, 0, &error), 0);
    for (int i = 1; i <= count; i++) {
        struct tolk_log_record record = {.type = TOLK_LOG_UPDATE,
                                         .update = 10 * i,
                                         .loss = 8.0 / i,
                                         .smoothed_loss = NAN,
                                         .tokens = 123456789012};
        ck_assert_int_eq(tolk_log_write(&log, &record, &error), 0);
        if (i % 2 == 0) {
            record = (struct tolk_log_record){.type = TOLK_LOG_VALIDATION,
                                              .update = 10 * i,
                                              .loss = 9.0 / i,
                                              .bleu = 5.0 * i,
                                              .chrf = 6.5 * i,
                                              .best = true};
            ck_assert_int_eq(tolk_log_write(&log, &record, &error), 0);
        }
    }
    tolk_log_close(&log);
    return path;
}

START_TEST(each_line_is_an_object)
{
    struct tolk_file file;
    struct tolk_error error;
    ck_assert_int_eq(tolk_file_map(&file, write_log(4), &error), 0);
    size_t lines = 0;
    for (const char *line = (const char *)file.bytes, *end = line + file.size; line < end;
         lines++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        ck_assert_ptr_nonnull(newline);
        json_t *object = json_loadb(line, (size_t)(newline - line), 0, NULL);
        ck_assert(json_is_object(object));
        ck_assert(json_is_number(json_object_get(object, "update")));
        json_decref(object);
        line = newline + 1;
    }
    ck_assert_uint_eq(lines, 6);
    tolk_file_unmap(&file);
}
END_TEST

START_TEST(reads_back_and_drops_what_is_behind)
{
    struct tolk_log log;
    struct tolk_error error;
    struct tolk_log_record *records = NULL;
    size_t count = 0;
    const char *path = write_log(4);
    FILE *file = fopen(path, "a");
    fputs("{\"type\": \"update\", \"upd", file);
    fclose(file);
    ck_assert_int_eq(tolk_log_read(path, &records, &count, &error), 0);
    ck_assert_uint_eq(count, 6);
    ck_assert_int_eq(records[5].type, TOLK_LOG_VALIDATION);
    ck_assert_double_eq(records[5].bleu, 20);
    ck_assert(records[5].best);
    ck_assert_int_eq(records[0].tokens, 123456789012);
    ck_assert(isnan(records[0].smoothed_loss));
    free(records);
    ck_assert_int_eq(tolk_log_open(&log, path, 20, &error), 0);
    tolk_log_close(&log);
    ck_assert_int_eq(tolk_log_read(path, &records, &count, &error), 0);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(records[2].update, 20);
    free(records);
}
END_TEST

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static char *draw(const char *log)
{
    struct tolk_file file;
    struct tolk_error error;
    const char *path = files_path("curves.svg");
    ck_assert_int_eq(tolk_curves_draw(log, path, &error), 0);
    ck_assert_int_eq(tolk_file_map(&file, path, &error), 0);
    char *text = strndup((const char *)file.bytes, file.size);
    tolk_file_unmap(&file);
    return text;
}

START_TEST(draws_the_curves)
{
    char *svg = draw(write_log(2000));
    ck_assert_uint_eq(occurrences(svg, "<path class=\"curve"), 4);
    ck_assert_ptr_nonnull(strstr(svg, ">BLEU</text>"));
    ck_assert_ptr_null(strstr(svg, "nan"));
    ck_assert_ptr_null(strstr(svg, "inf"));
    ck_assert_uint_lt(strlen(svg), 60000);
    free(svg);
}
END_TEST

START_TEST(draws_little_or_nothing)
{
    char *svg = draw(files_path("absent.jsonl"));
    ck_assert_uint_eq(occurrences(svg, "<path class=\"curve"), 0);
    ck_assert_ptr_nonnull(strstr(svg, "</svg>"));
    free(svg);
    svg = draw(write_log(1));
    ck_assert_uint_eq(occurrences(svg, "<path class=\"curve"), 1);
    ck_assert_ptr_null(strstr(svg, "nan"));
    free(svg);
}
END_TEST

TOLK_SUITE("log", each_line_is_an_object, reads_back_and_drops_what_is_behind, draws_the_curves,
           draws_little_or_nothing)
