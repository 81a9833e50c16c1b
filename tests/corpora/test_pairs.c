#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "corpora/pairs.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

static const struct tolk_pairs_options STRICT = {0};
static const struct tolk_pairs_options SKIPPING = {.skip_bad = true};

static void expect_message(const struct tolk_error *error, const char *path, const char *rest)
{
    char expected[2048];
    snprintf(expected, sizeof expected, "%s%s", path, rest);
    ck_assert_str_eq(error->message, expected);
}

static void expect_empty(const struct tolk_pairs *pairs)
{
    ck_assert_uint_eq(pairs->count, 0);
    ck_assert_ptr_null(pairs->items);
    ck_assert_ptr_null(pairs->text);
}

static void expect_pair(const struct tolk_pairs *pairs, size_t index, size_t line,
                        const char *source, const char *target, const char *links)
{
    ck_assert_uint_lt(index, pairs->count);
    ck_assert_uint_eq(pairs->items[index].line, line);
    ck_assert_str_eq(pairs->items[index].source, source);
    ck_assert_str_eq(pairs->items[index].target, target);
    char *printed = tolk_links_format(&pairs->items[index].links);
    ck_assert_str_eq(printed, links);
    free(printed);
}

START_TEST(reads_tsv)
{
    static const char text[] = "De kat.\tThe cat.\t1-1 0-0\n"
                               "Eén hond\tA dog\t\n"
                               "Ja\tYes\t0p0";
    for (int zipped = 0; zipped < 2; zipped++) {
        struct tolk_pairs pairs;
        struct tolk_error error;
        const char *path = zipped ? files_write_gzip("pairs.tsv.gz", text, sizeof text - 1)
                                  : files_write_text("pairs.tsv", text);
        ck_assert_msg(tolk_pairs_read_tsv(path, &STRICT, &pairs, &error) == 0, "%s", error.message);
        ck_assert_uint_eq(pairs.count, 3);
        ck_assert_uint_eq(pairs.skipped, 0);
        ck_assert(pairs.aligned);
        expect_pair(&pairs, 0, 1, "De kat.", "The cat.", "0-0 1-1");
        expect_pair(&pairs, 1, 2, "Eén hond", "A dog", "");
        expect_pair(&pairs, 2, 3, "Ja", "Yes", "0p0");
        tolk_pairs_free(&pairs);
        expect_empty(&pairs);
    }
}
END_TEST

START_TEST(reads_a_descriptor_from_where_it_stands)
{
    struct tolk_pairs pairs;
    struct tolk_error error;
    const char *path = files_write_text("pairs.tsv", "taken\ta\tb\tc\nDe kat.\tThe cat.\n");
    const int descriptor = open(path, O_RDONLY);
    ck_assert_int_eq((int)lseek(descriptor, 12, SEEK_SET), 12);
    ck_assert_int_eq(
        tolk_pairs_read_tsv_descriptor(descriptor, "standard input", &STRICT, &pairs, &error), 0);
    ck_assert_uint_eq(pairs.count, 1);
    expect_pair(&pairs, 0, 1, "De kat.", "The cat.", "");
    tolk_pairs_free(&pairs);
    ck_assert_int_eq((int)lseek(descriptor, 0, SEEK_SET), 0); /* it is still open */
    ck_assert_int_eq(
        tolk_pairs_read_tsv_descriptor(descriptor, "standard input", &STRICT, &pairs, &error), -1);
    expect_message(&error, "standard input", ":1: expected at most 3 fields, found a fourth");
    expect_empty(&pairs);
    close(descriptor);
}
END_TEST

START_TEST(one_pair_without_alignment_is_enough)
{
    struct tolk_pairs pairs;
    const char *path = files_write_text("pairs.tsv", "a\tb\t0-0\nc\td\n");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &STRICT, &pairs, NULL), 0);
    ck_assert(!pairs.aligned);
    tolk_pairs_free(&pairs);
}
END_TEST

/* Each bad line, and what is said of it as the second line of a file. */
static const struct {
    const char *line, *message;
} BAD_LINES[] = {
    {"no tab", ":2: expected source<TAB>target, found no tab"},
    {"", ":2: expected source<TAB>target, found no tab"},
    {"\ttarget", ":2: expected a source sentence, found nothing"},
    {"source\t", ":2: expected a target sentence, found nothing"},
    {" \xc2\xa0\ttarget", ":2: expected a source sentence, found white space"},
    {"source\t \t", ":2: expected a target sentence, found white space"},
    {"a\tb\t0-0\tc", ":2: expected at most 3 fields, found a fourth"},
    {"a\tb\t\t", ":2: expected at most 3 fields, found a fourth"},
    {"a\tb\r", ":2: expected lines that end in LF alone, found a CR at byte 4"},
    {"a\rc\tb", ":2: expected lines that end in LF alone, found a CR at byte 2"},
    {"caf\xe9\tcoffee", ":2: expected UTF-8, found 0xe9 at byte 4"},
    {"a\t\xed\xa0\x80", ":2: expected UTF-8, found 0xed at byte 3"},
    {"a\tb\t0-0 0:0", ":2: column 5 of the alignment: expected a link such as 3-4 or 3p4, found "
                      "'0:0'"},
    {"a c\tb\t1-0 2-0", ":2: column 5 of the alignment: source word 2 is beyond its 2 words"},
    {"a\tb\t0-1", ":2: column 1 of the alignment: target word 1 is beyond its 1 words"},
};
enum { BAD_COUNT = sizeof BAD_LINES / sizeof BAD_LINES[0] };

