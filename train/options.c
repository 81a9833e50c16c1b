#include "train/options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer.h"
#include "train/schedule.h"

static const double BILLION = 1e9;
static const double MOST_SEED = 9e15; /* numbers up to there are exact as double */

/* Where no --guided-layer is given. */
enum { USUAL_GUIDED_LAYER = 1 };

static const struct tolk_training_options DEFAULTS = {
    .d_model = 256,
    .heads = 4,
    .ffn = 1024,
    .encoder_layers = 3,
    .decoder_layers = 3,
    .dropout = 0.1,
    .character_coverage = 1,
    .batch_tokens = 4096,
    .accumulate = 1,
    .max_length = 128,
    .pool = 8192,
    .learning_rate = 0.002,
    .warmup = 600,
    .cooldown = 0.2,
    .beta1 = 0.9,
    .beta2 = 0.98,
    .epsilon = 1e-9,
    .clip = 1,
    .label_smoothing = 0.1,
    .average = 0.999,
    .guided_weight = 1,
    .guided_layer = SIZE_MAX, /* chosen by the depth */
    .seed = 1,
    .patience = 10,
    .validate_every = 500,
    .validate_sentences = 500,
    .log_every = 50,
};

enum { VALUE_BYTES = 64, HELP_BYTES = 256 };

/* ---- the table ----------------------------------------------------------------------------------
 */

struct table {
    struct tolk_option rows[TOLK_OPTIONS_MAX];
    size_t count;
};

static void add(struct table *table, const struct tolk_option *rows, size_t count)
{
    memcpy(table->rows + table->count, rows, count * sizeof *rows);
    table->count += count;
}

#define ADD(table, rows) add(table, rows, sizeof(rows) / sizeof((rows)[0]))

#define HEADLINE(text) TOLK_OPTION_HEADLINE(text)
#define FLAG(name, field, help) TOLK_OPTION_FLAG(name, 0, help, &o->field)
#define TEXT(name, letter, argument, field, help)                                                  \
    TOLK_OPTION_TEXT(name, letter, argument, help, &o->field)
#define WHOLE(name, argument, field, least, most, help)                                            \
    TOLK_OPTION_SIZE(name, 0, argument, help, &o->field, least, most)
#define NUMBER(name, argument, field, least, most, help)                                           \
    TOLK_OPTION_DOUBLE(name, 0, argument, help, &o->field, least, most)
#define CHOICE(name, words, field, help) TOLK_OPTION_CHOICE(name, 0, words, help, &o->field)

static void add_files(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        HEADLINE("Files"),
        TEXT("output", 'o', "DIR", output, "the model directory"),
        TEXT("train", 0, "TSV", train, "pairs: source, tab, target"),
        TEXT("train-source", 0, "FILE", train_source, "or two files, line by line (gzip too)"),
        TEXT("train-target", 0, "FILE", train_target, "the other one"),
        TEXT("dev", 0, "TSV", dev, "pairs to validate on"),
        TEXT("dev-source", 0, "FILE", dev_source, "or two files"),
        TEXT("dev-target", 0, "FILE", dev_target, "the other one"),
        FLAG("skip-bad", skip_bad, "count and skip bad lines, do not stop"),
        FLAG("restart", restart, "begin anew, do not resume"),
        TEXT("source-language", 0, "CODE", source_language, "for the model card: nl, de, …"),
        TEXT("target-language", 0, "CODE", target_language, "the same"),
        TEXT("licence", 0, "NAME", licence, "of the model: CC-BY-2.0, …"),
        TEXT("data-note", 0, "TEXT", data_note, "what the model card says of the data"),
    };
    ADD(table, rows);
}

