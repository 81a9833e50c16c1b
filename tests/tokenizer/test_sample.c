#include "tests/support/suite.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/tokenizers.h"
#include "tokenizer/tokenizer.h"

#define MARK "\xe2\x96\x81"

/* A count may lie this many standard deviations from its expectation. */
#define DEVIATIONS 5.0

static void encode(const struct tolk_tokenizer *tokenizer, const char *text,
                   struct tolk_pieces *pieces)
{
    struct tolk_error error = {""};
    const int status = tolk_tokenizer_encode(tokenizer, text, strlen(text), pieces, &error);
    ck_assert_msg(status == 0, "%s", error.message);
}

static void sample(const struct tolk_tokenizer *tokenizer, const char *text, int nbest,
                   double alpha, struct tolk_random_key key, struct tolk_pieces *pieces)
{
    struct tolk_error error = {""};
    const int status =
        tolk_tokenizer_sample(tokenizer, text, strlen(text), nbest, alpha, key, pieces, &error);
    ck_assert_msg(status == 0, "%s", error.message);
}

static struct tolk_tokenizer *written(const struct tokenizers_piece *pieces, size_t count,
                                      enum tolk_model_kind kind)
{
    size_t size;
    struct tolk_error error = {""};
    unsigned char *model = tokenizers_write(pieces, count, kind, &size);
    struct tolk_tokenizer *tokenizer = tolk_tokenizer_from_memory(model, size, "written", &error);
    ck_assert_msg(tokenizer != NULL, "%s", error.message);
    free(model);
    return tokenizer;
}

static void same_pieces(const struct tolk_pieces *a, const struct tolk_pieces *b)
{
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_mem_eq(a->ids, b->ids, a->count * sizeof *a->ids);
    ck_assert_mem_eq(a->begin, b->begin, a->count * sizeof *a->begin);
    ck_assert_mem_eq(a->end, b->end, a->count * sizeof *a->end);
}

static void near_expectation(size_t counted, size_t draws, double probability, const char *what)
{
    const double expected = (double)draws * probability;
    const double deviation = sqrt(expected * (1.0 - probability));
    ck_assert_msg(fabs((double)counted - expected) <= DEVIATIONS * deviation,
                  "%s: drawn %zu times, expected %.0f with a deviation of %.0f", what, counted,
                  expected, deviation);
}

/* ---- unigram ----------------------------------------------------------------------------------*/

/* All segmentations of "▁aba" over these pieces, with their log-probabilities. */
static const struct tokenizers_piece aba_pieces[] = {
    {"</s>", 0, TOLK_PIECE_CONTROL},       {"<unk>", 0, TOLK_PIECE_UNKNOWN},
    {MARK, -2.0F, TOLK_PIECE_NORMAL},      {"a", -1.5F, TOLK_PIECE_NORMAL},
    {"b", -2.5F, TOLK_PIECE_NORMAL},       {"ab", -2.2F, TOLK_PIECE_NORMAL},
    {"ba", -3.1F, TOLK_PIECE_NORMAL},      {MARK "a", -2.4F, TOLK_PIECE_NORMAL},
    {MARK "ab", -3.7F, TOLK_PIECE_NORMAL},
};
enum { ABA_PIECES = sizeof aba_pieces / sizeof aba_pieces[0] };

static const struct {
    const char *pieces;
    double score;
} aba_ways[] = {
    {MARK "ab|a", -5.2},  {MARK "a|ba", -5.5},  {MARK "|ab|a", -5.7},
    {MARK "a|b|a", -6.4}, {MARK "|a|ba", -6.6}, {MARK "|a|b|a", -7.5},
};
enum { ABA_WAYS = sizeof aba_ways / sizeof aba_ways[0] };

/* Draws many times; the counts must follow exp(alpha · score) over the `ways` best. */
static void check_frequencies(int nbest, double alpha, size_t ways)
{
    enum { DRAWS = 20000 };
    struct tolk_tokenizer *tokenizer = written(aba_pieces, ABA_PIECES, TOLK_MODEL_UNIGRAM);
    struct tolk_pieces pieces = {0};
    size_t counts[ABA_WAYS] = {0};
    double sum = 0.0;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        sample(tokenizer, "aba", nbest, alpha, tolk_random_key(11, draw, 5), &pieces);
        char *shown = tokenizers_show(tokenizer, &pieces);
        size_t way = 0;
        while (way < ABA_WAYS && strcmp(aba_ways[way].pieces, shown) != 0) {
            way++;
        }
        ck_assert_msg(way < ways, "%s was drawn", shown);
        counts[way]++;
        free(shown);
    }
    for (size_t i = 0; i < ways; i++) {
        sum += exp(alpha * aba_ways[i].score);
    }
    for (size_t i = 0; i < ways; i++) {
        near_expectation(counts[i], DRAWS, exp(alpha * aba_ways[i].score) / sum,
                         aba_ways[i].pieces);
    }
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}

START_TEST(all_segmentations_are_drawn_by_their_probability)
{
    check_frequencies(-1, 1.0, ABA_WAYS);
    check_frequencies(-1, 0.3, ABA_WAYS);
    check_frequencies(-1, 0.0, ABA_WAYS);
}
END_TEST