START_TEST(refuses_a_bad_line)
{
    for (size_t i = 0; i < BAD_COUNT; i++) {
        char text[256];
        struct tolk_pairs pairs;
        struct tolk_error error;
        snprintf(text, sizeof text, "good\tgoed\n%s\nlast\tlaatst\n", BAD_LINES[i].line);
        const char *path = files_write_text("bad.tsv", text);
        ck_assert_int_eq(tolk_pairs_read_tsv(path, &STRICT, &pairs, &error), -1);
        expect_message(&error, path, BAD_LINES[i].message);
        expect_empty(&pairs);
    }
}
END_TEST

START_TEST(refuses_a_nul)
{
    static const char text[] = "a\tb\nc\0c\td\n";
    struct tolk_pairs pairs;
    struct tolk_error error;
    const char *path = files_write("nul.tsv", text, sizeof text - 1);
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &STRICT, &pairs, &error), -1);
    expect_message(&error, path, ":2: expected text, found a NUL at byte 2");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &SKIPPING, &pairs, &error), 0);
    ck_assert_uint_eq(pairs.skipped, 1);
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(skips_and_counts_bad_lines)
{
    char text[2048];
    size_t used = 0;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\ngood\tgoed %zu\t0-0\n",
                                 BAD_LINES[i].line, i);
    }
    struct tolk_pairs pairs;
    ck_assert_int_eq(
        tolk_pairs_read_tsv(files_write_text("bad.tsv", text), &SKIPPING, &pairs, NULL), 0);
    ck_assert_uint_eq(pairs.count, BAD_COUNT);
    ck_assert_uint_eq(pairs.skipped, BAD_COUNT);
    ck_assert(pairs.aligned); /* only the pairs that are kept count */
    expect_pair(&pairs, 0, 2, "good", "goed 0", "0-0");
    expect_pair(&pairs, BAD_COUNT - 1, 2 * BAD_COUNT, "good", "goed 14", "0-0");
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(refuses_a_file_without_a_pair)
{
    struct tolk_pairs pairs;
    struct tolk_error error;
    const char *path = files_write_text("empty.tsv", "");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &STRICT, &pairs, &error), -1);
    expect_message(&error, path, ": expected sentence pairs, found none (0 bad lines)");
    path = files_write_text("bad.tsv", "a\nb\n");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &SKIPPING, &pairs, &error), -1);
    expect_message(&error, path, ": expected sentence pairs, found none (2 bad lines)");
    expect_empty(&pairs);
    path = files_path("missing.tsv");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &SKIPPING, &pairs, &error), -1);
    expect_message(&error, path, ": cannot open: No such file or directory");
    expect_empty(&pairs);
}
END_TEST

START_TEST(stops_at_the_limit)
{
    const struct tolk_pairs_options options = {.skip_bad = true, .limit = 2};
    struct tolk_pairs pairs;
    const char *path = files_write_text("pairs.tsv", "a\tb\nbad\nc\td\ne\tf\nbad\n");
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &options, &pairs, NULL), 0);
    ck_assert_uint_eq(pairs.count, 2);
    ck_assert_uint_eq(pairs.skipped, 1);
    expect_pair(&pairs, 1, 3, "c", "d", "");
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(takes_a_sentence_of_a_megabyte)
{
    enum { MEGABYTE = 1 << 20 };
    char *text = malloc(2 * MEGABYTE + 16);
    memcpy(text, "a\tb\n", 4);
    memset(text + 4, 'x', 2 * MEGABYTE + 1);
    text[4 + MEGABYTE] = '\t';
    text[2 * MEGABYTE + 5] = '\0';
    struct tolk_pairs pairs;
    ck_assert_int_eq(tolk_pairs_read_tsv(files_write_text("long.tsv", text), &STRICT, &pairs, NULL),
                     0);
    ck_assert_uint_eq(pairs.count, 2);
    expect_pair(&pairs, 0, 1, "a", "b", "");
    ck_assert_uint_eq(strlen(pairs.items[1].source), MEGABYTE);
    ck_assert_uint_eq(strlen(pairs.items[1].target), MEGABYTE);
    tolk_pairs_free(&pairs);
    free(text);
}
END_TEST