static void add_model(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        HEADLINE("Model"),
        WHOLE("d-model", "N", d_model, 2, 8192, "width"),
        WHOLE("heads", "N", heads, 1, 64, "attention heads; divides the width"),
        WHOLE("ffn", "N", ffn, 1, 65536, "width of the feed-forward"),
        WHOLE("encoder-layers", "N", encoder_layers, 1, 64, "depth"),
        WHOLE("decoder-layers", "N", decoder_layers, 1, 64, "depth"),
        FLAG("post-norm", post_norm, "MarianMT layout, not Pegasus"),
        CHOICE("activation", "relu|swish|gelu", activation, "of the feed-forward"),
        NUMBER("dropout", "RATE", dropout, 0, 0.95, "of embeddings and sublayers"),
        NUMBER("attention-dropout", "RATE", attention_dropout, 0, 0.95, "of attention weights"),
        NUMBER("activation-dropout", "RATE", activation_dropout, 0, 0.95, "in the feed-forward"),
        HEADLINE("Tokenizer"),
        CHOICE("tokenizer", "unigram|bpe", tokenizer, "how pieces are found"),
        WHOLE("vocab-size", "N", vocab_size, 0, 1e6,
              "pieces, of both languages together;\n0: 4000, or what a small corpus gives"),
        NUMBER("character-coverage", "SHARE", character_coverage, 0.98, 1,
               "of the characters that get a piece"),
        NUMBER("subword-alpha", "ALPHA", subword_alpha, 0, 10,
               "sample segmentations anew each epoch;\n0: do not"),
        WHOLE("subword-nbest", "N", subword_nbest, 0, 512, "among the N best; 0: among all"),
    };
    ADD(table, rows);
}

static void add_training(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        HEADLINE("Training"),
        WHOLE("batch-tokens", "N", batch_tokens, 8, BILLION, "source and target tokens of a batch"),
        WHOLE("accumulate", "N", accumulate, 1, 10000, "batches in an update"),
        WHOLE("max-length", "N", max_length, 2, 100000,
              "leave out pairs with more pieces on a side"),
        WHOLE("pool", "N", pool, 1, BILLION, "sentences sorted by length together"),
        NUMBER("learning-rate", "RATE", learning_rate, 0, 10, "the peak"),
        WHOLE("warmup", "UPDATES", warmup, 0, BILLION, "linear rise to the peak"),
        CHOICE("schedule", "inverse-sqrt|cosine|linear|constant", schedule, "behind the peak"),
        NUMBER("cooldown", "SHARE", cooldown, 0, 1,
               "last part of the budget in which the rate\nfalls to 0 (inverse-sqrt, constant)"),
        NUMBER("beta1", "BETA", beta1, 0, 0.99999, "of Adam's first moment"),
        NUMBER("beta2", "BETA", beta2, 0, 0.9999999, "of its second moment"),
        NUMBER("epsilon", "EPS", epsilon, 1e-20, 1, "of its denominator"),
        NUMBER("weight-decay", "RATE", weight_decay, 0, 10, "decoupled, of matrices"),
        NUMBER("clip", "NORM", clip, 0, 1e9, "of the gradient; 0: no clipping"),
        NUMBER("label-smoothing", "SHARE", label_smoothing, 0, 0.99, "spread over all pieces"),
        NUMBER("average", "DECAY", average, 0, 0.9999999, "of the moving average of the weights"),
        CHOICE("precision", "auto|float32|bfloat16", precision,
               "of the factors of matrix products, all else is\nfloat32; auto: bfloat16 where the "
               "processor has it"),
        WHOLE("seed", "N", seed, 0, MOST_SEED, "of all that is random"),
    };
    ADD(table, rows);
}

/* The links are known again by their hash, not by the name of their file. */
static void add_guided_links(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        HEADLINE("Guided alignment"),
        TEXT("guided-alignment", 0, "FILE", guided_alignment,
             "one head learns the links of FILE (a line for\neach pair, 0-0 1-2 …); auto: those of "
             "our "
             "own\naligner; corpus: its third field"),
    };
    ADD(table, rows);
}

static void add_guidance(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        NUMBER("guided-weight", "X", guided_weight, 0, 100, "of its loss beside the translation's"),
        WHOLE("guided-layer", "N", guided_layer, 0, 63,
              "of the decoder, from 0; else 1, or 0 where\nthere is one alone"),
        WHOLE("guided-head", "N", guided_head, 0, 63, "of that layer, from 0"),
        CHOICE("guided-step", "input|output", guided_step,
               "where a word is the decoder's input or output"),
    };
    ADD(table, rows);
}

