/* Where the links of guided alignment come from, and what is wrong with them. */
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/files.h"
#include "train/links.h"

static const char CORPUS[] = "de kat\tthe cat\n"
                             "\tno source\n"
                             "een hond slaapt\ta dog sleeps\n";
static const char LINKED[] = "de kat\tthe cat\t0-0 1-1\n"
                             "een hond slaapt\ta dog sleeps\t2-2\n";

/* Reads the corpus and its links as the options say; the error is left in `error`. */
static int read_links(const char *corpus, const char *from, struct tolk_training_corpus *read,
                      struct tolk_error *error)
{
    const char *path = files_write_text("corpus.tsv", corpus);
    const struct tolk_training_options options = {
        .train = path, .dev = path, .skip_bad = true, .guided_alignment = from};
    struct tolk_progress progress;
    FILE *silent = tmpfile();
    tolk_progress_begin(&progress, silent);
    ck_assert_msg(tolk_training_corpus_read(read, &options, error) == 0, "%s", error->message);
    const int result = tolk_training_links(read, &options, &progress, error);
    fclose(silent);
    return result;
}

static void assert_refused(const char *corpus, const char *links, const char *message)
{
    struct tolk_training_corpus read;
    struct tolk_error error;
    const char *from = links != NULL ? files_write_text("links", links) : "corpus";
    ck_assert_int_eq(read_links(corpus, from, &read, &error), -1);
    ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
    tolk_training_corpus_free(&read);
}

static void assert_links(const struct tolk_training_corpus *corpus, size_t pair,
                         const char *expected)
{
    char *text = tolk_links_format(&corpus->train.items[pair].links);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(of_a_file)
{
    struct tolk_training_corpus read;
    struct tolk_error error;
    /* The second line belongs to a line that the corpus skips: whatever it holds. */
    const char *path = files_write_text("links", "1-0 0-1\n9-9\n2-1 2p2");
    ck_assert_msg(read_links(CORPUS, path, &read, &error) == 0, "%s", error.message);
    assert_links(&read, 0, "0-1 1-0");
    assert_links(&read, 1, "2-1 2p2");
    tolk_training_corpus_free(&read);
}
END_TEST

START_TEST(of_the_corpus)
{
    struct tolk_training_corpus read;
    struct tolk_error error;
    ck_assert_msg(read_links(LINKED, "corpus", &read, &error) == 0, "%s", error.message);
    assert_links(&read, 0, "0-0 1-1");
    assert_links(&read, 1, "2-2");
    tolk_training_corpus_free(&read);
}
END_TEST

/* The same few words again and again: even so little is aligned. */
START_TEST(of_the_aligner)
{
    struct tolk_training_corpus read;
    struct tolk_error error;
    char corpus[4096] = "";
    for (size_t i = 0; i < 8; i++) {
        strcat(corpus, "de kat slaapt\tthe cat sleeps\nde hond slaapt\tthe dog sleeps\n"
                       "de hond eet\tthe dog eats\neen kat eet\ta cat eats\n");
    }
    ck_assert_msg(read_links(corpus, "auto", &read, &error) == 0, "%s", error.message);
    assert_links(&read, 0, "0-0 1-1 2-2");
    assert_links(&read, 31, "0-0 1-1 2-2");
    tolk_training_corpus_free(&read);
}
END_TEST

START_TEST(wrong_files_are_named)
{
    assert_refused(CORPUS, "0-0\n\n", "links:2: expected 3 lines of links, as many as the corpus");
    assert_refused(CORPUS, "0-0\n\n\n\n", "links:4: expected 3 lines of links, as many as the co");
    assert_refused(CORPUS, "0-0\n\n2-2 3-0\n", "links:3: column 5 of the alignment: ");
    assert_refused(CORPUS, "0-0 1:1\n\n\n", "links:1: column 5 of the alignment: ");
    assert_refused(CORPUS, "\n0-0\n\n", "found no link");
    assert_refused(CORPUS, NULL, "corpus.tsv: option --guided-alignment corpus expects links");
    struct tolk_training_corpus read;
    struct tolk_error error;
    ck_assert_int_eq(read_links(CORPUS, "/nowhere/links", &read, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere/links"));
    tolk_training_corpus_free(&read);
}
END_TEST

/* A resumed training knows its links again. */
START_TEST(other_links_have_another_hash)
{
    struct tolk_error error;
    int64_t hashes[4];
    const char *const texts[] = {NULL, "0-0\n\n1-1\n", "0-0\n\n1-2\n", "0-0 1-1\n\n\n"};
    for (size_t i = 0; i < 4; i++) {
        struct tolk_training_corpus read;
        const char *from = texts[i] != NULL ? files_write_text("links", texts[i]) : NULL;
        ck_assert_int_eq(read_links(CORPUS, from, &read, &error), 0);
        hashes[i] = read.hash;
        for (size_t j = 0; j < i; j++) {
            ck_assert_int_ne(hashes[i], hashes[j]);
        }
        tolk_training_corpus_free(&read);
    }
}
END_TEST

TOLK_SUITE("links", of_a_file, of_the_corpus, of_the_aligner, wrong_files_are_named,
           other_links_have_another_hash)
