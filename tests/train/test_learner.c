#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "train/learner.h"
#include "train/vocabulary.h"

enum { PAIRS = 24 };

/* "ik zie de kat" — "I see the cat": every subject with every object. */
static struct tolk_pairs make_pairs(void)
{
    static const char *const subjects[][2] = {{"ik zie", "I see"},
                                              {"wij zien", "we see"},
                                              {"zij horen", "they hear"},
                                              {"jij hoort", "you hear"}};
    static const char *const objects[][2] = {{"de kat", "the cat"},      {"het huis", "the house"},
                                             {"een boek", "a book"},     {"de hond", "the dog"},
                                             {"het brood", "the bread"}, {"een boom", "a tree"}};
    static char text[PAIRS][2][64];
    static struct tolk_pair items[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) {
        for (size_t side = 0; side < 2; side++) {
            snprintf(text[i][side], sizeof text[i][side], "%s %s", subjects[i / 6][side],
                     objects[i % 6][side]);
        }
        items[i] = (struct tolk_pair){.source = text[i][0], .target = text[i][1], .line = i + 1};
    }
    return (struct tolk_pairs){.items = items, .count = PAIRS};
}

static struct tolk_training_options make_options(void)
{
    struct tolk_training_options options;
    struct tolk_error error;
    static char words[][24] = {"tolk-train",         "-odir",
                               "--train=t",          "--dev=d",
                               "--d-model=16",       "--heads=2",
                               "--ffn=32",           "--encoder-layers=1",
                               "--decoder-layers=1", "--batch-tokens=64",
                               "--max-length=32"};
    enum { WORDS = sizeof words / sizeof words[0] };
    char *argv[WORDS + 1] = {NULL};
    for (size_t i = 0; i < WORDS; i++) {
        argv[i] = words[i];
    }
    ck_assert_int_eq(tolk_training_options_parse(&options, WORDS, argv, &error), 0);
    return options;
}

static struct tolk_codec *make_codec(const struct tolk_pairs *pairs)
{
    struct tolk_training_options options = make_options();
    struct tolk_progress progress;
    struct tolk_error error;
    FILE *silent = tmpfile();
    tolk_progress_begin(&progress, silent);
    struct tolk_codec *codec = tolk_training_vocabulary(&options, pairs, &progress, &error);
    ck_assert_msg(codec != NULL, "%s", error.message);
    fclose(silent);
    return codec;
}

static void learn(struct tolk_learner *learner, int updates)
{
    struct tolk_error error;
    struct tolk_update update;
    for (int i = 0; i < updates; i++) {
        ck_assert_int_eq(tolk_learner_plan(learner, &error), 0);
        ck_assert_int_eq(tolk_learner_update(learner, 0.003, &update, &error), 0);
        ck_assert(update.applied);
        ck_assert(isfinite(update.loss) && update.loss > 0);
    }
}

START_TEST(loss_falls_and_epochs_pass)
{
    const struct tolk_pairs pairs = make_pairs();
    const struct tolk_training_options options = make_options();
    struct tolk_codec *codec = make_codec(&pairs);
    struct tolk_learner learner;
    struct tolk_update update;
    struct tolk_error error;
    ck_assert_int_eq(tolk_learner_create(&learner, &options, &pairs, codec, &error), 0);
    ck_assert_int_eq(tolk_learner_plan(&learner, &error), 0);
    ck_assert_int_eq(tolk_learner_update(&learner, 0.003, &update, &error), 0);
    const double first = update.loss;
    learn(&learner, 150);
    ck_assert_int_eq(tolk_learner_plan(&learner, &error), 0);
    ck_assert_int_eq(tolk_learner_update(&learner, 0.003, &update, &error), 0);
    ck_assert_double_lt(update.loss, 0.7 * first);
    ck_assert_int_eq(learner.cursor.update, 152);
    ck_assert_int_eq(learner.cursor.step, 152);
    ck_assert_int_eq(learner.cursor.epoch, 152 / (int64_t)learner.batches.count);
    tolk_learner_free(&learner);
    tolk_codec_free(codec);
}
END_TEST

