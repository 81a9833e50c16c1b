#include "infer/reading.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const struct tolk_sentence_pair *pairs;
    const struct tolk_reading_options *options;
    struct tolk_reading *readings;
};

static int read_scores(struct tolk_reading *reading, const struct tolk_sentence *target,
                       const double *log_probabilities, struct tolk_error *error)
{
    reading->word_scores = malloc((target->words.count + 1) * sizeof *reading->word_scores);
    if (reading->word_scores == NULL) {
        return tolk_error_set(error, "out of memory for %zu words", target->words.count);
    }
    tolk_sentence_word_scores(target, log_probabilities, reading->word_scores);
    for (size_t i = 0; i <= target->pieces; i++) {
        reading->score += log_probabilities[i];
    }
    return 0;
}

static int read_pair(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    const struct reader *const reader = context;
    const struct tolk_sentence_pair *const pair = &reader->pairs[forced->pair];
    struct tolk_reading *const reading = &reader->readings[forced->pair];
    if (forced->log_probabilities != NULL &&
        read_scores(reading, pair->target, forced->log_probabilities, error) != 0) {
        return -1;
    }
    if (reader->options->choice == NULL) {
        return 0;
    }
    const struct tolk_word_map from = tolk_sentence_map(pair->source);
    const struct tolk_word_map to = tolk_sentence_map(pair->target);
    return tolk_word_attention_read(&reading->attention, forced->workspace, forced->sentence,
                                    reader->options->choice, &from, &to, error);
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
    tolk_word_attention_free(&reading->attention);
    *reading = (struct tolk_reading){0};
}
