#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "infer/forced.h"
#include "infer/search.h"
#include "model/safetensors.h"
#include "tests/support/tiny.h"

enum { VOCABULARY = 23, SENTENCES = 4 };

/* Ragged sentences of ids, each ended by eos; one is eos alone. */
static const int32_t SOURCE[] = {5, 9, 3, 0, 0, 7, 7, 2, 14, 20, 3, 11, 0, 21, 4, 0};
static const size_t BEGIN[SENTENCES + 1] = {0, 4, 5, 13, 16};

static struct tolk_batch batch_of(const size_t *begin, size_t sentences)
{
    return (struct tolk_batch){.sentences = sentences, .source_begin = begin, .source = SOURCE};
}

static void search(const struct tolk_model *model, const struct tolk_batch *batch,
                   const struct tolk_search_options *options, struct tolk_hypotheses *found)
{
    struct tolk_error error;
    struct tolk_inference_weights *const weights =
        tolk_inference_weights_make(model, TOLK_PANELS_REAL, &error);
    struct tolk_searcher *const searcher = tolk_searcher_create(weights, &error);
    ck_assert_msg(searcher != NULL, "%s", error.message);
    ck_assert_msg(tolk_search(searcher, batch, options, found, &error) == 0, "%s", error.message);
    tolk_searcher_free(searcher);
    tolk_inference_weights_free(weights);
}

static void free_all(struct tolk_hypotheses *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tolk_hypotheses_free(&found[i]);
    }
}

static struct tolk_sequence sentence(size_t s)
{
    return (struct tolk_sequence){SOURCE + BEGIN[s], BEGIN[s + 1] - BEGIN[s]};
}

struct collected {
    double *values;
    size_t length;
};

static int collect(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    (void)error;
    const struct collected *const collected = context;
    memcpy(collected->values, forced->log_probabilities, collected->length * sizeof(double));
    return 0;
}

/* log p of each target piece, by teacher forcing of one pair. */
static void force(const struct tolk_model *model, struct tolk_sequence source,
                  const int32_t *target, size_t length, double *log_probabilities)
{
    struct tolk_error error;
    const struct tolk_sequence sequence = {target, length};
    const struct tolk_forced_pairs pair = {&source, &sequence, 1, 1000, true};
    struct tolk_forcer *const forcer = tolk_forcer_create(model, &error);
    struct collected collected = {log_probabilities, length};
    ck_assert_msg(tolk_force_decode(forcer, &pair, collect, &collected, &error) == 0, "%s",
                  error.message);
    tolk_forcer_free(forcer);
}

/* The likeliest id behind `prefix`, by teacher forcing of the whole prefix. */
static int32_t likeliest(const struct tolk_model *model, struct tolk_sequence source,
                         const int32_t *prefix, size_t length)
{
    struct tolk_error error;
    int32_t input[64] = {model->config.decoder_start_token_id};
    memcpy(input + 1, prefix, length * sizeof *prefix);
    const size_t source_begin[] = {0, source.length};
    const size_t target_begin[] = {0, length + 1};
    const struct tolk_batch batch = {1, source_begin, source.ids, target_begin, input, input, NULL};
    struct tolk_workspace *const workspace = tolk_workspace_create(model, &error);
    ck_assert_int_eq(tolk_workspace_reserve(workspace, &batch, TOLK_FORWARD, &error), 0);
    tolk_transformer_forward(model, &batch, NULL, workspace);
    const real *const logits = tolk_workspace_logits(workspace) + length * VOCABULARY;
    int32_t best = 0;
    for (int32_t id = 1; id < VOCABULARY; id++) {
        if (id != model->config.pad_token_id && logits[id] > logits[best]) {
            best = id;
        }
    }
    tolk_workspace_free(workspace);
    return best;
}