static void add_limits(struct table *table, struct tolk_training_options *o)
{
    const struct tolk_option rows[] = {
        HEADLINE("Until when (whichever comes first; 0: no limit)"),
        WHOLE("updates", "N", updates, 0, BILLION, "so many updates"),
        WHOLE("epochs", "N", epochs, 0, BILLION, "so often through the corpus"),
        NUMBER("minutes", "M", minutes, 0, 1e7, "of training, over all runs"),
        WHOLE("patience", "N", patience, 0, BILLION, "validations without a new best"),
        HEADLINE("Validation"),
        WHOLE("validate-every", "UPDATES", validate_every, 1, BILLION, "how often"),
        WHOLE("validate-sentences", "N", validate_sentences, 0, BILLION,
              "translate the first N pairs of dev; 0: all"),
        CHOICE("best", "bleu|loss", best, "what the best model is best by"),
        WHOLE("log-every", "UPDATES", log_every, 1, BILLION, "a record in the log, a plain line"),
        HEADLINE("Machine"),
        WHOLE("threads", "N", threads, 0, 1024, "0: as many as the machine has"),
    };
    ADD(table, rows);
}

/* ---- the command line ---------------------------------------------------------------------------
 */

/* One corpus is a TSV file or two files. */
static int check_corpus(const char *name, const char *tsv, const char *source, const char *target,
                        struct tolk_error *error)
{
    if (tsv == NULL && source == NULL && target == NULL) {
        return tolk_error_set(error,
                              "option --%s is missing: a TSV file (or --%s-source and --%s-target)",
                              name, name, name);
    }
    if (tsv != NULL && (source != NULL || target != NULL)) {
        return tolk_error_set(error, "option --%s: give either it or --%s-source and --%s-target",
                              name, name, name);
    }
    if (tsv == NULL && (source == NULL || target == NULL)) {
        return tolk_error_set(error, "option --%s-%s is missing: the other of two files", name,
                              source == NULL ? "source" : "target");
    }
    return 0;
}

static int check_guidance(const struct tolk_training_options *o, struct tolk_error *error)
{
    if (o->guided_alignment == NULL) {
        return 0;
    }
    if (o->guided_layer >= o->decoder_layers) {
        return tolk_error_set(error,
                              "option --guided-layer: expected one below --decoder-layers %zu, "
                              "found %zu",
                              o->decoder_layers, o->guided_layer);
    }
    if (o->guided_head >= o->heads) {
        return tolk_error_set(error,
                              "option --guided-head: expected one below --heads %zu, found %zu",
                              o->heads, o->guided_head);
    }
    return 0;
}

/* Values that depend on others, where they were not given. */
static void complete(struct tolk_training_options *o)
{
    if (o->guided_layer == SIZE_MAX) {
        o->guided_layer = o->decoder_layers > USUAL_GUIDED_LAYER ? USUAL_GUIDED_LAYER : 0;
    }
}

static int check_together(const struct tolk_training_options *o, struct tolk_error *error)
{
    if (o->output == NULL || o->output[0] == '\0') {
        return tolk_error_set(error, "option --output is missing: the model directory");
    }
    if (check_corpus("train", o->train, o->train_source, o->train_target, error) != 0 ||
        check_corpus("dev", o->dev, o->dev_source, o->dev_target, error) != 0) {
        return -1;
    }
    if (o->d_model % o->heads != 0 || o->d_model % 2 != 0) {
        return tolk_error_set(
            error, "option --d-model: expected an even multiple of the %zu heads, found %zu",
            o->heads, o->d_model);
    }
    if (o->tokenizer == TOLK_BPE && o->subword_alpha > 1) {
        return tolk_error_set(error,
                              "option --subword-alpha: expected at most 1 with --tokenizer bpe, "
                              "where it is the share of merges left out, found %g",
                              o->subword_alpha);
    }
    if (check_guidance(o, error) != 0) {
        return -1;
    }
    const bool needs_end =
        o->schedule == TOLK_SCHEDULE_COSINE || o->schedule == TOLK_SCHEDULE_LINEAR;
    if (needs_end && o->updates == 0 && o->epochs == 0 && o->minutes <= 0) {
        return tolk_error_set(error, "option --schedule: one that ends at zero needs --updates, "
                                     "--epochs or --minutes");
    }
    return 0;
}

static struct tolk_command make_command(struct table *table, struct tolk_training_options *options)
{
    table->count = 0;
    add_files(table, options);
    add_model(table, options);
    add_training(table, options);
    add_guided_links(table, options);
    add_guidance(table, options);
    add_limits(table, options);
    return (struct tolk_command){
        .name = "tolk-train",
        .operands = "-o DIR --train TSV --dev TSV",
        .about =
            "Trains a translation model on sentence pairs and keeps the best in DIR. The same\n"
            "command resumes a training that was stopped: to the same bits with --updates or\n"
            "--epochs, but with --minutes the clock decides when the learning rate falls.\n"
            "Ctrl-C and SIGTERM save and leave with status 0; a second one leaves at once.\n"
            "`tolk-train --version` tells the version.\n",
        .options = table->rows,
        .option_count = table->count,
    };
}

