/* The aligner as a whole: against gold of the toy language and of real pairs. */
#include "tests/support/suite.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "align/aligner.h"
#include "align/hmm.h"
#include "corpora/generate.h"
#include "corpora/gold.h"
#include "infer/aer.h"
#include "tests/support/files.h"

static struct tolk_links *align(const struct tolk_pairs *pairs)
{
    const struct tolk_aligner_options options = tolk_aligner_options_default();
    struct tolk_links *const links = calloc(pairs->count, sizeof *links);
    struct tolk_error error;
    ck_assert_ptr_nonnull(links);
    ck_assert_msg(tolk_align_pairs(pairs, &options, links, &error) == 0, "%s", error.message);
    return links;
}

static void free_links(struct tolk_links *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tolk_links_free(&links[i]);
    }
    free(links);
}

static void read_pairs(const char *path, struct tolk_pairs *pairs)
{
    const struct tolk_pairs_options options = {0};
    struct tolk_error error;
    ck_assert_msg(tolk_pairs_read_tsv(path, &options, pairs, &error) == 0, "%s", error.message);
}

/* Pairs of the toy language with their gold links. */
static void draw_toy(size_t count, struct tolk_pairs *pairs)
{
    const struct tolk_corpus_options options = {.seed = 1, .wanted = {[TOLK_TRAIN] = count}};
    struct tolk_grammar *grammar = NULL;
    struct tolk_corpus corpus = {0};
    struct tolk_error error;
    size_t size;
    ck_assert_msg(tolk_grammar_load(&grammar, "corpora/nl-en.grammar", &error) == 0, "%s",
                  error.message);
    ck_assert_msg(tolk_corpus_generate(grammar, &options, &corpus, &error) == 0, "%s",
                  error.message);
    char *const text = tolk_corpus_text(&corpus, TOLK_TRAIN, &size);
    ck_assert_ptr_nonnull(text);
    read_pairs(files_write("toy.tsv", text, size), pairs);
    free(text);
    tolk_corpus_free(&corpus);
    tolk_grammar_free(grammar);
}

START_TEST(is_the_same_for_any_number_of_threads)
{
    enum { PAIRS = 2000 };
    struct tolk_pairs pairs;
    draw_toy(PAIRS, &pairs);
    omp_set_num_threads(1);
    struct tolk_links *const alone = align(&pairs);
    omp_set_num_threads(3);
    struct tolk_links *const together = align(&pairs);
    for (size_t i = 0; i < pairs.count; i++) {
        char *const expected = tolk_links_format(&alone[i]);
        char *const found = tolk_links_format(&together[i]);
        ck_assert_str_eq(found, expected);
        free(expected);
        free(found);
    }
    free_links(alone, pairs.count);
    free_links(together, pairs.count);
    tolk_pairs_free(&pairs);
}
END_TEST

/* AER 0.040, precision 0.991: what it finds is right. What it leaves out is the second link of a
 * word that is two on the other side (kindjes: little children; gooit … weg: throws away), which a
 * model in which one word writes each word cannot have in either direction. */
START_TEST(learns_the_toy_language)
{
    enum { PAIRS = 4000 };
    struct tolk_pairs pairs;
    struct tolk_aer aer = {0};
    draw_toy(PAIRS, &pairs);
    ck_assert(pairs.aligned);
    struct tolk_links *const links = align(&pairs);
    for (size_t i = 0; i < pairs.count; i++) {
        tolk_aer_add(&aer, &links[i], &pairs.items[i].links);
    }
    ck_assert_double_le(tolk_aer_rate(&aer), 0.05);
    ck_assert_double_ge(tolk_aer_precision(&aer), 0.98);
    free_links(links, pairs.count);
    tolk_pairs_free(&pairs);
}
END_TEST

/* TOLK_ALIGNER_LONGEST + 1 words; the caller frees them. */
static char *long_sentence(void)
{
    enum { WORDS = TOLK_ALIGNER_LONGEST + 1 };
    char *const text = calloc(2 * WORDS + 1, 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < WORDS; i++) {
        memcpy(text + 2 * i, "a ", 2);
    }
    return text;
}

START_TEST(leaves_what_is_too_long_or_empty)
{
    char *const longer = long_sentence();
    struct tolk_pair items[] = {
        {.source = longer, .target = "x"}, {.source = "x", .target = longer},
        {.source = "", .target = "x"},     {.source = "x", .target = ""},
        {.source = "ja", .target = "yes"},
    };
    const struct tolk_pairs pairs = {.items = items, .count = sizeof items / sizeof items[0]};
    struct tolk_links *const links = align(&pairs);
    for (size_t i = 0; i + 1 < pairs.count; i++) {
        ck_assert_uint_eq(links[i].count, 0);
    }
    ck_assert_uint_eq(links[pairs.count - 1].count, 1);
    free_links(links, pairs.count);
    free(longer);
}
END_TEST

/* The items of both, borrowed: first those of `more`. */
static struct tolk_pairs join(const struct tolk_pairs *more, const struct tolk_pairs *pairs)
{
    struct tolk_pairs joint = {.count = more->count + pairs->count};
    joint.items = calloc(joint.count, sizeof *joint.items);
    ck_assert_ptr_nonnull(joint.items);
    memcpy(joint.items, more->items, more->count * sizeof *joint.items);
    memcpy(joint.items + more->count, pairs->items, pairs->count * sizeof *joint.items);
    return joint;
}

/* 0.070 on 150 pairs that people aligned; fast_align has 0.082 and eflomal 0.080 there. The bound
 * is the better of them: behind it this aligner would have no reason to be. */
START_TEST(aligns_real_pairs_as_well_as_the_best)
{
    static const double EFLOMAL = 0.080;
    if (getenv("TOLK_TEST_SLOW") != NULL) {
        TOLK_SKIP("too slow under sanitizers or valgrind");
    }
    if (files_tatoeba("train.tsv") == NULL || files_tatoeba("dev.gold-alignment.tsv") == NULL) {
        TOLK_SKIP("no real corpus ($TOLK_TATOEBA)");
    }
    struct tolk_pairs train, dev;
    struct tolk_gold gold;
    struct tolk_error error;
    struct tolk_aer aer = {0};
    read_pairs(files_tatoeba("train.tsv"), &train);
    read_pairs(files_tatoeba("dev.tsv"), &dev);
    ck_assert_msg(tolk_gold_read(files_tatoeba("dev.gold-alignment.tsv"), &dev, &gold, &error) == 0,
                  "%s", error.message);
    struct tolk_pairs joint = join(&train, &dev);
    struct tolk_links *const links = align(&joint);
    for (size_t i = 0; i < gold.count; i++) {
        tolk_aer_add(&aer, &links[train.count + gold.items[i].pair], &gold.items[i].links);
    }
    ck_assert_double_le(tolk_aer_rate(&aer), EFLOMAL);
    free_links(links, joint.count);
    free(joint.items);
    tolk_gold_free(&gold);
    tolk_pairs_free(&dev);
    tolk_pairs_free(&train);
}
END_TEST

TOLK_SUITE("aligner", is_the_same_for_any_number_of_threads, learns_the_toy_language,
           leaves_what_is_too_long_or_empty, aligns_real_pairs_as_well_as_the_best)