static void check_greedy(bool scores)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 3);
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {1, 1, 1, 2, 6, scores};
    struct tolk_hypotheses found[SENTENCES];
    search(&model, &batch, &options, found);
    size_t kinds = 0;
    for (size_t s = 0; s < SENTENCES; s++) {
        const struct tolk_hypothesis *const best = &found[s].items[0];
        const size_t longest = 2 * (BEGIN[s + 1] - BEGIN[s]) + 6;
        ck_assert_uint_eq(found[s].count, 1);
        ck_assert_uint_le(best->length, longest);
        for (size_t i = 0; i < best->length; i++) {
            const int32_t expected =
                i + 1 == longest ? 0 : likeliest(&model, sentence(s), best->ids, i);
            ck_assert_int_eq(best->ids[i], expected);
            kinds += i > 0 && best->ids[i] != best->ids[i - 1];
        }
        ck_assert_int_eq(best->ids[best->length - 1], 0);
    }
    ck_assert_uint_gt(kinds, 4); /* else the model is too dull to tell anything */
    free_all(found, SENTENCES);
    tolk_model_free(&model);
}

START_TEST(beam_of_one_is_greedy)
{
    check_greedy(true);
}
END_TEST

START_TEST(without_scores_too)
{
    check_greedy(false);
}
END_TEST

