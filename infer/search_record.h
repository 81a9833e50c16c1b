/* What a search did with one sentence, step by step: the likeliest continuations of each hypothesis
 * and those that were followed.
 *
 *     struct tolk_search_record record = {.config = &model.config};
 *     const struct tolk_search_observer observer = tolk_search_record_observer(&record);
 *     options.observer = &observer;
 *     … translate one line …
 *     tolk_search_record_free(&record);
 */
#ifndef TOLK_INFER_SEARCH_RECORD_H
#define TOLK_INFER_SEARCH_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/inspection.h"
#include "infer/search.h"
#include "model/config.h"

/* Continuations that are kept of each hypothesis (fewer where the vocabulary has fewer). */
enum { TOLK_RECORDED_CONTINUATIONS = 8 };

struct tolk_recorded_step {
    size_t rows;
    size_t continuation_count; /* of each row */
    /* [rows, continuation_count], the likeliest first; scores are log-probabilities. */
    struct tolk_candidate *continuations;
    size_t chosen_count;
    struct tolk_candidate *chosen; /* as struct tolk_search_step has them */
};

struct tolk_search_record {
    const struct tolk_config *config;
    struct tolk_recorded_step *steps;
    size_t count;
    size_t capacity;
};

/* Records the searches of sentence 0; the record must outlive the observer. */
struct tolk_search_observer tolk_search_record_observer(struct tolk_search_record *record);

/* The steps of a given translation as if a beam of one had found it: ids [length], ends with eos,
 * those of the inspection. */
int tolk_search_record_given(struct tolk_search_record *record,
                             const struct tolk_inspection *inspection, const int32_t *ids,
                             size_t length, struct tolk_error *error);

void tolk_search_record_free(struct tolk_search_record *record);

#endif
