#include "infer/search.h"

#include <stdlib.h>
#include <string.h>

#include "infer/beams.h"
#include "infer/draft.h"
#include "model/decoding.h"
#include "model/encoding.h"

struct tolk_searcher {
    const struct tolk_inference_weights *weights;
    struct tolk_encoding *encoding;
    struct tolk_decoding *decoding;
    struct tolk_drafter *drafter;                /* of sentences that come alone, or NULL */
    const struct tolk_search_observer *observer; /* or NULL */
};

struct tolk_search_options tolk_search_options_default(const struct tolk_config *config)
{
    return (struct tolk_search_options){
        .beam = config->num_beams > 0 ? config->num_beams : 1,
        .n_best = 1,
        .length_penalty = config->length_penalty,
        .max_length_factor = 2,
        .max_length_constant = 10,
        .scores = true,
    };
}

struct tolk_searcher *tolk_searcher_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error)
{
    struct tolk_searcher *searcher = calloc(1, sizeof *searcher);
    if (searcher == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    searcher->weights = weights;
    searcher->encoding = tolk_encoding_create(weights, error);
    if (searcher->encoding != NULL) {
        searcher->decoding = tolk_decoding_create(weights, error);
    }
    if (searcher->decoding == NULL) {
        tolk_searcher_free(searcher);
        return NULL;
    }
    return searcher;
}

void tolk_searcher_free(struct tolk_searcher *searcher)
{
    if (searcher == NULL) {
        return;
    }
    tolk_drafter_free(searcher->drafter);
    tolk_decoding_free(searcher->decoding);
    tolk_encoding_free(searcher->encoding);
    free(searcher);
}

void tolk_searcher_observe(struct tolk_searcher *searcher,
                           const struct tolk_search_observer *observer)
{
    searcher->observer = observer;
}

int tolk_searcher_draft(struct tolk_searcher *searcher, const struct tolk_inference_weights *quick,
                        struct tolk_error *error)
{
    tolk_drafter_free(searcher->drafter);
    searcher->drafter = tolk_drafter_create(searcher->decoding, searcher->weights, quick, error);
    return searcher->drafter != NULL ? 0 : -1;
}

void tolk_searcher_forget_draft(struct tolk_searcher *searcher)
{
    tolk_drafter_free(searcher->drafter);
    searcher->drafter = NULL;
}

struct tolk_draft_counts tolk_searcher_counts(const struct tolk_searcher *searcher)
{
    return searcher->drafter != NULL ? tolk_drafter_counts(searcher->drafter)
                                     : (struct tolk_draft_counts){0};
}

void tolk_hypotheses_free(struct tolk_hypotheses *hypotheses)
{
    for (size_t i = 0; i < hypotheses->count; i++) {
        free(hypotheses->items[i].ids);
        free(hypotheses->items[i].log_probabilities);
    }
    free(hypotheses->items);
    *hypotheses = (struct tolk_hypotheses){0};
}

int tolk_search_refuse_scores(size_t step, struct tolk_error *error)
{
    return tolk_error_set(error,
                          "the model's scores are not numbers (NaN or infinite) at step %zu: its "
                          "weights are damaged",
                          step + 1);
}

/* What one step of the decoder gave for all rows. */
struct step_logits {
    const real *logits; /* [rows, vocabulary] */
    size_t vocabulary;
    const struct tolk_greatest *greatest; /* [rows] */
};

static const real *row_of_step(void *context, size_t row)
{
    const struct step_logits *const step = context;
    return step->logits + row * step->vocabulary;
}

static struct tolk_greatest greatest_of_step(void *context, size_t row)
{
    const struct step_logits *const step = context;
    return step->greatest[row];
}

/* Whether the greatest logits are enough, and can be had without the others. */
static bool wants_greatest(const struct tolk_searcher *searcher, const struct tolk_beams *beams)
{
    return searcher->weights->screening != NULL && !beams->rules.normalised &&
           searcher->observer == NULL;
}

static int search_by_steps(struct tolk_searcher *searcher, const struct tolk_batch *batch,
                           const real *memory, struct tolk_beams *beams, struct tolk_error *error)
{
    const bool greatest = wants_greatest(searcher, beams);
    struct tolk_decoding *const decoding = searcher->decoding;
    struct step_logits step = {.vocabulary = beams->config->vocab_size};
    const struct tolk_select_logits logits = {row_of_step, &step,
                                              greatest ? greatest_of_step : NULL};
    int status = tolk_decoding_begin(decoding, memory, batch,
                                     batch->sentences * beams->options->beam, beams->steps, error);
    while (status == 0 && beams->count > 0) {
        const struct tolk_beam_rows *const rows = &beams->now;
        if (greatest) {
            step.greatest =
                tolk_decoding_step_greatest(decoding, beams->rules.pad, rows->count, rows->tokens,
                                            rows->sentences, rows->parents);
        } else {
            step.logits = tolk_decoding_step(decoding, rows->count, rows->tokens, rows->sentences,
                                             rows->parents);
        }
        status = tolk_beams_step(beams, &logits, searcher->observer, error);
    }
    return status;
}

static int search(struct tolk_searcher *searcher, const struct tolk_batch *batch,
                  struct tolk_beams *beams, struct tolk_error *error)
{
    const real *const memory = tolk_encoding_run(searcher->encoding, batch, error);
    if (memory == NULL) {
        return -1;
    }
    if (searcher->drafter != NULL && batch->sentences == 1 &&
        beams->options->beam <= TOLK_DRAFT_ROWS) {
        return tolk_drafter_search(searcher->drafter, memory, batch, beams,
                                   wants_greatest(searcher, beams), searcher->observer, error);
    }
    return search_by_steps(searcher, batch, memory, beams, error);
}

int tolk_search(struct tolk_searcher *searcher, const struct tolk_batch *batch,
                const struct tolk_search_options *options, struct tolk_hypotheses *found,
                struct tolk_error *error)
{
    struct tolk_beams beams;
    memset(found, 0, batch->sentences * sizeof *found);
    int status = tolk_beams_begin(&beams, &searcher->weights->model->config, options, batch, error);
    if (status == 0) {
        status = search(searcher, batch, &beams, error);
    }
    if (status == 0) {
        status = tolk_beams_collect(&beams, batch->sentences, found, error);
    }
    for (size_t s = 0; status != 0 && s < batch->sentences; s++) {
        tolk_hypotheses_free(&found[s]);
    }
    tolk_beams_free(&beams);
    return status;
}