START_TEST(scores_are_those_of_teacher_forcing)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 4);
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {4, 4, 0.6, 1, 5, true};
    struct tolk_hypotheses found[SENTENCES];
    search(&model, &batch, &options, found);
    for (size_t s = 0; s < SENTENCES; s++) {
        for (size_t h = 0; h < found[s].count; h++) {
            const struct tolk_hypothesis *const one = &found[s].items[h];
            double expected[64];
            double sum = 0;
            force(&model, sentence(s), one->ids, one->length, expected);
            for (size_t i = 0; i < one->length; i++) {
                ck_assert_double_eq_tol(one->log_probabilities[i], expected[i], 1e-4);
                sum += one->log_probabilities[i];
            }
            ck_assert_double_eq_tol(one->score, sum, 1e-9);
            ck_assert_double_eq_tol(one->normalised_score,
                                    one->score / pow((double)one->length, 0.6), 1e-9);
        }
    }
    free_all(found, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

static void assert_same(const struct tolk_hypotheses *a, const struct tolk_hypotheses *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (size_t h = 0; h < a->count; h++) {
        ck_assert_uint_eq(a->items[h].length, b->items[h].length);
        ck_assert_mem_eq(a->items[h].ids, b->items[h].ids,
                         a->items[h].length * sizeof *a->items[h].ids);
        ck_assert_double_eq_tol(a->items[h].score, b->items[h].score, 1e-4);
    }
}

START_TEST(a_sentence_is_translated_alone_as_in_a_batch)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 5);
    const struct tolk_batch all = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {3, 3, 1, 2, 4, true};
    struct tolk_hypotheses together[SENTENCES];
    search(&model, &all, &options, together);
    for (size_t s = 0; s < SENTENCES; s++) {
        const size_t begin[] = {0, BEGIN[s + 1] - BEGIN[s]};
        struct tolk_batch one = batch_of(begin, 1);
        one.source = SOURCE + BEGIN[s];
        struct tolk_hypotheses alone;
        search(&model, &one, &options, &alone);
        assert_same(&alone, &together[s]);
        tolk_hypotheses_free(&alone);
    }
    free_all(together, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 6);
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {4, 4, 1, 2, 4, true};
    struct tolk_hypotheses one[SENTENCES];
    struct tolk_hypotheses four[SENTENCES];
    omp_set_num_threads(1);
    search(&model, &batch, &options, one);
    omp_set_num_threads(4);
    search(&model, &batch, &options, four);
    for (size_t s = 0; s < SENTENCES; s++) {
        assert_same(&one[s], &four[s]);
        for (size_t h = 0; h < one[s].count; h++) {
            ck_assert(one[s].items[h].score == four[s].items[h].score);
        }
    }
    free_all(one, SENTENCES);
    free_all(four, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

START_TEST(n_best_is_sorted_distinct_and_bare_of_pad)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 7);
    model.weights.final_logits_bias[VOCABULARY - 1] = 50; /* pad would win every step */
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {8, 5, 1, 1, 3, true};
    struct tolk_hypotheses found[SENTENCES];
    search(&model, &batch, &options, found);
    for (size_t s = 0; s < SENTENCES; s++) {
        ck_assert_uint_eq(found[s].count, 5);
        for (size_t h = 0; h < found[s].count; h++) {
            const struct tolk_hypothesis *const a = &found[s].items[h];
            for (size_t i = 0; i < a->length; i++) {
                ck_assert_int_ne(a->ids[i], VOCABULARY - 1);
                ck_assert_int_eq(a->ids[i] == 0, i + 1 == a->length);
            }
            for (size_t g = h + 1; g < found[s].count; g++) {
                const struct tolk_hypothesis *const b = &found[s].items[g];
                ck_assert(a->normalised_score >= b->normalised_score);
                ck_assert(a->length != b->length ||
                          memcmp(a->ids, b->ids, a->length * sizeof *a->ids) != 0);
            }
        }
    }
    free_all(found, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

/* Tries every sequence of a vocabulary {eos, unk, 2, 3} up to `longest` pieces. */
static void try_all(const struct tolk_model *model, struct tolk_sequence source, size_t longest,
                    int32_t *ids, size_t length, double penalty, double *best, int32_t *best_ids)
{
    double values[8];
    ids[length] = 0;
    force(model, source, ids, length + 1, values);
    double sum = 0;
    for (size_t i = 0; i <= length; i++) {
        sum += values[i];
    }
    const double normalised = sum / pow((double)(length + 1), penalty);
    if (normalised > *best) {
        *best = normalised;
        memcpy(best_ids, ids, (length + 1) * sizeof *ids);
    }
    for (int32_t id = 1; id <= 3 && length + 1 < longest; id++) {
        ids[length] = id;
        try_all(model, source, longest, ids, length + 1, penalty, best, best_ids);
    }
}

START_TEST(a_wide_beam_finds_what_exhaustive_search_finds)
{
    static const int32_t source[] = {2, 3, 1, 0};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct tolk_model model;
        tolk_test_tiny_model(&model, 5, seed);
        model.weights.final_logits_bias[0] = -1;
        const size_t begin[] = {0, 4};
        struct tolk_batch batch = batch_of(begin, 1);
        batch.source = source;
        const struct tolk_search_options options = {256, 1, 0.8, 0, 4, true};
        struct tolk_hypotheses found;
        search(&model, &batch, &options, &found);

        int32_t ids[8];
        int32_t best_ids[8] = {0};
        double best = -INFINITY;
        try_all(&model, (struct tolk_sequence){source, 4}, 4, ids, 0, 0.8, &best, best_ids);
        ck_assert_double_eq_tol(found.items[0].normalised_score, best, 1e-4);
        ck_assert_mem_eq(found.items[0].ids, best_ids, found.items[0].length * sizeof *ids);
        tolk_hypotheses_free(&found);
        tolk_model_free(&model);
    }
}
END_TEST

/* Beam search as the header tells it, by whole sequences and teacher forcing. */
enum { WIDTH = 3, LONGEST = 6 };
struct path {
    int32_t ids[LONGEST];
    size_t length;
    double score;
};

/* Adds the continuations of `from` by every id but pad to the best `*count` ≤ `width`. */
static void extend(const struct tolk_model *model, struct tolk_sequence source,
                   const struct path *from, size_t width, struct path *best, size_t *count)
{
    for (int32_t id = 0; id < VOCABULARY - 1; id++) {
        if (from->length + 1 == LONGEST && id != 0) {
            return;
        }
        double values[LONGEST];
        struct path path = *from;
        path.ids[path.length++] = id;
        force(model, source, path.ids, path.length, values);
        path.score += values[path.length - 1];
        size_t place = *count;
        while (place > 0 && best[place - 1].score < path.score) {
            place--;
        }
        if (place == width) {
            continue;
        }
        *count += *count < width;
        memmove(best + place + 1, best + place, (*count - 1 - place) * sizeof *best);
        best[place] = path;
    }
}

