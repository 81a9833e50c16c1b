/* Beam search over the steps of the decoder, all sentences of a batch at once.
 *
 *     struct tolk_searcher *searcher = tolk_searcher_create(weights, &error);
 *     struct tolk_hypotheses found[sentences] = {0};
 *     if (tolk_search(searcher, &batch, &options, found, &error) != 0) …
 *
 * Greedy search is a beam of 1. As in Marian, the beam of a sentence narrows by one for each
 * hypothesis that ends, and the search of the sentence is over when none is left; hypotheses are
 * then ranked by score / length^length_penalty, where the length counts eos (as in Marian and
 * `transformers`). Pad is barred. A hypothesis at its greatest length ends with eos, at eos' own
 * probability, so that every score is what force-decoding gives. Of equal scores the earlier row
 * and then the lower id wins, so results are the same for any number of threads. */
#ifndef TOLK_INFER_SEARCH_H
#define TOLK_INFER_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/select.h"
#include "model/batch.h"
#include "model/inference.h"

struct tolk_search_options {
    size_t beam;                /* ≥ 1 */
    size_t n_best;              /* hypotheses to keep for each sentence, 1 … beam */
    double length_penalty;      /* 0: by the sum alone, 1: by the average */
    double max_length_factor;   /* greatest length in pieces, eos included: */
    size_t max_length_constant; /* min(max_position_embeddings, factor · source + constant) */
    /* Who wants no scores spares a greedy search the normaliser of each step's softmax, and with
     * weights that have a screening (and no observer) all logits but the greatest: its scores are
     * then sums of those. A wider beam needs all to compare its hypotheses. */
    bool scores;
};

/* Greatest length: 2 · source + 10. Beam and length penalty from the config. With scores. */
struct tolk_search_options tolk_search_options_default(const struct tolk_config *config);

struct tolk_hypothesis {
    int32_t *ids;              /* [length], ends with eos */
    double *log_probabilities; /* [length] */
    size_t length;
    double score;            /* Σ log_probabilities */
    double normalised_score; /* score / length^length_penalty */
};

/* The best of one sentence, best first. */
struct tolk_hypotheses {
    struct tolk_hypothesis *items;
    size_t count;
};

void tolk_hypotheses_free(struct tolk_hypotheses *hypotheses);

/* The encoder's and decoder's room, reused from batch to batch. */
struct tolk_searcher;

struct tolk_searcher *tolk_searcher_create(const struct tolk_inference_weights *weights,
                                           struct tolk_error *error);
void tolk_searcher_free(struct tolk_searcher *searcher);

/* A step of the search of one sentence, for who wants to follow it. */
struct tolk_search_step {
    size_t sentence;
    size_t step; /* from 0 */
    size_t rows; /* hypotheses alive before it, in the order in which `chosen` lived on */
    const real *const *logits;           /* [rows], each [vocab_size] */
    const struct tolk_candidate *chosen; /* [chosen_count], best first; `row` is one of [0, rows) */
    size_t chosen_count;                 /* those whose id is not eos are the next step's rows */
};

/* Returns 0, or -1 with an error, which ends the search. Called by the thread that searches. */
struct tolk_search_observer {
    void *context;
    int (*see)(void *context, const struct tolk_search_step *step, struct tolk_error *error);
};

/* Shows all searches from now on to `observer`, which must outlive them; NULL: to nobody. */
void tolk_searcher_observe(struct tolk_searcher *searcher,
                           const struct tolk_search_observer *observer);

/* Sentences that come alone are from now on drafted (draft.h) by these weights, made of the same
 * model by tolk_inference_weights_make_draft and lent. What is found stays the same to the bit. */
int tolk_searcher_draft(struct tolk_searcher *searcher, const struct tolk_inference_weights *quick,
                        struct tolk_error *error);
void tolk_searcher_forget_draft(struct tolk_searcher *searcher);

/* What drafted searches did since tolk_searcher_draft. */
struct tolk_draft_counts {
    size_t steps;  /* of the searches */
    size_t drafts; /* steps by the quick weights */
    size_t passes; /* by the searcher's own */
    size_t rows;   /* that they evaluated */
};
struct tolk_draft_counts tolk_searcher_counts(const struct tolk_searcher *searcher);

/* Searches the source side of `batch` (its target side is not read; source sentences are at most
 * max_position_embeddings long) and fills found[sentences]; on an error none is left to free. */
int tolk_search(struct tolk_searcher *searcher, const struct tolk_batch *batch,
                const struct tolk_search_options *options, struct tolk_hypotheses *found,
                struct tolk_error *error);

/* Says that the scores of a decoder step, from 0, are no numbers; returns -1. */
int tolk_search_refuse_scores(size_t step, struct tolk_error *error);

#endif