START_TEST(pad_row_stays_zero)
{
    const struct tolk_pairs pairs = make_pairs();
    const struct tolk_training_options options = make_options();
    struct tolk_codec *codec = make_codec(&pairs);
    struct tolk_learner learner;
    struct tolk_error error;
    ck_assert_int_eq(tolk_learner_create(&learner, &options, &pairs, codec, &error), 0);
    learn(&learner, 5);
    const struct tolk_config *config = &learner.model.config;
    const size_t row = (size_t)config->pad_token_id * config->d_model;
    for (size_t i = 0; i < config->d_model; i++) {
        ck_assert_double_eq((double)learner.model.weights.shared[row + i], 0);
        ck_assert_double_eq((double)learner.averaged.weights.shared[row + i], 0);
    }
    tolk_learner_free(&learner);
    tolk_codec_free(codec);
}
END_TEST

/* A NaN in the weights makes a NaN of the loss: the update must leave everything as it was. */
START_TEST(what_is_not_finite_is_left_out)
{
    const struct tolk_pairs pairs = make_pairs();
    const struct tolk_training_options options = make_options();
    struct tolk_codec *codec = make_codec(&pairs);
    struct tolk_learner learner;
    struct tolk_update update;
    struct tolk_error error;
    ck_assert_int_eq(tolk_learner_create(&learner, &options, &pairs, codec, &error), 0);
    learn(&learner, 2);
    const size_t bytes = learner.model.layout.size * sizeof(real);
    real *before = malloc(bytes);
    learner.model.weights.final_logits_bias[0] = NAN;
    memcpy(before, learner.model.values, bytes);
    ck_assert_int_eq(tolk_learner_plan(&learner, &error), 0);
    ck_assert_int_eq(tolk_learner_update(&learner, 0.003, &update, &error), 0);
    ck_assert(!update.applied);
    ck_assert_mem_eq(before, learner.model.values, bytes);
    ck_assert_int_eq(learner.cursor.update, 2);
    ck_assert_int_eq(learner.cursor.skipped, 1);
    ck_assert_int_eq(learner.cursor.step, 3);
    learner.model.weights.final_logits_bias[0] = 0;
    learn(&learner, 1);
    free(before);
    tolk_learner_free(&learner);
    tolk_codec_free(codec);
}
END_TEST

/* All batches of an epoch in one update give the gradient of one batch that holds them all. */
START_TEST(accumulation_equals_a_large_batch)
{
    const struct tolk_pairs pairs = make_pairs();
    struct tolk_codec *codec = make_codec(&pairs);
    double norms[2];
    double losses[2];
    for (size_t large = 0; large < 2; large++) {
        struct tolk_training_options options = make_options();
        struct tolk_learner learner;
        struct tolk_update update;
        struct tolk_error error;
        options.dropout = 0;
        options.batch_tokens = large ? 4096 : 64;
        options.accumulate = 1000;
        ck_assert_int_eq(tolk_learner_create(&learner, &options, &pairs, codec, &error), 0);
        ck_assert_int_eq(tolk_learner_plan(&learner, &error), 0);
        ck_assert(large ? learner.batches.count == 1 : learner.batches.count > 3);
        ck_assert_int_eq(tolk_learner_update(&learner, 0.003, &update, &error), 0);
        ck_assert_int_eq(learner.cursor.epoch, 1);
        ck_assert_int_eq(learner.cursor.update, 1);
        norms[large] = update.norm;
        losses[large] = update.smoothed_loss;
        tolk_learner_free(&learner);
    }
    ck_assert_double_eq_tol(norms[0], norms[1], 1e-5 * norms[1]);
    ck_assert_double_eq_tol(losses[0], losses[1], 1e-5 * losses[1]);
    tolk_codec_free(codec);
}
END_TEST

