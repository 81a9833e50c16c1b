/* The options of tolk-train. Those of the recipe shape the weights: a resumed training must repeat
 * them, the others it may change. */
#ifndef TOLK_TRAIN_OPTIONS_H
#define TOLK_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/options.h"

enum { TOLK_BEST_BY_BLEU, TOLK_BEST_BY_LOSS };
enum { TOLK_GUIDED_STEP_INPUT, TOLK_GUIDED_STEP_OUTPUT };
enum { TOLK_PRECISION_AUTO, TOLK_PRECISION_FLOAT32, TOLK_PRECISION_BFLOAT16 };

/* Choices are the place of the word. */
struct tolk_training_options {
    const char *output;
    const char *train, *train_source, *train_target;
    const char *dev, *dev_source, *dev_target;
    bool skip_bad;
    bool restart;

    size_t d_model, heads, ffn, encoder_layers, decoder_layers;
    bool post_norm;
    size_t activation; /* enum tolk_activation */
    double dropout, attention_dropout, activation_dropout;

    size_t tokenizer;  /* enum tolk_tokenizer_kind */
    size_t vocab_size; /* pieces, pad not among them; 0: chosen by the corpus */
    double character_coverage;
    double subword_alpha; /* 0: no sampling */
    size_t subword_nbest; /* 0: from all segmentations */

    size_t batch_tokens, accumulate, max_length, pool;
    double learning_rate;
    size_t warmup;
    size_t schedule; /* enum tolk_schedule_kind */
    double cooldown;
    double beta1, beta2, epsilon, weight_decay, clip, label_smoothing, average;
    size_t precision; /* TOLK_PRECISION_… */

    const char *guided_alignment; /* a file, "auto" or "corpus"; NULL: none */
    double guided_weight;
    size_t guided_layer, guided_head;
    size_t guided_step; /* TOLK_GUIDED_STEP_… */

    size_t seed;

    size_t updates, epochs; /* 0: no limit */
    double minutes;         /* 0: no limit */
    size_t patience;        /* validations without a new best; 0: no limit */

    size_t validate_every, validate_sentences;
    size_t best;    /* TOLK_BEST_BY_… */
    size_t threads; /* 0: as OpenMP chooses */
    size_t log_every;

    const char *source_language, *target_language;
    const char *licence, *data_note;
};

/* Fills in the defaults, then what stands on the command line; the strings are those of argv. Wrong
 * usage has a message that names the option. */
enum tolk_options_result tolk_training_options_parse(struct tolk_training_options *options,
                                                     int argc, char **argv,
                                                     struct tolk_error *error);

void tolk_training_options_help(FILE *stream);

/* The recipe: a line "name=value" for each option that shapes the weights. Fresh memory, NULL when
 * there is none. */
char *tolk_training_recipe(const struct tolk_training_options *options);

/* -1 with the first difference named when `then` is not the recipe of these options. `folder`
 * begins the message. */
int tolk_training_recipe_check(const struct tolk_training_options *options, const char *then,
                               const char *folder, struct tolk_error *error);

#endif
