#include "infer/search_record.h"

#include <stdlib.h>
#include <string.h>

#include "model/decoding.h"

enum { FEWEST_STEPS = 32 };

static void step_free(struct tolk_recorded_step *step)
{
    free(step->continuations);
    free(step->chosen);
}

/* The likeliest ids behind one hypothesis, into candidates [TOLK_RECORDED_CONTINUATIONS]; how many.
 */
static size_t likeliest(const struct tolk_config *config, size_t row, const real *logits,
                        struct tolk_candidate *candidates)
{
    struct tolk_selection selection = {candidates, TOLK_RECORDED_CONTINUATIONS, 0};
    tolk_select_row(&selection, row, 0, logits, config->vocab_size,
                    tolk_log_sum_exp(logits, config->vocab_size), config->pad_token_id);
    return selection.count;
}

/* Room for one more step. */
static struct tolk_recorded_step *next_step(struct tolk_search_record *record)
{
    if (record->count == record->capacity) {
        const size_t capacity = record->capacity > 0 ? 2 * record->capacity : FEWEST_STEPS;
        struct tolk_recorded_step *const grown =
            realloc(record->steps, capacity * sizeof *record->steps);
        if (grown == NULL) {
            return NULL;
        }
        record->steps = grown;
        record->capacity = capacity;
    }
    return &record->steps[record->count];
}

static int record_step(void *context, const struct tolk_search_step *seen, struct tolk_error *error)
{
    struct tolk_search_record *const record = context;
    if (seen->sentence != 0) {
        return 0;
    }
    struct tolk_recorded_step *const step = next_step(record);
    struct tolk_recorded_step made = {
        .rows = seen->rows,
        .continuations =
            malloc(seen->rows * TOLK_RECORDED_CONTINUATIONS * sizeof *made.continuations),
        .chosen_count = seen->chosen_count,
        .chosen = malloc((seen->chosen_count + 1) * sizeof *made.chosen),
    };
    if (step == NULL || made.continuations == NULL || made.chosen == NULL) {
        step_free(&made);
        return tolk_error_set(error, "out of memory for the record of a search");
    }
    for (size_t row = 0; row < seen->rows; row++) {
        /* Each row has as many: all ids but pad, or the most that are kept. */
        made.continuation_count = likeliest(record->config, row, seen->logits[row],
                                            made.continuations + row * made.continuation_count);
    }
    memcpy(made.chosen, seen->chosen, seen->chosen_count * sizeof *made.chosen);
    *step = made;
    record->count++;
    return 0;
}

struct tolk_search_observer tolk_search_record_observer(struct tolk_search_record *record)
{
    return (struct tolk_search_observer){record, record_step};
}

int tolk_search_record_given(struct tolk_search_record *record,
                             const struct tolk_inspection *inspection, const int32_t *ids,
                             size_t length, struct tolk_error *error)
{
    double score = 0;
    for (size_t t = 0; t < length; t++) {
        const real *const logits = tolk_inspection_logits(inspection, t);
        const double log_probability =
            (double)logits[ids[t]] - tolk_log_sum_exp(logits, record->config->vocab_size);
        score += log_probability;
        const struct tolk_candidate given = {0, ids[t], log_probability, score};
        const struct tolk_search_step step = {
            .step = t, .rows = 1, .logits = &logits, .chosen = &given, .chosen_count = 1};
        if (record_step(record, &step, error) != 0) {
            return -1;
        }
    }
    return 0;
}

void tolk_search_record_free(struct tolk_search_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        step_free(&record->steps[i]);
    }
    free(record->steps);
    *record = (struct tolk_search_record){.config = record->config};
}
