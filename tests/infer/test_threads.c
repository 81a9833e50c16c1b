/* Whole batches to each thread: what comes out tells neither the number of threads nor the size of
 * the batches. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "tests/support/suite.h"

#include <link.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/commands.h"
#include "model/model.h"
#include "tests/support/folder.h"
#include "tests/support/run.h"
#include "tests/support/tiny.h"

enum { LINES = 2200, LINE_BYTES = 400, MOST_ARGUMENTS = 12 };

static const char *const WORDS[] = {"De",  "kat",    "zit",     "hond",  "fiets", "boek",
                                    "Het", "regent", "slaapt.", "tuin?", "mijn",  "mat."};
enum { WORD_COUNT = sizeof WORDS / sizeof WORDS[0] };

/* A line of less than `most` words, the lengths in no order; `seed` names it. */
static void add_line(char *text, size_t seed, size_t most)
{
    const size_t words = seed * seed * 7 % 23 % most;
    for (size_t w = 0; w < words; w++) {
        strcat(text, w > 0 ? " " : "");
        strcat(text, WORDS[(seed * 31 + w * w * 5 + w) % WORD_COUNT]);
    }
}

/* Lines of wildly different lengths, blank ones among them; NULL `between` for single sentences. */
static char *write_lines(const char *folder, const char *name, size_t count, const char *between)
{
    char *const text = calloc(count * 2, LINE_BYTES);
    char *end = text;
    for (size_t i = 0; i < count; i++) {
        if (between != NULL) {
            strcat(end, "De ");
        }
        add_line(end, i, between != NULL ? 5 : 21);
        if (between != NULL) {
            strcat(end, between);
            add_line(end, i + 5, 5);
        }
        strcat(end, "\n");
        end += strlen(end);
    }
    char *const path = tolk_test_write_text(folder, name, text, strlen(text));
    free(text);
    return path;
}

/* Runs the command for 1, 2 and 4 threads and small batches, and expects the same of each. */
static char *check_threads(tolk_test_command *command, const char *const *given)
{
    static const char *const threads[] = {"1", "2", "4"};
    static const char *const batches[] = {"1024", "37"};
    char *first = NULL;
    for (size_t t = 0; t < 3; t++) {
        for (size_t b = 0; b < 2; b++) {
            const char *arguments[MOST_ARGUMENTS] = {"-t", threads[t], "--batch-tokens",
                                                     batches[b]};
            for (size_t i = 0; given[i] != NULL; i++) {
                arguments[4 + i] = given[i];
            }
            struct tolk_test_ran ran = tolk_test_run(command, arguments);
            ck_assert_msg(ran.status == 0, "%s", ran.log);
            if (first == NULL) {
                first = strdup(ran.out);
            }
            ck_assert_msg(strcmp(first, ran.out) == 0, "%s threads, batches of %s", threads[t],
                          batches[b]);
            tolk_test_ran_free(&ran);
        }
    }
    return first;
}

