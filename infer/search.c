#include "infer/search.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/decoding.h"
#include "model/encoding.h"

struct tolk_searcher {
    const struct tolk_model *model;
    struct tolk_encoding *encoding;
    struct tolk_decoding *decoding;
    const struct tolk_search_observer *observer; /* or NULL */
};

/* A token of some hypothesis and the token before it: hypotheses share their beginnings. */
struct node {
    size_t parent; /* NO_NODE before the first token */
    int32_t id;
    double log_probability;
};

static const size_t NO_NODE = SIZE_MAX;

/* An ended hypothesis: its last node. */
struct ending {
    size_t node;
    size_t length;
    double score;
    double normalised_score;
};

/* The beam of one sentence that is still searched: rows [row, row + rows) of the step. */
struct beam {
    size_t sentence;
    size_t row;
    size_t rows;
    size_t width; /* hypotheses still to end */
    size_t greatest_length;
    bool broken; /* the model gave no number */
    struct tolk_selection selection;
};

/* The rows of a step, one for each hypothesis alive. */
struct rows {
    int32_t *tokens;
    size_t *sentences;
    size_t *parents; /* rows of the step before */
    size_t *nodes;
    double *scores;
    size_t count;
};

struct search {
    const struct tolk_config *config;
    const struct tolk_search_options *options;
    const struct tolk_search_observer *observer;
    struct node *nodes; /* [Σ beam · greatest length] */
    size_t node_count;
    struct ending *endings; /* [sentences, beam] */
    size_t *ending_counts;  /* [sentences] */
    struct beam *beams;     /* [sentences], those alive in front */
    size_t beam_count;
    struct tolk_candidate *candidates; /* [sentences, beam] */
    struct rows now;
    struct rows next;
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
    searcher->model = weights->model;
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
    tolk_decoding_free(searcher->decoding);
    tolk_encoding_free(searcher->encoding);
    free(searcher);
}

