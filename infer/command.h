/* What the commands share: how they begin and end, and the options of search and attention. */
#ifndef TOLK_INFER_COMMAND_H
#define TOLK_INFER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/options.h"
#include "corpora/pairs.h"
#include "infer/commands.h"
#include "infer/print.h"
#include "infer/translator.h"
#include "infer/word_attention.h"
#include "model/model.h"
#include "tokenizer/codec.h"

/* Values that no user gives: the option was not given. */
#define TOLK_NOT_GIVEN_SIZE SIZE_MAX
#define TOLK_NOT_GIVEN_DOUBLE (-1.0)

struct tolk_settings {
    size_t threads;
    size_t beam;
    double length_penalty;
    size_t max_length;
    size_t batch_tokens;
    size_t precision; /* enum tolk_panels_format */
    size_t layer;
    const char *heads;
    bool shift;
    bool no_shift;
    bool posterior;
    bool pieces;
    bool all_heads;
    bool link_scores;
    bool json;
    bool skip_bad;
    bool scores; /* of translations are printed */
    bool packs;  /* a command over pairs that reads cross-attention alone: on packed matrices */
};

struct tolk_settings tolk_settings_default(void);

/* A model directory in memory. */
struct tolk_session {
    struct tolk_model model;
    struct tolk_codec *codec;
    struct tolk_inference_weights *weights; /* packed to translate, else NULL */
};

/* Loads it, and refuses a config and a vocabulary that are not of the same model. With settings the
 * session is to translate: the matrices are packed in their precision while the tokenizer loads. */
int tolk_session_open(struct tolk_session *session, const char *folder,
                      const struct tolk_settings *translating, struct tolk_error *error);
void tolk_session_close(struct tolk_session *session);

enum { TOLK_MOST_THREADS = 1024, TOLK_MOST_BEAM = 1024, TOLK_MOST_TOKENS = 1 << 24 };

/* Rows of an option table. */
#define TOLK_THREAD_OPTIONS(s)                                                                     \
    TOLK_OPTION_SIZE("threads", 't', "N", "processor threads (as many as there are)",              \
                     &(s)->threads, 1, TOLK_MOST_THREADS),                                         \
        TOLK_OPTION_SIZE("batch-tokens", 0, "N", "pieces of text in a batch (512)",                \
                         &(s)->batch_tokens, 1, TOLK_MOST_TOKENS)
#define TOLK_PRECISION_OPTION(s)                                                                   \
    TOLK_OPTION_CHOICE("precision", 0, "float32|int8",                                             \
                       "numbers that are multiplied: 8-bit integers are\nfaster, and nearly as "   \
                       "good (float32)",                                                           \
                       &(s)->precision)
#define TOLK_SEARCH_OPTIONS(s)                                                                     \
    TOLK_OPTION_SIZE("beam", 'b', "N", "hypotheses to follow, 1 is greedy (as the model says)",    \
                     &(s)->beam, 1, TOLK_MOST_BEAM),                                               \
        TOLK_OPTION_DOUBLE("length-penalty", 0, "X",                                               \
                           "divide scores by length^X (as the model says)", &(s)->length_penalty,  \
                           0, 10),                                                                 \
        TOLK_OPTION_SIZE("max-length", 0, "N",                                                     \
                         "greatest length of a translation in pieces\n(2 · source + 10)",          \
                         &(s)->max_length, 1, TOLK_MOST_TOKENS),                                   \
        TOLK_PRECISION_OPTION(s)
#define TOLK_CHOICE_OPTIONS(s)                                                                     \
    TOLK_OPTION_SIZE(                                                                              \
        "layer", 0, "N",                                                                           \
        "decoder layer whose attention is read, from 0\n(as the model says, else the last)",       \
        &(s)->layer, 0, TOLK_MAX_LAYERS - 1),                                                      \
        TOLK_OPTION_TEXT("head", 0, "LIST",                                                        \
                         "heads to average, like 0,3 (as the model says, else all)", &(s)->heads), \
        TOLK_OPTION_FLAG("shift", 0, "read a word where it is the decoder's input …",              \
                         &(s)->shift),                                                             \
        TOLK_OPTION_FLAG("no-shift", 0, "… or where it is its output …", &(s)->no_shift),          \
        TOLK_OPTION_FLAG("posterior", 0,                                                           \
                         "… or weigh each source word by what it added to the\nword that was "   \
                         "written (as the model says)",                                            \
                         &(s)->posterior)