enum tolk_options_result tolk_training_options_parse(struct tolk_training_options *options,
                                                     int argc, char **argv,
                                                     struct tolk_error *error)
{
    struct table table;
    int operands = argc;
    *options = DEFAULTS;
    const struct tolk_command command = make_command(&table, options);
    const enum tolk_options_result result =
        tolk_options_parse(&command, argc, argv, &operands, error);
    if (result != TOLK_OPTIONS_GOOD) {
        return result;
    }
    if (operands < argc) {
        tolk_error_set(error, "expected options alone, found \"%s\"", argv[operands]);
        return TOLK_OPTIONS_WRONG;
    }
    complete(options);
    return check_together(options, error) == 0 ? TOLK_OPTIONS_GOOD : TOLK_OPTIONS_WRONG;
}

void tolk_training_options_help(FILE *stream)
{
    struct table table;
    struct tolk_training_options options = DEFAULTS;
    char texts[TOLK_OPTIONS_MAX][HELP_BYTES];
    const struct tolk_command command = make_command(&table, &options);
    for (size_t i = 0; i < table.count; i++) {
        struct tolk_option *row = &table.rows[i];
        char value[VALUE_BYTES];
        tolk_option_format(row, value, sizeof value);
        const bool is_chosen = row->value == &options.guided_layer;
        if (row->kind != TOLK_FLAG && value[0] != '\0' && !is_chosen) {
            snprintf(texts[i], sizeof texts[i], "%s [%s]", row->help, value);
            row->help = texts[i];
        }
    }
    tolk_options_help(&command, stream);
}

/* ---- the recipe ---------------------------------------------------------------------------------
 */

/* The options that shape the weights: of the model, the tokenizer and the training. */
static void make_recipe(struct table *table, struct tolk_training_options *options)
{
    table->count = 0;
    add_model(table, options);
    add_training(table, options);
    add_guidance(table, options);
}

char *tolk_training_recipe(const struct tolk_training_options *options)
{
    struct tolk_training_options copy = *options;
    struct table table;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return NULL;
    }
    make_recipe(&table, &copy);
    for (size_t i = 0; i < table.count; i++) {
        char value[VALUE_BYTES];
        if (table.rows[i].kind != TOLK_HEADLINE) {
            tolk_option_format(&table.rows[i], value, sizeof value);
            fprintf(stream, "%s=%s\n", table.rows[i].name, value);
        }
    }
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The line "name=…" of the recipe: its value and length, or NULL. */
static const char *recipe_value(const char *recipe, const char *name, size_t *length)
{
    const size_t size = strlen(name);
    for (const char *line = recipe; *line != '\0';) {
        const size_t whole = strcspn(line, "\n");
        if (strncmp(line, name, size) == 0 && line[size] == '=') {
            *length = whole - size - 1;
            return line + size + 1;
        }
        line += whole + (line[whole] == '\n');
    }
    return NULL;
}

int tolk_training_recipe_check(const struct tolk_training_options *options, const char *then,
                               const char *folder, struct tolk_error *error)
{
    struct tolk_training_options copy = *options;
    struct tolk_training_options defaults = DEFAULTS;
    struct table table;
    struct table default_table;
    make_recipe(&table, &copy);
    defaults.decoder_layers = options->decoder_layers;
    complete(&defaults);
    make_recipe(&default_table, &defaults);
    for (size_t i = 0; i < table.count; i++) {
        char value[VALUE_BYTES];
        char default_value[VALUE_BYTES];
        size_t length = 0;
        if (table.rows[i].kind == TOLK_HEADLINE) {
            continue;
        }
        tolk_option_format(&table.rows[i], value, sizeof value);
        const char *old = recipe_value(then, table.rows[i].name, &length);
        if (old == NULL) { /* the option is younger than that training */
            tolk_option_format(&default_table.rows[i], default_value, sizeof default_value);
            old = default_value;
            length = strlen(default_value);
        }
        if (strlen(value) != length || strncmp(old, value, length) != 0) {
            return tolk_error_set(error,
                                  "%s: its training began with --%s %.*s, found %s; give the same "
                                  "to resume, or --restart to begin anew",
                                  folder, table.rows[i].name, (int)length, old, value);
        }
    }
    return 0;
}
