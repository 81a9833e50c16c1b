#include "infer/reading.h"

#include <stdlib.h>
#include <string.h>

#include "infer/forced.h"

struct reader {
    const struct tolk_sentence_pair *pairs;
    const struct tolk_attention_choice *choice;
    struct tolk_reading *readings;
};

static int read_pair(void *context, const struct tolk_forced *forced, struct tolk_error *error)
{
    const struct reader *const reader = context;
    const struct tolk_sentence *const target = reader->pairs[forced->pair].target;
    struct tolk_reading *const reading = &reader->readings[forced->pair];
    reading->word_scores = malloc((target->words.count + 1) * sizeof *reading->word_scores);
    if (reading->word_scores == NULL) {
        return tolk_error_set(error, "out of memory for %zu words", target->words.count);
    }
    tolk_sentence_word_scores(target, forced->log_probabilities, reading->word_scores);
    for (size_t i = 0; i <= target->pieces; i++) {
        reading->score += forced->log_probabilities[i];
    }
    if (reader->choice == NULL) {
        return 0;
    }
    const struct tolk_word_map from = tolk_sentence_map(reader->pairs[forced->pair].source);
    const struct tolk_word_map to = tolk_sentence_map(target);
    return tolk_word_attention_read(&reading->attention, forced->workspace, forced->sentence,
                                    reader->choice, &from, &to, error);
}

int tolk_read_pairs(const struct tolk_model *model, struct tolk_workspace *workspace,
                    const struct tolk_sentence_pair *pairs, size_t count, size_t batch_tokens,
                    const struct tolk_attention_choice *choice, struct tolk_reading *readings,
                    struct tolk_error *error)
{
    memset(readings, 0, count * sizeof *readings);
    int status = -1;
    struct tolk_sequence *const sequences = calloc(2 * count + 1, sizeof *sequences);
    if (sequences == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", count);
    }
    for (size_t i = 0; i < count; i++) {
        sequences[i] = tolk_sentence_sequence(pairs[i].source);
        sequences[count + i] = tolk_sentence_sequence(pairs[i].target);
    }
    struct reader reader = {pairs, choice, readings};
    status = tolk_force_decode(model, workspace, sequences, sequences + count, count, batch_tokens,
                               read_pair, &reader, error);
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