/* How an alignment is written. */
#define TOLK_ALIGNMENT_OPTIONS(s)                                                                  \
    TOLK_OPTION_FLAG("pieces", 0, "speak of the model's pieces instead of words", &(s)->pieces),   \
        TOLK_OPTION_FLAG("link-scores", 0, "weight of each link, behind the links",                \
                         &(s)->link_scores),                                                       \
        TOLK_OPTION_FLAG(                                                                          \
            "all-heads", 0,                                                                        \
            "with --json: the attention of every layer and head\nof encoder, decoder "             \
            "and between them",                                                                    \
            &(s)->all_heads)
#define TOLK_JSON_OPTION(s) TOLK_OPTION_FLAG("json", 0, "one JSON object a line", &(s)->json)
#define TOLK_SKIP_BAD_OPTION(s)                                                                    \
    TOLK_OPTION_FLAG("skip-bad", 0, "leave out and count what is no pair", &(s)->skip_bad)

/* Parses the options and counts the operands. Returns -1 to go on, else the exit status: the help
 * was printed, or the usage is wrong. */
int tolk_command_begin(const struct tolk_command *command, int least, int most, int argc,
                       char **argv, int *operands, FILE *out, FILE *log);

/* Whether an option stands among the arguments: some make another command of one. */
bool tolk_command_has_option(int argc, char **argv, const char *name);

/* Prints the message for this command; returns the exit status given. */
int tolk_command_fail(const struct tolk_command *command, enum tolk_exit status,
                      const struct tolk_error *error, FILE *log);

/* Flushes `out`: -1 with an error when something could not be written. */
int tolk_command_flush(FILE *out, struct tolk_error *error);

/* The settings over the model's defaults, whose beam is widened to `n_best`. Errors name the
 * option.
 */
int tolk_settings_search(const struct tolk_settings *settings,
                         struct tolk_translator_options *options, struct tolk_error *error);
int tolk_settings_choice(const struct tolk_settings *settings, const struct tolk_config *config,
                         struct tolk_attention_choice *choice, struct tolk_error *error);
/* The same of any kind of attention; of self-attention the last layer, unless another is said. */
int tolk_settings_choice_kind(const struct tolk_settings *settings,
                              const struct tolk_config *config, enum tolk_attention_kind kind,
                              struct tolk_attention_choice *choice, struct tolk_error *error);
/* What --alignment (NULL: not given), --pieces, --link-scores, --all-heads and --json say; the
 * views are the caller's to free. */
int tolk_settings_print(const struct tolk_settings *settings, const char *alignment,
                        struct tolk_print_options *print, struct tolk_error *error);
/* Views of every head of all kinds, where --all-heads wants them. */
int tolk_settings_views(const struct tolk_settings *settings, const struct tolk_config *config,
                        struct tolk_attention_view **views, size_t *count,
                        struct tolk_error *error);
/* The name of an option among them that was given and that only a model can follow, or NULL. */
const char *tolk_settings_for_model(const struct tolk_settings *settings);
size_t tolk_settings_batch_tokens(const struct tolk_settings *settings);
void tolk_settings_threads(const struct tolk_settings *settings);

/* A command over given pairs: its operands MODEL [PAIRS.tsv | SOURCE TARGET]. */
#define TOLK_PAIR_OPERANDS "MODEL [PAIRS.tsv | SOURCE TARGET]"
typedef enum tolk_exit tolk_pair_command(void *context, const struct tolk_session *session,
                                         const struct tolk_pairs *pairs, FILE *log,
                                         struct tolk_error *error);
/* Opens the model and reads the pairs behind argv[first], runs the command, and returns the exit
 * status of the program. */
int tolk_command_run_pairs(const struct tolk_command *command, const struct tolk_settings *settings,
                           char *const *operands, int count, tolk_pair_command *run, void *context,
                           FILE *log);

/* No file: TSV from standard input; one: TSV; two: line-aligned source and target. */
int tolk_command_pairs(char *const *files, int count, bool skip_bad, struct tolk_pairs *pairs,
                       FILE *log, struct tolk_error *error);

#endif