void tolk_searcher_observe(struct tolk_searcher *searcher,
                           const struct tolk_search_observer *observer)
{
    searcher->observer = observer;
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

static size_t greatest_length(const struct tolk_config *config,
                              const struct tolk_search_options *options, size_t source_length)
{
    const double wanted =
        options->max_length_factor * (double)source_length + (double)options->max_length_constant;
    if (wanted >= (double)config->max_position_embeddings) {
        return config->max_position_embeddings;
    }
    return wanted < 1 ? 1 : (size_t)wanted;
}

static bool rows_make(struct rows *rows, size_t capacity)
{
    rows->tokens = calloc(capacity, sizeof *rows->tokens);
    rows->sentences = calloc(capacity, sizeof *rows->sentences);
    rows->parents = calloc(capacity, sizeof *rows->parents);
    rows->nodes = calloc(capacity, sizeof *rows->nodes);
    rows->scores = calloc(capacity, sizeof *rows->scores);
    return rows->tokens != NULL && rows->sentences != NULL && rows->parents != NULL &&
           rows->nodes != NULL && rows->scores != NULL;
}

static void rows_free(struct rows *rows)
{
    free(rows->tokens);
    free(rows->sentences);
    free(rows->parents);
    free(rows->nodes);
    free(rows->scores);
}

static void rows_add(struct rows *rows, int32_t token, size_t sentence, size_t parent, size_t node,
                     double score)
{
    rows->tokens[rows->count] = token;
    rows->sentences[rows->count] = sentence;
    rows->parents[rows->count] = parent;
    rows->nodes[rows->count] = node;
    rows->scores[rows->count] = score;
    rows->count++;
}

static void search_free(struct search *search)
{
    free(search->nodes);
    free(search->endings);
    free(search->ending_counts);
    free(search->beams);
    free(search->candidates);
    rows_free(&search->now);
    rows_free(&search->next);
}

/* One row for each sentence: the start token, before any choice. */
static int search_begin(struct search *search, const struct tolk_batch *batch, size_t *steps,
                        struct tolk_error *error)
{
    const size_t sentences = batch->sentences;
    const size_t width = search->options->beam;
    search->beams = calloc(sentences, sizeof *search->beams);
    search->endings = calloc(sentences * width, sizeof *search->endings);
    search->ending_counts = calloc(sentences, sizeof *search->ending_counts);
    search->candidates = calloc(sentences * width, sizeof *search->candidates);
    if (search->beams == NULL || search->endings == NULL || search->ending_counts == NULL ||
        search->candidates == NULL || !rows_make(&search->now, sentences * width) ||
        !rows_make(&search->next, sentences * width)) {
        return tolk_error_set(error, "out of memory for the search of %zu sentences", sentences);
    }

    size_t total = 0;
    *steps = 0;
    for (size_t s = 0; s < sentences; s++) {
        const size_t source_length = batch->source_begin[s + 1] - batch->source_begin[s];
        const size_t length = greatest_length(search->config, search->options, source_length);
        search->beams[s] = (struct beam){
            .sentence = s,
            .row = s,
            .rows = 1,
            .width = width,
            .greatest_length = length,
            .selection.items = search->candidates + s * width,
        };
        rows_add(&search->now, search->config->decoder_start_token_id, s, 0, NO_NODE, 0);
        *steps = length > *steps ? length : *steps;
        total += length * width;
    }
    search->beam_count = sentences;
    search->nodes = malloc((total + 1) * sizeof *search->nodes);
    if (search->nodes == NULL) {
        return tolk_error_set(error, "out of memory for a search of %zu steps", *steps);
    }
    return 0;
}

/* The best continuations of one sentence; `logits` [rows of the step, vocab_size]. */
static void beam_select(const struct search *search, struct beam *beam, size_t step,
                        const real *logits)
{
    const struct tolk_config *const config = search->config;
    const bool last = step + 1 == beam->greatest_length;
    const bool normalised = search->options->scores || search->options->beam > 1;
    beam->selection.limit = beam->width;
    beam->selection.count = 0;
    for (size_t row = beam->row; row < beam->row + beam->rows; row++) {
        const real *const x = logits + row * config->vocab_size;
        const double score = search->now.scores[row];
        const struct tolk_selection *const chosen = &beam->selection;
        /* No log p is above 0. */
        if (chosen->count == chosen->limit && score <= chosen->items[chosen->limit - 1].score) {
            continue;
        }
        const double normaliser = normalised ? tolk_log_sum_exp(x, config->vocab_size) : 0;
        if (!isfinite(normaliser)) {
            beam->broken = true;
            return;
        }
        if (last) {
            const int32_t eos = config->eos_token_id;
            const double log_probability = (double)x[eos] - normaliser;
            tolk_select_one(&beam->selection, (struct tolk_candidate){row, eos, log_probability,
                                                                      score + log_probability});
        } else {
            tolk_select_row(&beam->selection, row, score, x, config->vocab_size, normaliser,
                            config->pad_token_id);
        }
    }
    beam->broken =
        beam->selection.count == 0 || (!normalised && !isfinite(beam->selection.items[0].score));
}

/* Shows the step of one sentence, with rows counted from its first. */
static int beam_show(const struct search *search, const struct beam *beam, size_t step,
                     const real *logits, struct tolk_error *error)
{
    for (size_t i = 0; i < beam->selection.count; i++) {
        beam->selection.items[i].row -= beam->row;
    }
    const struct tolk_search_step seen = {
        .sentence = beam->sentence,
        .step = step,
        .rows = beam->rows,
        .logits = logits + beam->row * search->config->vocab_size,
        .chosen = beam->selection.items,
        .chosen_count = beam->selection.count,
    };
    const int status = search->observer->see(search->observer->context, &seen, error);
    for (size_t i = 0; i < beam->selection.count; i++) {
        beam->selection.items[i].row += beam->row;
    }
    return status;
}

/* Hypotheses that end leave the beam, the others become rows of the next step. */
static void beam_advance(struct search *search, struct beam *beam, size_t step)
{
    const size_t first_row = search->next.count;
    for (size_t i = 0; i < beam->selection.count; i++) {
        const struct tolk_candidate *const candidate = &beam->selection.items[i];
        const size_t node = search->node_count++;
        search->nodes[node] = (struct node){
            .parent = search->now.nodes[candidate->row],
            .id = candidate->id,
            .log_probability = candidate->log_probability,
        };
        if (candidate->id != search->config->eos_token_id) {
            rows_add(&search->next, candidate->id, beam->sentence, candidate->row, node,
                     candidate->score);
            continue;
        }
        const size_t length = step + 1;
        const size_t place = search->ending_counts[beam->sentence]++;
        search->endings[beam->sentence * search->options->beam + place] = (struct ending){
            .node = node,
            .length = length,
            .score = candidate->score,
            .normalised_score =
                candidate->score / pow((double)length, search->options->length_penalty),
        };
        beam->width--;
    }
    beam->row = first_row;
    beam->rows = search->next.count - first_row;
}

int tolk_search_refuse_scores(size_t step, struct tolk_error *error)
{
    return tolk_error_set(error,
                          "the model's scores are not numbers (NaN or infinite) at step %zu: its "
                          "weights are damaged",
                          step + 1);
}

/* One step of all beams; those without a row left drop out. */
static int search_step(struct search *search, size_t step, const real *logits,
                       struct tolk_error *error)
{
#pragma omp parallel for schedule(dynamic) if (search->now.count > 1)
    for (size_t b = 0; b < search->beam_count; b++) {
        beam_select(search, &search->beams[b], step, logits);
    }

    search->next.count = 0;
    size_t alive = 0;
    for (size_t b = 0; b < search->beam_count; b++) {
        struct beam beam = search->beams[b];
        if (beam.broken) {
            return tolk_search_refuse_scores(step, error);
        }
        if (search->observer != NULL && beam_show(search, &beam, step, logits, error) != 0) {
            return -1;
        }
        beam_advance(search, &beam, step);
        if (beam.rows > 0) {
            search->beams[alive++] = beam;
        }
    }
    search->beam_count = alive;

    const struct rows swapped = search->now;
    search->now = search->next;
    search->next = swapped;
    return 0;
}

static int hypothesis_make(const struct search *search, const struct ending *ending,
                           struct tolk_hypothesis *hypothesis)
{
    hypothesis->ids = malloc(ending->length * sizeof *hypothesis->ids);
    hypothesis->log_probabilities = malloc(ending->length * sizeof *hypothesis->log_probabilities);
    if (hypothesis->ids == NULL || hypothesis->log_probabilities == NULL) {
        return -1;
    }
    hypothesis->length = ending->length;
    hypothesis->score = ending->score;
    hypothesis->normalised_score = ending->normalised_score;
    size_t place = ending->length;
    for (size_t n = ending->node; n != NO_NODE; n = search->nodes[n].parent) {
        place--;
        hypothesis->ids[place] = search->nodes[n].id;
        hypothesis->log_probabilities[place] = search->nodes[n].log_probability;
    }
    return 0;
}

/* Stable: of equal scores the one that ended first stays ahead. */
static void rank(struct ending *endings, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct ending moved = endings[i];
        size_t place = i;
        while (place > 0 && endings[place - 1].normalised_score < moved.normalised_score) {
            endings[place] = endings[place - 1];
            place--;
        }
        endings[place] = moved;
    }
}