START_TEST(a_damaged_stream_is_never_skipped)
{
    size_t size = 0;
    char text[400];
    for (size_t i = 0; i < sizeof text / 4; i++) {
        memcpy(text + 4 * i, "a\tb\n", 4);
    }
    struct tolk_pairs pairs;
    struct tolk_error error;
    char *zipped = tolk_test_read(files_write_gzip("whole.gz", text, sizeof text), &size);
    const char *path = files_write("cut.gz", zipped, size - 4);
    ck_assert_int_eq(tolk_pairs_read_tsv(path, &SKIPPING, &pairs, &error), -1);
    expect_message(&error, path, ":101: the gzip stream ends too early");
    expect_empty(&pairs);
    free(zipped);
}
END_TEST

START_TEST(reads_moses)
{
    static const char target[] = "The cat\nThe dog";
    struct tolk_pairs pairs;
    struct tolk_error error;
    const char *source_path = files_write_text("a.nl", "De kat\nDe hond\n");
    const char *target_path = files_write_gzip("a.en.gz", target, sizeof target - 1);
    ck_assert_msg(tolk_pairs_read_moses(source_path, target_path, &STRICT, &pairs, &error) == 0,
                  "%s", error.message);
    ck_assert_uint_eq(pairs.count, 2);
    ck_assert(!pairs.aligned);
    expect_pair(&pairs, 0, 1, "De kat", "The cat", "");
    expect_pair(&pairs, 1, 2, "De hond", "The dog", "");
    tolk_pairs_free(&pairs);
}
END_TEST

START_TEST(refuses_bad_moses_lines)
{
    static const struct {
        const char *source, *target, *message;
        bool in_target;
    } cases[] = {
        {"a\n\nc\n", "a\nb\nc\n", ":2: expected a source sentence, found nothing", false},
        {"a\nb\nc\n", "a\n \nc\n", ":2: expected a target sentence, found white space", true},
        {"a\nb\nc\n", "a\nb\nc\r\n",
         ":3: expected lines that end in LF alone, found a CR at byte 2", true},
        {"a\n\xff\nc\n", "a\nb\nc\n", ":2: expected UTF-8, found 0xff at byte 1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_pairs pairs;
        struct tolk_error error;
        const char *source = files_write_text("a.nl", cases[i].source);
        const char *target = files_write_text("a.en", cases[i].target);
        ck_assert_int_eq(tolk_pairs_read_moses(source, target, &STRICT, &pairs, &error), -1);
        expect_message(&error, cases[i].in_target ? target : source, cases[i].message);
        expect_empty(&pairs);
        ck_assert_int_eq(tolk_pairs_read_moses(source, target, &SKIPPING, &pairs, &error), 0);
        ck_assert_uint_eq(pairs.count, 2);
        ck_assert_uint_eq(pairs.skipped, 1);
        tolk_pairs_free(&pairs);
    }
}
END_TEST

START_TEST(refuses_unequal_line_counts)
{
    static const char *const texts[] = {"a\nb\n", "a\nb\nc\n"};
    for (int longer = 0; longer < 2; longer++) {
        char rest[2048];
        struct tolk_pairs pairs;
        struct tolk_error error;
        const char *source = files_write_text("a.nl", texts[!longer]);
        const char *target = files_write_text("a.en", texts[longer]);
        snprintf(rest, sizeof rest,
                 ":3: expected a line for line 3 of %s, found the end of the file",
                 longer ? target : source);
        ck_assert_int_eq(tolk_pairs_read_moses(source, target, &SKIPPING, &pairs, &error), -1);
        expect_message(&error, longer ? source : target, rest);
        expect_empty(&pairs);
    }
}
END_TEST

START_TEST(reads_the_real_corpus)
{
    const char *path = files_tatoeba("train.tsv");
    if (path == NULL) {
        TOLK_SKIP("no real corpus ($TOLK_TATOEBA)");
    }
    struct tolk_pairs pairs;
    struct tolk_error error;
    ck_assert_msg(tolk_pairs_read_tsv(path, &STRICT, &pairs, &error) == 0, "%s", error.message);
    ck_assert_uint_gt(pairs.count, 10000);
    ck_assert_uint_eq(pairs.items[pairs.count - 1].line, pairs.count);
    ck_assert(!pairs.aligned);
    tolk_pairs_free(&pairs);
}
END_TEST

TOLK_SUITE("pairs", reads_tsv, reads_a_descriptor_from_where_it_stands,
           one_pair_without_alignment_is_enough, refuses_a_bad_line, refuses_a_nul,
           skips_and_counts_bad_lines, refuses_a_file_without_a_pair, stops_at_the_limit,
           takes_a_sentence_of_a_megabyte, a_damaged_stream_is_never_skipped, reads_moses,
           refuses_bad_moses_lines, refuses_unequal_line_counts, reads_the_real_corpus)