#define CHECK_THREADS(command, ...) check_threads(command, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(translations_are_the_same_for_any_number_of_threads)
{
    enum { SOME = 150 };
    char *const folder = tolk_test_tiny_folder(3);
    char *const lines = write_lines(folder, "lines", LINES, NULL);
    char *const some = write_lines(folder, "some", SOME, NULL);
    struct tolk_test_ran all = TOLK_TEST_RUN(tolk_command_translate, folder, lines, "-t", "4");
    ck_assert_msg(all.status == 0, "%s", all.log);
    ck_assert_uint_eq(tolk_test_count_lines(all.out), LINES);

    /* In order: each line as if alone. */
    const char *at = all.out;
    for (size_t i = 0; i < LINES; i++, at = strchr(at, '\n') + 1) {
        if (i % 97 == 0) {
            char line[LINE_BYTES] = "";
            add_line(line, i, 21);
            char *const one = tolk_test_write_text(folder, "one", line, strlen(line));
            struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, one);
            const size_t length = strcspn(at, "\n");
            ck_assert_uint_eq(strcspn(ran.out, "\n"), strlen(line) == 0 ? 0 : length);
            ck_assert_int_eq(strncmp(ran.out, at, strlen(line) == 0 ? 0 : length), 0);
            tolk_test_ran_free(&ran);
            free(one);
        }
    }
    tolk_test_ran_free(&all);
    free(CHECK_THREADS(tolk_command_translate, folder, some));
    free(CHECK_THREADS(tolk_command_translate, folder, some, "--n-best", "3"));
    free(CHECK_THREADS(tolk_command_translate, folder, some, "--alignment", "soft", "--beam", "2"));
    free(CHECK_THREADS(tolk_command_translate, folder, some, "--json", "--alignment", "hard"));
    free(some);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(readings_of_pairs_are_the_same_for_any_number_of_threads)
{
    enum { SOME = 150 };
    char *const folder = tolk_test_tiny_folder(4);
    char *const pairs = write_lines(folder, "pairs", SOME, "\tThe ");
    char *const scores = CHECK_THREADS(tolk_command_score, folder, pairs, "--word-scores");
    ck_assert_uint_eq(tolk_test_count_lines(scores), SOME);
    free(scores);
    char *const links = CHECK_THREADS(tolk_command_align, folder, pairs);
    free(CHECK_THREADS(tolk_command_align, folder, pairs, "--alignment", "soft"));
    free(CHECK_THREADS(tolk_command_align, folder, pairs, "--json"));
    free(CHECK_THREADS(tolk_command_evaluate, folder, pairs));
    ck_assert_uint_eq(tolk_test_count_lines(links), SOME);
    free(links);
    free(pairs);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(lines_before_a_bad_one_are_translated)
{
    char *const folder = tolk_test_tiny_folder(3);
    char *const good = write_lines(folder, "good", LINES, NULL);
    size_t size = 0;
    char *const text = tolk_test_read(good, &size);
    /* The bad one is the first of the last ten, in the second window. */
    char *bad = text + size - 1;
    for (size_t i = 0; i < 10; bad--) {
        i += bad[-1] == '\n';
    }
    bad[1] = '\xff';
    char *const path = tolk_test_write_text(folder, "bad", text, size);
    struct tolk_test_ran whole = TOLK_TEST_RUN(tolk_command_translate, folder, good, "-t", "3");
    struct tolk_test_ran ran = TOLK_TEST_RUN(tolk_command_translate, folder, path, "-t", "3");
    ck_assert_int_eq(ran.status, TOLK_FAILED);
    ck_assert_uint_eq(tolk_test_count_lines(ran.out), LINES - 10);
    ck_assert_int_eq(strncmp(ran.out, whole.out, strlen(ran.out)), 0);
    ck_assert_ptr_nonnull(strstr(ran.log, "bad:2191: byte 1 (0xff) is not UTF-8"));
    tolk_test_ran_free(&ran);
    tolk_test_ran_free(&whole);
    free(path);
    free(text);
    free(good);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Writes the folder's model again with one damaged number of the decoder. */
static void damage(const char *folder)
{
    struct tolk_error error;
    struct tolk_model model;
    ck_assert_msg(tolk_model_load(&model, folder, &error) == 0, "%s", error.message);
    model.weights.decoder[0].cross.q.weight[0] = NAN;
    ck_assert_msg(tolk_model_save(&model, model.values, folder, &error) == 0, "%s", error.message);
    tolk_model_free(&model);
}

START_TEST(a_damaged_model_is_an_error_on_any_thread)
{
    static const char *const threads[] = {"1", "4"};
    char *const folder = tolk_test_tiny_folder(3);
    char *const lines = write_lines(folder, "lines", 100, NULL);
    char *const pairs = write_lines(folder, "pairs", 100, "\tThe ");
    damage(folder);
    for (size_t t = 0; t < 2; t++) {
        const struct {
            tolk_test_command *command;
            const char *input;
            const char *message;
        } cases[] = {
            {tolk_command_translate, lines, "the model's scores are not numbers"},
            {tolk_command_score, pairs, "the model's scores are not numbers"},
            {tolk_command_align, pairs, "the model's attention is no number"},
            {tolk_command_evaluate, pairs, "the model's scores are not numbers"},
        };
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            struct tolk_test_ran ran =
                TOLK_TEST_RUN(cases[c].command, folder, cases[c].input, "-t", threads[t]);
            ck_assert_int_eq(ran.status, TOLK_FAILED);
            ck_assert_str_eq(ran.out, "");
            ck_assert_msg(strstr(ran.log, cases[c].message) != NULL, "%s", ran.log);
            tolk_test_ran_free(&ran);
        }
    }
    free(pairs);
    free(lines);
    tolk_test_folder_remove(folder);
}
END_TEST

/* The codec is loaded beside the model. */
START_TEST(of_two_damaged_files_the_same_is_named_on_any_thread)
{
    static const char *const threads[] = {"1", "2", "4"};
    char *const folder = tolk_test_tiny_folder(1);
    free(tolk_test_write_text(folder, "source.spm", "no model", strlen("no model")));
    for (size_t damaged = 0; damaged < 2; damaged++) {
        for (size_t t = 0; t < 3; t++) {
            struct tolk_test_ran ran =
                TOLK_TEST_RUN(tolk_command_translate, folder, "/dev/null", "-t", threads[t]);
            ck_assert_int_eq(ran.status, TOLK_FAILED);
            ck_assert_msg(strstr(ran.log, damaged ? "config.json" : "source.spm") != NULL, "%s",
                          ran.log);
            tolk_test_ran_free(&ran);
        }
        free(tolk_test_write_text(folder, "config.json", "{", 1));
    }
    tolk_test_folder_remove(folder);
}
END_TEST

static int measure(struct dl_phdr_info *object, size_t size, void *largest)
{
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *const segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_TLS && segment->p_memsz > *(size_t *)largest) {
            *(size_t *)largest = segment->p_memsz;
        }
    }
    return 0;
}

/* The loader clears a thread's variables as it begins: megabytes of them were a millisecond of
 * each start. */
START_TEST(threads_begin_without_large_arrays)
{
    size_t largest = 0;
    dl_iterate_phdr(measure, &largest);
    ck_assert_uint_gt(largest, 0);
    ck_assert_uint_lt(largest, 64 << 10);
}
END_TEST

TOLK_SUITE("threads", translations_are_the_same_for_any_number_of_threads,
           readings_of_pairs_are_the_same_for_any_number_of_threads,
           lines_before_a_bad_one_are_translated, a_damaged_model_is_an_error_on_any_thread,
           of_two_damaged_files_the_same_is_named_on_any_thread, threads_begin_without_large_arrays)