static int search_collect(const struct search *search, size_t sentences,
                          struct tolk_hypotheses *found, struct tolk_error *error)
{
    for (size_t s = 0; s < sentences; s++) {
        struct ending *const endings = search->endings + s * search->options->beam;
        const size_t ended = search->ending_counts[s];
        const size_t count = ended < search->options->n_best ? ended : search->options->n_best;
        rank(endings, ended);
        found[s].items = calloc(count + 1, sizeof *found[s].items);
        if (found[s].items == NULL) {
            return tolk_error_set(error, "out of memory");
        }
        for (size_t i = 0; i < count; i++) {
            found[s].count++;
            if (hypothesis_make(search, &endings[i], &found[s].items[i]) != 0) {
                return tolk_error_set(error, "out of memory");
            }
        }
    }
    return 0;
}

int tolk_search(struct tolk_searcher *searcher, const struct tolk_batch *batch,
                const struct tolk_search_options *options, struct tolk_hypotheses *found,
                struct tolk_error *error)
{
    struct search search = {
        .config = &searcher->model->config,
        .options = options,
        .observer = searcher->observer,
    };
    memset(found, 0, batch->sentences * sizeof *found);
    int status = -1;
    size_t steps = 0;
    if (search_begin(&search, batch, &steps, error) != 0) {
        goto out;
    }
    const real *const memory = tolk_encoding_run(searcher->encoding, batch, error);
    if (memory == NULL ||
        tolk_decoding_begin(searcher->decoding, memory, batch, batch->sentences * options->beam,
                            steps, error) != 0) {
        goto out;
    }
    for (size_t step = 0; search.beam_count > 0; step++) {
        const real *const logits =
            tolk_decoding_step(searcher->decoding, search.now.count, search.now.tokens,
                               search.now.sentences, search.now.parents);
        if (search_step(&search, step, logits, error) != 0) {
            goto out;
        }
    }
    status = search_collect(&search, batch->sentences, found, error);
out:
    if (status != 0) {
        for (size_t s = 0; s < batch->sentences; s++) {
            tolk_hypotheses_free(&found[s]);
        }
    }
    search_free(&search);
    return status;
}