START_TEST(the_best_segmentations_are_drawn_by_their_probability)
{
    check_frequencies(2, 1.0, 2);
    check_frequencies(4, 0.5, 4);
    check_frequencies(64, 1.0, ABA_WAYS);
}
END_TEST

/* With a large alpha only the best segmentation has weight: the library's own search finds it. */
START_TEST(a_sharp_draw_is_the_best_segmentation)
{
    static const int nbest[] = {-1, 0, 1, 2, 8};
    const double sharp = 1e5;
    const char *const *sentences = tokenizers_sentences();
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_pieces best = {0}, drawn = {0};
    for (uint32_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        encode(tokenizer, sentences[i], &best);
        for (size_t j = 0; j < sizeof nbest / sizeof nbest[0]; j++) {
            sample(tokenizer, sentences[i], nbest[j], sharp, tolk_random_key(1, i, j), &drawn);
            same_pieces(&best, &drawn);
        }
    }
    tolk_pieces_free(&best);
    tolk_pieces_free(&drawn);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(unknown_characters_are_drawn_as_unknown)
{
    struct tolk_tokenizer *tokenizer = written(aba_pieces, ABA_PIECES, TOLK_MODEL_UNIGRAM);
    struct tolk_pieces pieces = {0};
    for (uint32_t draw = 0; draw < 100; draw++) {
        sample(tokenizer, "xyabz", -1, 0.5, tolk_random_key(2, draw, 0), &pieces);
        char *shown = tokenizers_show(tokenizer, &pieces);
        ck_assert_msg(strcmp(shown, MARK "|<unk>|ab|<unk>") == 0 ||
                          strcmp(shown, MARK "|<unk>|a|b|<unk>") == 0,
                      "%s", shown);
        ck_assert_uint_eq(pieces.end[1], 2);
        free(shown);
    }
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

/* ---- byte-pair encoding -----------------------------------------------------------------------*/

/* With a dropout too small to be drawn the merges are all ours, the result the library's. */
START_TEST(merges_without_dropout_are_the_librarys)
{
    static const double dropout[] = {0.0, 1e-30};
    const char *const *sentences = tokenizers_sentences();
    struct tolk_tokenizer *tokenizer = tokenizers_trained(TOLK_BPE);
    struct tolk_pieces best = {0}, drawn = {0};
    for (uint32_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        encode(tokenizer, sentences[i], &best);
        for (size_t j = 0; j < 2; j++) {
            /* A draw of exactly 0 is below any dropout; none of these keys gives one. */
            sample(tokenizer, sentences[i], -1, dropout[j], tolk_random_key(1, i, j), &drawn);
            same_pieces(&best, &drawn);
        }
    }
    tolk_pieces_free(&best);
    tolk_pieces_free(&drawn);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(the_leftmost_of_equal_merges_comes_first)
{
    const struct tokenizers_piece runs[] = {
        {"</s>", 0, TOLK_PIECE_CONTROL}, {"<unk>", 0, TOLK_PIECE_UNKNOWN},
        {"aa", 0, TOLK_PIECE_NORMAL},    {MARK, -1, TOLK_PIECE_NORMAL},
        {"a", -2, TOLK_PIECE_NORMAL},
    };
    struct tolk_tokenizer *tokenizer = written(runs, 5, TOLK_MODEL_BPE);
    struct tolk_pieces best = {0}, drawn = {0};
    encode(tokenizer, "aaaaa", &best);
    sample(tokenizer, "aaaaa", -1, 1e-30, tolk_random_key(1, 1, 1), &drawn);
    same_pieces(&best, &drawn);
    char *shown = tokenizers_show(tokenizer, &drawn);
    ck_assert_str_eq(shown, MARK "|aa|aa|a");
    free(shown);
    tolk_pieces_free(&best);
    tolk_pieces_free(&drawn);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(a_merge_is_left_out_as_often_as_asked)
{
    enum { DRAWS = 20000, LONGEST = 3 };
    const double dropout = 0.3, joined = 1.0 - dropout;
    const struct tokenizers_piece pairs[] = {
        {"</s>", 0, TOLK_PIECE_CONTROL}, {"<unk>", 0, TOLK_PIECE_UNKNOWN},
        {"ab", 0, TOLK_PIECE_NORMAL},    {MARK "ab", -1, TOLK_PIECE_NORMAL},
        {MARK, -2, TOLK_PIECE_NORMAL},   {"a", -3, TOLK_PIECE_NORMAL},
        {"b", -4, TOLK_PIECE_NORMAL},
    };
    struct tolk_tokenizer *tokenizer = written(pairs, 7, TOLK_MODEL_BPE);
    struct tolk_pieces pieces = {0};
    size_t by_length[LONGEST + 1] = {0};
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        sample(tokenizer, "ab", 0, dropout, tolk_random_key(4, draw, 0), &pieces);
        ck_assert_uint_le(pieces.count, LONGEST);
        by_length[pieces.count]++;
    }
    near_expectation(by_length[1], DRAWS, joined * joined, "both merges");
    near_expectation(by_length[2], DRAWS, joined * dropout, "the first merge alone");
    near_expectation(by_length[3], DRAWS, dropout, "no merge");
    sample(tokenizer, "ab", 0, 1.0, tolk_random_key(4, 0, 0), &pieces);
    ck_assert_uint_eq(pieces.count, LONGEST);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
}
END_TEST

/* ---- both -------------------------------------------------------------------------------------*/

START_TEST(every_draw_spells_the_sentence)
{
    static const enum tolk_tokenizer_kind kinds[] = {TOLK_UNIGRAM, TOLK_BPE};
    const char *const *sentences = tokenizers_sentences();
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer *tokenizer = tokenizers_trained(kinds[k]);
        struct tolk_pieces best = {0}, drawn = {0};
        size_t other = 0;
        for (uint32_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
            char *text = NULL;
            encode(tokenizer, sentences[i], &best);
            sample(tokenizer, sentences[i], i % 2 == 0 ? -1 : 16, 0.2, tolk_random_key(9, i, 0),
                   &drawn);
            ck_assert_int_eq(tolk_tokenizer_decode(tokenizer, drawn.ids, drawn.count, &text, NULL),
                             0);
            ck_assert_str_eq(text, sentences[i]);
            other += best.count != drawn.count;
            free(text);
        }
        ck_assert_uint_gt(other, TOKENIZERS_SENTENCES / 4);
        tolk_pieces_free(&best);
        tolk_pieces_free(&drawn);
        tolk_tokenizer_free(tokenizer);
    }
}
END_TEST

struct work {
    const struct tolk_tokenizer *tokenizer;
    const char *const *sentences; /* made once: threads that made them anew would race */
    struct tolk_pieces pieces[TOKENIZERS_SENTENCES];
    int failures;
};

static void *draw_all(void *argument)
{
    struct work *work = argument;
    for (uint32_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
        const char *const text = work->sentences[i];
        work->failures += tolk_tokenizer_sample(work->tokenizer, text, strlen(text), -1, 0.2,
                                                tolk_random_key(5, i, 0), &work->pieces[i], NULL);
    }
    return NULL;
}

START_TEST(a_draw_depends_on_its_key_alone)
{
    enum { THREADS = 4 };
    static const enum tolk_tokenizer_kind kinds[] = {TOLK_UNIGRAM, TOLK_BPE};
    static struct work alone, shared[THREADS];
    for (size_t k = 0; k < 2; k++) {
        struct tolk_tokenizer *tokenizer = tokenizers_trained(kinds[k]);
        pthread_t threads[THREADS];
        alone.tokenizer = tokenizer;
        alone.sentences = tokenizers_sentences();
        draw_all(&alone);
        ck_assert_int_eq(alone.failures, 0);
        for (size_t t = 0; t < THREADS; t++) {
            shared[t].tokenizer = tokenizer;
            shared[t].sentences = alone.sentences;
            ck_assert_int_eq(pthread_create(&threads[t], NULL, draw_all, &shared[t]), 0);
        }
        for (size_t t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            ck_assert_int_eq(shared[t].failures, 0);
            for (size_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
                same_pieces(&shared[t].pieces[i], &alone.pieces[i]);
                tolk_pieces_free(&shared[t].pieces[i]);
            }
        }
        for (size_t i = 0; i < TOKENIZERS_SENTENCES; i++) {
            tolk_pieces_free(&alone.pieces[i]);
        }
        tolk_tokenizer_free(tokenizer);
    }
}
END_TEST

START_TEST(wrong_settings_are_refused)
{
    struct tolk_error error = {""};
    struct tolk_pieces pieces = {0};
    const struct tolk_random_key key = tolk_random_key(0, 0, 0);
    struct tolk_tokenizer *unigram = tokenizers_trained(TOLK_UNIGRAM);
    struct tolk_tokenizer *bpe = tokenizers_trained(TOLK_BPE);
    ck_assert_int_eq(tolk_tokenizer_sample(unigram, "a", 1, -1, -0.1, key, &pieces, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "alpha"));
    ck_assert_int_eq(tolk_tokenizer_sample(unigram, "a", 1, -1, NAN, key, &pieces, &error), -1);
    ck_assert_int_eq(
        tolk_tokenizer_sample(unigram, "a", 1, TOLK_NBEST_MAX + 1, 0.1, key, &pieces, &error), -1);
    ck_assert_int_eq(tolk_tokenizer_sample(bpe, "a", 1, -1, 1.5, key, &pieces, &error), -1);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(unigram);
    tolk_tokenizer_free(bpe);
}
END_TEST

TOLK_SUITE("sample", all_segmentations_are_drawn_by_their_probability,
           the_best_segmentations_are_drawn_by_their_probability,
           a_sharp_draw_is_the_best_segmentation, unknown_characters_are_drawn_as_unknown,
           merges_without_dropout_are_the_librarys, the_leftmost_of_equal_merges_comes_first,
           a_merge_is_left_out_as_often_as_asked, every_draw_spells_the_sentence,
           a_draw_depends_on_its_key_alone, wrong_settings_are_refused)
