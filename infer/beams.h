/* The beams of a batch's sentences and what became of their hypotheses; the search (search.h) gives
 * them the logits of their rows, step after step:
 *
 *     struct tolk_beams beams;
 *     if (tolk_beams_begin(&beams, config, options, &batch, &error) != 0) …
 *     while (beams.count > 0) {
 *         … the logits of beams.now …
 *         if (tolk_beams_step(&beams, &logits, observer, &error) != 0) …
 *     }
 *     status = tolk_beams_collect(&beams, batch.sentences, found, &error);
 *     tolk_beams_free(&beams);
 */
#ifndef TOLK_INFER_BEAMS_H
#define TOLK_INFER_BEAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/search.h"
#include "infer/select.h"
#include "model/batch.h"
#include "model/config.h"

/* The beam of one sentence that is still searched: rows [row, row + rows) of the step. */
struct tolk_beam {
    size_t sentence;
    size_t row;
    size_t rows;
    size_t width; /* hypotheses still to end */
    size_t greatest_length;
    bool broken; /* the model gave no number */
    struct tolk_selection selection;
};

/* The rows of a step, one for each hypothesis alive; those of a sentence stand together. */
struct tolk_beam_rows {
    int32_t *tokens;
    size_t *sentences;
    size_t *parents; /* rows of the step before */
    size_t *nodes;
    double *scores;
    const real **logits; /* for an observer */
    size_t count;
};

struct tolk_beams {
    const struct tolk_config *config;
    const struct tolk_search_options *options;
    struct tolk_select_rules rules;
    size_t step;                  /* from 0 */
    size_t steps;                 /* the greatest length of all */
    struct tolk_beam_node *nodes; /* [Σ beam · greatest length] */
    size_t node_count;
    struct tolk_beam_ending *endings; /* [sentences, beam] */
    size_t *ending_counts;            /* [sentences] */
    struct tolk_beam *items;          /* [sentences], those alive in front */
    size_t count;
    struct tolk_candidate *candidates; /* [sentences, beam] */
    struct tolk_beam_rows now;
    struct tolk_beam_rows next;
};

/* One row for each sentence: the start token, before any choice. */
int tolk_beams_begin(struct tolk_beams *beams, const struct tolk_config *config,
                     const struct tolk_search_options *options, const struct tolk_batch *batch,
                     struct tolk_error *error);
void tolk_beams_free(struct tolk_beams *beams);

/* One step of all beams, of which `observer` hears unless it is NULL; those without a row left drop
 * out. The logits of several sentences are asked for by several threads. */
int tolk_beams_step(struct tolk_beams *beams, const struct tolk_select_logits *logits,
                    const struct tolk_search_observer *observer, struct tolk_error *error);

/* The best of what ended, into found[sentences], which are empty. */
int tolk_beams_collect(const struct tolk_beams *beams, size_t sentences,
                       struct tolk_hypotheses *found, struct tolk_error *error);

#endif
