#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "infer/aer.h"
#include "infer/alignment_choice.h"
#include "infer/reading.h"
#include "tests/support/files.h"
#include "tests/support/tiny.h"

static const char GOLD[] = "De kat slaapt.\tThe cat is sleeping.\t0-0 1-1 2-2 2-3\n"
                           "Ik lees een boek.\tI am reading a book.\t0-0 1p1 1-2 2-3 3-4\n"
                           "Het regent vandaag.\tIt is raining today.\t0-0 1-2 2-3\n"
                           "Waar is mijn fiets?\tWhere is my bike?\t0-0 1-1 2-2 3-3\n";

struct setting {
    struct tolk_model model;
    struct tolk_codec *codec;
    struct tolk_pairs pairs;
};

static void begin(struct setting *setting, uint64_t seed)
{
    static const struct tolk_pairs_options options = {0};
    struct tolk_error error;
    setting->codec = tolk_test_tiny_codec();
    tolk_test_tiny_model(&setting->model, tolk_codec_size(setting->codec), seed);
    const char *const path = files_write_text("gold.tsv", GOLD);
    ck_assert_msg(tolk_pairs_read_tsv(path, &options, &setting->pairs, &error) == 0, "%s",
                  error.message);
}

static void end(struct setting *setting)
{
    tolk_pairs_free(&setting->pairs);
    tolk_codec_free(setting->codec);
    tolk_model_free(&setting->model);
}

/* The AER of one choice, each pair read alone. */
static double rate_of(const struct setting *setting, const struct tolk_attention_choice *choice)
{
    const size_t longest = setting->model.config.max_position_embeddings;
    struct tolk_error error;
    struct tolk_aer aer = {0};
    struct tolk_forcer *const forcer = tolk_forcer_create(&setting->model, &error);
    for (size_t i = 0; i < setting->pairs.count; i++) {
        const struct tolk_pair *const pair = &setting->pairs.items[i];
        struct tolk_sentence source, target;
        struct tolk_reading reading;
        struct tolk_links links = {0};
        const struct tolk_reading_options wanted = {.batch_tokens = 1000, .choice = choice};
        ck_assert_int_eq(tolk_sentence_encode(&source, setting->codec, TOLK_SOURCE, pair->source,
                                              longest, &error),
                         0);
        ck_assert_int_eq(tolk_sentence_encode(&target, setting->codec, TOLK_TARGET, pair->target,
                                              longest, &error),
                         0);
        const struct tolk_sentence_pair both = {&source, &target};
        ck_assert_int_eq(tolk_read_pairs(forcer, &both, 1, &wanted, &reading, &error), 0);
        ck_assert_int_eq(tolk_word_attention_hard(&reading.attention, &links), 0);
        tolk_aer_add(&aer, &links, &pair->links);
        tolk_links_free(&links);
        tolk_reading_free(&reading);
        tolk_sentence_free(&source);
        tolk_sentence_free(&target);
    }
    tolk_forcer_free(forcer);
    return tolk_aer_rate(&aer);
}

/* Every layer by all heads and by each head alone, either step, in the order in which the first of
 * equals wins.
 */
static double least_rate(const struct setting *setting, struct tolk_attention_choice *best,
                         double *greatest)
{
    const struct tolk_config *const config = &setting->model.config;
    double least = 2;
    *greatest = -1;
    for (size_t layer = 0; layer < config->decoder_layers; layer++) {
        const struct tolk_attention_choice all = tolk_attention_choice_layer(config, layer);
        for (size_t candidate = 0; candidate < 2 * (config->decoder_attention_heads + 1);
             candidate++) {
            struct tolk_attention_choice choice = all;
            if (candidate > 1) {
                choice = (struct tolk_attention_choice){
                    .layer = layer, .head_count = 1, .heads = {candidate / 2 - 1}};
            }
            choice.shift = candidate % 2 != 0;
            const double rate = rate_of(setting, &choice);
            if (rate < least) {
                least = rate;
                *best = choice;
            }
            *greatest = rate > *greatest ? rate : *greatest;
        }
    }
    return least;
}

START_TEST(chooses_the_layer_and_heads_with_the_least_error)
{
    enum { SEEDS = 6 };
    size_t layers = 0;
    size_t single_heads = 0;
    size_t shifts = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct setting setting;
        struct tolk_error error;
        struct tolk_attention_choice found, expected = {0};
        double aer = -1, greatest = 0;
        begin(&setting, seed);
        const double least = least_rate(&setting, &expected, &greatest);
        ck_assert_double_lt(least, greatest);
        ck_assert_msg(tolk_alignment_choose(&setting.model, setting.codec, &setting.pairs, &found,
                                            &aer, &error) == 0,
                      "%s", error.message);
        ck_assert_double_eq_tol(aer, least, 1e-12);
        ck_assert_uint_eq(found.layer, expected.layer);
        ck_assert_uint_eq(found.head_count, expected.head_count);
        ck_assert_mem_eq(found.heads, expected.heads, found.head_count * sizeof found.heads[0]);
        ck_assert(found.shift == expected.shift);
        shifts += found.shift;
        layers += found.layer;
        single_heads += found.head_count == 1;
        end(&setting);
    }
    /* The seeds do not all ask for the same. */
    ck_assert(layers > 0 && layers < SEEDS);
    ck_assert(single_heads > 0);
    ck_assert(shifts > 0 && shifts < SEEDS);
}
END_TEST

TOLK_SUITE("alignment choice", chooses_the_layer_and_heads_with_the_least_error)
