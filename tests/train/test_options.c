#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "train/options.h"

enum { MOST_WORDS = 24, WORD_BYTES = 32 };

/* Parses the words behind those that every command line needs. */
static enum tolk_options_result parse(struct tolk_training_options *options,
                                      const char *const *words, struct tolk_error *error)
{
    static const char *const needed[] = {"tolk-train", "-o",    "dir",    "--train",
                                         "train.tsv",  "--dev", "dev.tsv"};
    /* The options point into the words: they stay until the next command line. */
    static char kept[MOST_WORDS][WORD_BYTES];
    char *argv[MOST_WORDS] = {NULL};
    int argc = 0;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++, argc++) {
        argv[argc] = strcpy(kept[argc], needed[i]);
    }
    for (; *words != NULL; words++, argc++) {
        argv[argc] = strcpy(kept[argc], *words);
    }
    return tolk_training_options_parse(options, argc, argv, error);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(defaults_and_values)
{
    struct tolk_training_options o;
    struct tolk_error error;
    ck_assert_int_eq(parse(&o,
                           WORDS("--d-model=64", "--dropout", "0.25", "--post-norm", "--schedule",
                                 "cosine", "--updates", "10", "--subword-nbest", "0"),
                           &error),
                     0);
    ck_assert_str_eq(o.output, "dir");
    ck_assert_str_eq(o.train, "train.tsv");
    ck_assert_uint_eq(o.d_model, 64);
    ck_assert_uint_eq(o.heads, 4);
    ck_assert_double_eq(o.dropout, 0.25);
    ck_assert(o.post_norm);
    ck_assert(!o.restart);
    ck_assert_uint_eq(o.schedule, 1);
    ck_assert_uint_eq(o.updates, 10);
    ck_assert_double_eq(o.label_smoothing, 0.1);
    ck_assert_ptr_null(o.guided_alignment);
}
END_TEST

START_TEST(the_guided_layer_exists)
{
    struct tolk_training_options o;
    struct tolk_error error;
    ck_assert_int_eq(parse(&o, WORDS("--guided-alignment=auto"), &error), 0);
    ck_assert_uint_eq(o.guided_layer, 1);
    ck_assert_int_eq(parse(&o, WORDS("--guided-alignment=auto", "--decoder-layers=1"), &error), 0);
    ck_assert_uint_eq(o.guided_layer, 0);
}
END_TEST

/* A state that was saved before an option was there resumes as long as that has its default. */
START_TEST(an_option_younger_than_the_recipe)
{
    struct tolk_training_options o;
    struct tolk_error error;
    ck_assert_int_eq(parse(&o, WORDS("--decoder-layers=1"), &error), 0);
    char *const recipe = tolk_training_recipe(&o);
    char *const guided = strstr(recipe, "guided-weight=");
    ck_assert_ptr_nonnull(guided);
    guided[0] = '\0'; /* it and what follows */
    ck_assert_int_eq(tolk_training_recipe_check(&o, recipe, "dir", &error), 0);
    o.guided_weight = 2;
    ck_assert_int_eq(tolk_training_recipe_check(&o, recipe, "dir", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "began with --guided-weight 1, found 2"));
    free(recipe);
}
END_TEST

static void assert_wrong(const char *const *words, const char *named)
{
    struct tolk_training_options options;
    struct tolk_error error;
    ck_assert_msg(parse(&options, words, &error) == TOLK_OPTIONS_WRONG, "%s was accepted",
                  words[0]);
    ck_assert_msg(strstr(error.message, named) != NULL, "%s", error.message);
}

START_TEST(wrong_ones_are_named)
{
    assert_wrong(WORDS("--d-modle", "64"), "--d-modle");
    assert_wrong(WORDS("-z"), "-z");
    assert_wrong(WORDS("--d-model", "64x"), "--d-model");
    assert_wrong(WORDS("--d-model", " 64"), "--d-model");
    assert_wrong(WORDS("--d-model", ""), "--d-model");
    assert_wrong(WORDS("--d-model", "1e2"), "--d-model");
    assert_wrong(WORDS("--d-model", "99999999999999999999"), "--d-model");
    assert_wrong(WORDS("--d-model", "66"), "--d-model");
    assert_wrong(WORDS("--dropout", "1"), "--dropout");
    assert_wrong(WORDS("--dropout", "nan"), "--dropout");
    assert_wrong(WORDS("--dropout", "inf"), "--dropout");
    assert_wrong(WORDS("--dropout", "-0.1"), "--dropout");
    assert_wrong(WORDS("--updates"), "--updates");
    assert_wrong(WORDS("--post-norm=3"), "--post-norm");
    assert_wrong(WORDS("--activation", "rel"), "--activation");
    assert_wrong(WORDS("--schedule", "cosine"), "--schedule");
    assert_wrong(WORDS("--guided-alignment=auto", "--guided-layer", "3"), "--guided-layer");
    assert_wrong(WORDS("--guided-alignment=auto", "--guided-head", "4"), "--guided-head");
    assert_wrong(WORDS("--guided-alignment=auto", "--guided-weight=-1"), "--guided-weight");
    assert_wrong(WORDS("--guided-step", "both"), "--guided-step");
    assert_wrong(WORDS("--tokenizer", "bpe", "--subword-alpha", "2"), "--subword-alpha");
    assert_wrong(WORDS("--subword-nbest", "-1"), "--subword-nbest");
    assert_wrong(WORDS("--train-source", "a.nl"), "--train");
    assert_wrong(WORDS("-o", ""), "--output");
    assert_wrong(WORDS("surplus"), "surplus");
}
END_TEST

START_TEST(recipe_names_the_difference)
{
    struct tolk_training_options options;
    struct tolk_error error;
    ck_assert_int_eq(parse(&options, WORDS("--dropout", "0.3", "--updates", "5"), &error), 0);
    char *recipe = tolk_training_recipe(&options);
    ck_assert_ptr_nonnull(strstr(recipe, "\ndropout=0.3\n"));
    ck_assert_ptr_nonnull(strstr(recipe, "\npost-norm=no\n"));
    ck_assert_int_eq(tolk_training_recipe_check(&options, recipe, "dir", &error), 0);
    ck_assert_int_eq(parse(&options, WORDS("--dropout", "0.3", "--updates", "9"), &error), 0);
    ck_assert_int_eq(tolk_training_recipe_check(&options, recipe, "dir", &error), 0);
    ck_assert_int_eq(parse(&options, WORDS("--dropout", "0.2"), &error), 0);
    ck_assert_int_eq(tolk_training_recipe_check(&options, recipe, "dir", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "dir: its training began with --dropout 0.3, found "
                                                "0.2"));
    ck_assert_int_eq(tolk_training_recipe_check(&options, "", "dir", &error), -1);
    free(recipe);
}
END_TEST

START_TEST(help_names_every_option)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    tolk_training_options_help(stream);
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "--learning-rate RATE"));
    ck_assert_ptr_nonnull(strstr(text, "[0.002]"));
    ck_assert_ptr_nonnull(strstr(text, "--help"));
    free(text);
}
END_TEST

TOLK_SUITE("options", defaults_and_values, the_guided_layer_exists,
           an_option_younger_than_the_recipe, wrong_ones_are_named, recipe_names_the_difference,
           help_names_every_option)
