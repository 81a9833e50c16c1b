#include "infer/reading.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const struct tolk_sentence_pair *pairs;
    const struct tolk_reading_options *options;
    struct tolk_reading *readings;
};

int tolk_reading_score(struct tolk_reading *reading, const struct tolk_sentence *target,
                       const double *log_probabilities, struct tolk_error *error)
{
    reading->word_scores = tolk_sentence_scores(target, TOLK_WORDS, log_probabilities, error);
    reading->piece_scores = tolk_sentence_scores(target, TOLK_PIECES, log_probabilities, error);
    if (reading->word_scores == NULL || reading->piece_scores == NULL) {
        return -1;
    }
    reading->score = 0;
    for (size_t i = 0; i <= target->pieces; i++) {
        reading->score += log_probabilities[i];
    }
    return 0;
}

/* The chosen attention of a pair that went the shorter way. */
static int read_packed(const struct tolk_attention_choice *choice, const struct tolk_forced *forced,
                       const struct tolk_word_map *from, const struct tolk_word_map *to,
                       struct tolk_reading *reading, struct tolk_error *error)
{
    const real *heads[TOLK_MAX_HEADS];
    if (choice->posterior) {
        heads[0] = tolk_forcing_posterior_weights(forced->forcing, forced->sentence);
        return tolk_word_attention_average(&reading->attention, heads, 1, false, from, to, error);
    }
    for (size_t h = 0; h < choice->head_count; h++) {
        heads[h] = tolk_forcing_attention(forced->forcing, choice->layer, forced->sentence,
                                          choice->heads[h]);
    }
    return tolk_word_attention_average(&reading->attention, heads, choice->head_count,
                                       choice->shift, from, to, error);
}

static int read_attention(const struct tolk_reading_options *options,
                          const struct tolk_forced *forced, const struct tolk_sentence_pair *pair,
                          struct tolk_reading *reading, struct tolk_error *error)
{
    const struct tolk_word_map from = tolk_sentence_map(pair->source, options->unit);
    const struct tolk_word_map to = tolk_sentence_map(pair->target, options->unit);
    if (forced->forcing != NULL) {
        return read_packed(options->choice, forced, &from, &to, reading, error);
    }
    if (options->choice != NULL &&
        tolk_word_attention_read(&reading->attention, forced->workspace, forced->sentence,
                                 options->choice, &from, &to, error) != 0) {
        return -1;
    }
    reading->views = calloc(options->view_count + 1, sizeof *reading->views);
    if (reading->views == NULL) {
        return tolk_error_set(error, "out of memory for %zu attentions", options->view_count);
    }
    for (size_t i = 0; i < options->view_count; i++) {
        const struct tolk_attention_view *const view = &options->views[i];
        if (tolk_word_attention_read_kind(&reading->views[i], forced->workspace, view->kind,
                                          forced->sentence, &view->choice, &from, &to,
                                          error) != 0) {
            return -1;
        }
        reading->view_count++;
    }
    return 0;
}

static int read_pair(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    const struct reader *const reader = context;
    const struct tolk_sentence_pair *const pair = &reader->pairs[forced->pair];
    struct tolk_reading *const reading = &reader->readings[forced->pair];
    if (forced->log_probabilities != NULL &&
        tolk_reading_score(reading, pair->target, forced->log_probabilities, error) != 0) {
        return -1;
    }
    return read_attention(reader->options, forced, pair, reading, error);
}

/* How many decoder layers have to run where nothing but the choice is read; 0: more is read. */
static size_t cross_layers(const struct tolk_reading_options *options)
{
    if (options->choice == NULL || options->scores || options->view_count > 0) {
        return 0;
    }
    return options->choice->posterior ? TOLK_MAX_LAYERS : options->choice->layer + 1;
}

/* The heads whose posterior attention the choice or a view reads; NULL: none. */
static const struct tolk_head_set *posterior_set(const struct tolk_reading_options *options)
{
    if (options->choice != NULL && options->choice->posterior) {
        return &options->choice->set;
    }
    for (size_t i = 0; i < options->view_count; i++) {
        if (options->views[i].kind == TOLK_CROSS && options->views[i].choice.posterior) {
            return &options->views[i].choice.set;
        }
    }
    return NULL;
}

int tolk_read_pairs(struct tolk_forcer *forcer, const struct tolk_sentence_pair *pairs,
                    size_t count, const struct tolk_reading_options *options,
                    struct tolk_reading *readings, struct tolk_error *error)
{
    memset(readings, 0, count * sizeof *readings);
    struct tolk_sequence *const sequences = calloc(2 * count + 1, sizeof *sequences);
    if (sequences == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", count);
    }
    for (size_t i = 0; i < count; i++) {
        sequences[i] = tolk_sentence_sequence(pairs[i].source);
        sequences[count + i] = tolk_sentence_sequence(pairs[i].target);
    }
    const struct tolk_forced_pairs forced = {
        .sources = sequences,
        .targets = sequences + count,
        .count = count,
        .batch_tokens = options->batch_tokens,
        .scores = options->scores,
        .cross_layers = cross_layers(options),
        .posterior = posterior_set(options),
    };
    struct reader reader = {pairs, options, readings};
    const int status = tolk_force_decode(forcer, &forced, read_pair, &reader, error);
    free(sequences);
    for (size_t i = 0; status != 0 && i < count; i++) {
        tolk_reading_free(&readings[i]);
    }
    return status;
}

void tolk_reading_free(struct tolk_reading *reading)
{
    free(reading->word_scores);
    free(reading->piece_scores);
    tolk_word_attention_free(&reading->attention);
    for (size_t i = 0; i < reading->view_count; i++) {
        tolk_word_attention_free(&reading->views[i]);
    }
    free(reading->views);
    *reading = (struct tolk_reading){0};
}

struct tolk_attention_view *tolk_attention_views(const struct tolk_config *config,
                                                 enum tolk_attention_kind kind, size_t *count)
{
    const size_t layers = tolk_attention_layers(config, kind);
    const size_t heads = tolk_attention_heads(config, kind);
    struct tolk_attention_view *const views = calloc(layers * heads + 1, sizeof *views);
    *count = views != NULL ? layers * heads : 0;
    for (size_t i = 0; i < *count; i++) {
        views[i] = (struct tolk_attention_view){
            .kind = kind,
            .choice = {.layer = i / heads, .head_count = 1, .heads = {i % heads}},
        };
    }
    return views;
}