static void reference_beam(const struct tolk_model *model, struct tolk_sequence source,
                           struct path *ended)
{
    struct path alive[WIDTH] = {{.length = 0}};
    size_t alive_count = 1;
    size_t ended_count = 0;
    while (alive_count > 0) {
        struct path best[WIDTH];
        size_t count = 0;
        for (size_t i = 0; i < alive_count; i++) {
            extend(model, source, &alive[i], WIDTH - ended_count, best, &count);
        }
        alive_count = 0;
        for (size_t i = 0; i < count; i++) {
            if (best[i].ids[best[i].length - 1] == 0) {
                ended[ended_count++] = best[i];
            } else {
                alive[alive_count++] = best[i];
            }
        }
    }
    ck_assert_uint_eq(ended_count, WIDTH);
}

START_TEST(the_beam_narrows_as_its_hypotheses_end)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 12);
    model.weights.final_logits_bias[0] = 7; /* so that they end at different steps */
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {WIDTH, WIDTH, 0, 0, LONGEST, true};
    struct tolk_hypotheses found[SENTENCES];
    search(&model, &batch, &options, found);
    size_t lengths = 0;
    for (size_t s = 0; s < SENTENCES; s++) {
        struct path ended[WIDTH];
        reference_beam(&model, sentence(s), ended);
        ck_assert_uint_eq(found[s].count, WIDTH);
        for (size_t h = 0; h < WIDTH; h++) {
            const struct tolk_hypothesis *const one = &found[s].items[h];
            size_t same = 0;
            for (size_t e = 0; e < WIDTH; e++) {
                same += ended[e].length == one->length &&
                        memcmp(ended[e].ids, one->ids, one->length * sizeof *one->ids) == 0 &&
                        fabs(ended[e].score - one->score) < 1e-4;
            }
            ck_assert_uint_eq(same, 1);
            lengths += h > 0 && one->length != found[s].items[h - 1].length;
        }
    }
    ck_assert_uint_gt(lengths, 1);
    free_all(found, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

static const int64_t *fixture_ids(const struct tolk_safetensors *file, const char *name,
                                  size_t *count)
{
    const struct tolk_safetensor *const tensor = tolk_safetensors_find(file, name);
    ck_assert_ptr_nonnull(tensor);
    ck_assert_str_eq(tensor->dtype, "I64");
    *count = (tensor->end - tensor->begin) / sizeof(int64_t);
    return (const int64_t *)(const void *)(file->data + tensor->begin);
}

/* The greedy translations that `transformers` gave, up to where its steps ended. */
static void check_oracle(const char *kind)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_safetensors file;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", tolk_fixture("oracle"), kind);
    ck_assert_msg(tolk_model_load(&model, path, &error) == 0, "%s", error.message);
    snprintf(path, sizeof path, "%s/%s/expected.safetensors", tolk_fixture("oracle"), kind);
    ck_assert_msg(tolk_safetensors_open(&file, path, &error) == 0, "%s", error.message);
    size_t rows = 0;
    size_t begins = 0;
    size_t expected_count = 0;
    const int64_t *const ids = fixture_ids(&file, "source", &rows);
    const int64_t *const begin = fixture_ids(&file, "source_begin", &begins);
    const int64_t *const greedy = fixture_ids(&file, "greedy", &expected_count);
    const int64_t *const greedy_begin = fixture_ids(&file, "greedy_begin", &begins);

    int32_t source[64];
    size_t source_begin[16];
    struct tolk_hypotheses found[16];
    ck_assert(rows <= 64 && begins <= 16);
    for (size_t i = 0; i < rows; i++) {
        source[i] = (int32_t)ids[i];
    }
    for (size_t s = 0; s < begins; s++) {
        source_begin[s] = (size_t)begin[s];
    }
    const struct tolk_batch batch = {
        .sentences = begins - 1, .source_begin = source_begin, .source = source};
    const struct tolk_search_options options = {1, 1, 1, 0, 30, true};
    search(&model, &batch, &options, found);
    for (size_t s = 0; s + 1 < begins; s++) {
        const size_t length = (size_t)(greedy_begin[s + 1] - greedy_begin[s]);
        ck_assert_uint_ge(found[s].items[0].length, length);
        for (size_t i = 0; i < length; i++) {
            ck_assert_int_eq(found[s].items[0].ids[i],
                             (int32_t)greedy[(size_t)greedy_begin[s] + i]);
        }
    }
    free_all(found, begins - 1);
    tolk_safetensors_close(&file);
    tolk_model_free(&model);
}