START_TEST(same_bits_for_any_number_of_threads)
{
    const struct tolk_pairs pairs = make_pairs();
    struct tolk_training_options options = make_options();
    struct tolk_codec *codec = make_codec(&pairs);
    real *one = NULL;
    options.subword_alpha = 0.3;
    for (int threads = 1; threads <= 4; threads++) {
        struct tolk_learner learner;
        struct tolk_error error;
        omp_set_num_threads(threads);
        ck_assert_int_eq(tolk_learner_create(&learner, &options, &pairs, codec, &error), 0);
        learn(&learner, 12);
        const size_t bytes = learner.model.layout.size * sizeof(real);
        if (one == NULL) {
            one = malloc(bytes);
            memcpy(one, learner.model.values, bytes);
        }
        ck_assert_mem_eq(one, learner.model.values, bytes);
        tolk_learner_free(&learner);
    }
    free(one);
    tolk_codec_free(codec);
}
END_TEST

START_TEST(sampling_draws_anew_each_epoch)
{
    const struct tolk_pairs pairs = make_pairs();
    struct tolk_codec *codec = make_codec(&pairs);
    struct tolk_sampling sampling = {.alpha = 0.2, .nbest = -1, .max_length = 64, .seed = 1};
    struct tolk_examples epochs[3] = {{0}};
    struct tolk_error error;
    for (uint64_t e = 0; e < 3; e++) {
        sampling.epoch = e % 2;
        ck_assert_int_eq(tolk_examples_encode(&epochs[e], &pairs, codec, &sampling, false, &error),
                         0);
    }
    const size_t begins = (PAIRS + 1) * sizeof(size_t);
    ck_assert_mem_eq(epochs[0].source_begin, epochs[2].source_begin, begins);
    ck_assert_mem_eq(epochs[0].target_begin, epochs[2].target_begin, begins);
    ck_assert_int_ne(memcmp(epochs[0].source_begin, epochs[1].source_begin, begins), 0);
    for (size_t e = 0; e < 3; e++) {
        tolk_examples_free(&epochs[e]);
    }
    tolk_codec_free(codec);
}
END_TEST

/* The limits try both: the best segmentation is too long, or only the draw is. */
START_TEST(draws_that_are_too_long_give_way)
{
    const struct tolk_pairs pairs = make_pairs();
    struct tolk_codec *codec = make_codec(&pairs);
    struct tolk_examples plain = {0};
    struct tolk_examples drawn = {0};
    struct tolk_error error;
    ck_assert_int_eq(tolk_examples_encode(&plain, &pairs, codec, NULL, false, &error), 0);
    for (size_t limit = 1; limit < 16; limit++) {
        const struct tolk_sampling sampling = {
            .alpha = 0.2, .nbest = -1, .max_length = limit, .seed = 1};
        ck_assert_int_eq(tolk_examples_encode(&drawn, &pairs, codec, &sampling, false, &error), 0);
        for (size_t i = 0; i < PAIRS; i++) {
            const size_t length = plain.source_begin[i + 1] - plain.source_begin[i];
            const size_t found = drawn.source_begin[i + 1] - drawn.source_begin[i];
            ck_assert_uint_le(found, length > limit ? length : limit);
            if (length > limit) {
                ck_assert_uint_eq(found, length);
                ck_assert_mem_eq(drawn.source + drawn.source_begin[i],
                                 plain.source + plain.source_begin[i], length * sizeof(int32_t));
            }
        }
    }
    tolk_examples_free(&plain);
    tolk_examples_free(&drawn);
    tolk_codec_free(codec);
}
END_TEST

TOLK_SUITE("learner", loss_falls_and_epochs_pass, pad_row_stays_zero,
           what_is_not_finite_is_left_out, accumulation_equals_a_large_batch,
           same_bits_for_any_number_of_threads, sampling_draws_anew_each_epoch,
           draws_that_are_too_long_give_way)
