#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/prepare.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

static const struct tolk_prepare_options SMALL = {.dev = 2, .test = 3, .seed = 1};

/* Prepares into a folder of its own; the caller removes it. */
static char *prepare(const char *path, struct tolk_prepare_counts *counts)
{
    struct tolk_error error;
    char *folder = tolk_test_folder();
    ck_assert_msg(tolk_prepare(path, folder, &SMALL, counts, &error) == 0, "%s", error.message);
    return folder;
}

static char *read_in(const char *folder, const char *name)
{
    char path[4096];
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return tolk_test_read(path, &size);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++) {
        lines++;
    }
    return lines;
}

static const char *many_words(size_t count)
{
    static char text[1024];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "w%zu ", i);
    }
    return text;
}

/* A download of twenty good pairs and one of each kind that is refused. */
static const char *write_manythings(void)
{
    char text[8192];
    size_t used = 0;
    for (int i = 0; i < 20; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "Cat “%d”  sleeps.\tKat ‘%d’ slaapt.\tCC-BY #%d (An) & #%d (Bo)\n",
                                 i, i, i, i + 100);
    }
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "Caf\xe9\tCafé\tx\n"
                             "Yes\x01\tJa\tx\n"
                             "Hm\t...\tx\n"
                             "One\tEen twee drie vier vijf zes zeven\tx\n"
                             "CAT 1 SLEEPS!\tkat 1 slaapt\tx\n");
    used += (size_t)snprintf(text + used, sizeof text - used, "%s\t", many_words(41));
    snprintf(text + used, sizeof text - used, "%s\tx\n", many_words(41));
    return files_write_text("nld.txt", text);
}

START_TEST(filters_and_counts)
{
    struct tolk_prepare_counts counts;
    char *folder = prepare(write_manythings(), &counts);
    ck_assert_uint_eq(counts.read, 26);
    ck_assert_uint_eq(counts.not_text, 2);
    ck_assert_uint_eq(counts.no_words, 1);
    ck_assert_uint_eq(counts.uneven, 1);
    ck_assert_uint_eq(counts.repeated, 1);
    ck_assert_uint_eq(counts.too_long, 1);
    ck_assert_uint_eq(counts.left_out, 0);
    ck_assert_uint_eq(counts.test, 3);
    ck_assert_uint_eq(counts.dev, 2);
    ck_assert_uint_eq(counts.train, 15);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(writes_pairs_and_attributions_line_by_line)
{
    static const char *const names[][2] = {{"train.tsv", "train.attribution.tsv"},
                                           {"dev.tsv", "dev.attribution.tsv"},
                                           {"test.tsv", "test.attribution.tsv"}};
    struct tolk_prepare_counts counts;
    char *folder = prepare(write_manythings(), &counts);
    size_t total = 0;
    for (size_t i = 0; i < 3; i++) {
        char *pairs = read_in(folder, names[i][0]), *credits = read_in(folder, names[i][1]);
        const char *pair = pairs, *credit = credits;
        ck_assert_uint_eq(count_lines(pairs), count_lines(credits));
        for (; *pair != '\0'; pair = strchr(pair, '\n') + 1, credit = strchr(credit, '\n') + 1) {
            int dutch = 0, english = 0, credited = 0;
            if (strncmp(pair, "kat 1 ", 6) != 0) { /* the other spelling of a repeated pair */
                ck_assert_int_eq(
                    sscanf(pair, "Kat '%d' slaapt.\tCat \"%d\" sleeps.\n", &dutch, &english), 2);
                ck_assert_int_eq(sscanf(credit, "CC-BY #%d (An)", &credited), 1);
                ck_assert_int_eq(dutch, english);
                ck_assert_int_eq(dutch, credited);
            }
            total++;
        }
        free(pairs);
        free(credits);
    }
    ck_assert_uint_eq(total, 20);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(reads_the_export_of_tatoeba)
{
    char text[4096] = "\xef\xbb\xbf"; /* it begins with a byte order mark */
    size_t used = strlen(text);
    for (int i = 0; i < 20; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%d\tKat %d slaapt.\t%d\tCat %d sleeps.\n", i, i, i + 100, i);
    }
    struct tolk_prepare_counts counts;
    char *folder = prepare(files_write_text("pairs.tsv", text), &counts);
    ck_assert_uint_eq(counts.read, 20);
    ck_assert_uint_eq(counts.train, 15);
    char *pairs = read_in(folder, "test.tsv"), *credits = read_in(folder, "test.attribution.tsv");
    int dutch = 0, english = 0, first = 0, second = 0;
    ck_assert_int_eq(sscanf(pairs, "Kat %d slaapt.\tCat %d sleeps.\n", &dutch, &english), 2);
    ck_assert_int_eq(sscanf(credits, "tatoeba.org #%d & #%d\n", &first, &second), 2);
    ck_assert_int_eq(dutch, english);
    ck_assert_int_eq(dutch, first);
    ck_assert_int_eq(dutch + 100, second);
    free(pairs);
    free(credits);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Reverses the order of the lines. */
static const char *write_reversed(const char *path)
{
    size_t size = 0, used = 0;
    char *text = tolk_test_read(path, &size), *reversed = malloc(size);
    while (size > 0) {
        size_t begin = size - 1;
        while (begin > 0 && text[begin - 1] != '\n') {
            begin--;
        }
        memcpy(reversed + used, text + begin, size - begin);
        used += size - begin;
        size = begin;
    }
    const char *written = files_write("reversed.txt", reversed, used);
    free(reversed);
    free(text);
    return written;
}

START_TEST(does_not_depend_on_the_order_of_the_lines)
{
    struct tolk_prepare_counts counts;
    const char *path = write_manythings();
    char *first = prepare(path, &counts), *second = prepare(write_reversed(path), &counts);
    static const char *const names[] = {"train.tsv", "dev.tsv", "test.attribution.tsv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *a = read_in(first, names[i]), *b = read_in(second, names[i]);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
    }
    tolk_test_folder_remove(first);
    tolk_test_folder_remove(second);
}
END_TEST

START_TEST(refuses_and_says_where)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a\tb\tx\n<html>\n", ":2: expected English<TAB>Dutch<TAB>attribution or "
                              "number<TAB>Dutch<TAB>number<TAB>English, found another form"},
        {"1\ta\tx\tb\n", ":1: expected English<TAB>Dutch<TAB>attribution or "
                         "number<TAB>Dutch<TAB>number<TAB>English, found another form"},
        {"1\ta\t2\tb\tc\n", ":1: expected English<TAB>Dutch<TAB>attribution or "
                            "number<TAB>Dutch<TAB>number<TAB>English, found another form"},
        {"", ": expected enough pairs for 2 in dev, 3 in test and more in train, found 0"},
        {"a\tb\tx\nc\td\tx\n",
         ": expected enough pairs for 2 in dev, 3 in test and more in train, found 2"},
    };
    char *folder = tolk_test_folder(), expected[2048];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tolk_prepare_counts counts;
        struct tolk_error error;
        const char *path = files_write_text("foreign.txt", cases[i].text);
        ck_assert_int_eq(tolk_prepare(path, folder, &SMALL, &counts, &error), -1);
        snprintf(expected, sizeof expected, "%s%s", path, cases[i].message);
        ck_assert_str_eq(error.message, expected);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("prepare", filters_and_counts, writes_pairs_and_attributions_line_by_line,
           reads_the_export_of_tatoeba, does_not_depend_on_the_order_of_the_lines,
           refuses_and_says_where)