START_TEST(translates_greedily_as_transformers_does_pre_norm)
{
    check_oracle("pegasus");
}
END_TEST

START_TEST(translates_greedily_as_transformers_does_post_norm)
{
    check_oracle("marian");
}
END_TEST

START_TEST(of_equals_the_lowest_id_wins)
{
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 8);
    memset(model.values, 0, model.layout.size * sizeof *model.values);
    model.weights.final_logits_bias[0] = -10; /* eos last, all others equal */
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {2, 2, 1, 0, 3, true};
    struct tolk_hypotheses found[SENTENCES];
    search(&model, &batch, &options, found);
    static const int32_t first[] = {1, 1, 0};
    static const int32_t second[] = {1, 2, 0};
    for (size_t s = 0; s < SENTENCES; s++) {
        ck_assert_mem_eq(found[s].items[0].ids, first, sizeof first);
        ck_assert_mem_eq(found[s].items[1].ids, second, sizeof second);
    }
    free_all(found, SENTENCES);
    tolk_model_free(&model);
}
END_TEST

START_TEST(a_model_without_numbers_is_an_error)
{
    struct tolk_error error = {{0}};
    struct tolk_model model;
    tolk_test_tiny_model(&model, VOCABULARY, 9);
    model.weights.final_logits_bias[3] = NAN;
    const struct tolk_batch batch = batch_of(BEGIN, SENTENCES);
    const struct tolk_search_options options = {2, 2, 1, 0, 3, true};
    struct tolk_hypotheses found[SENTENCES];
    struct tolk_inference_weights *const weights =
        tolk_inference_weights_make(&model, TOLK_PANELS_REAL, &error);
    struct tolk_searcher *const searcher = tolk_searcher_create(weights, &error);
    ck_assert_int_eq(tolk_search(searcher, &batch, &options, found, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "not numbers (NaN or infinite) at step 1"));
    tolk_searcher_free(searcher);
    tolk_inference_weights_free(weights);

    static const int32_t target[] = {1, 2, 0};
    const struct tolk_sequence sources[] = {sentence(0), sentence(1)};
    const struct tolk_sequence targets[] = {{target, 3}, {target, 3}};
    double values[3];
    struct collected collected = {values, 3};
    const struct tolk_forced_pairs pairs = {sources, targets, 2, 1000, true};
    struct tolk_forcer *const forcer = tolk_forcer_create(&model, &error);
    error.message[0] = '\0';
    ck_assert_int_eq(tolk_force_decode(forcer, &pairs, collect, &collected, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "not numbers (NaN or infinite) at step 1"));
    tolk_forcer_free(forcer);
    tolk_model_free(&model);
}
END_TEST

TOLK_SUITE("search", beam_of_one_is_greedy, without_scores_too, scores_are_those_of_teacher_forcing,
           a_sentence_is_translated_alone_as_in_a_batch, any_number_of_threads_gives_the_same_bits,
           n_best_is_sorted_distinct_and_bare_of_pad,
           a_wide_beam_finds_what_exhaustive_search_finds, the_beam_narrows_as_its_hypotheses_end,
           translates_greedily_as_transformers_does_pre_norm,
           translates_greedily_as_transformers_does_post_norm, of_equals_the_lowest_id_wins,
           a_model_without_numbers_is_an_error)
