#include "infer/beams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A token of some hypothesis and the token before it: hypotheses share their beginnings. */
struct tolk_beam_node {
    size_t parent; /* NO_NODE before the first token */
    int32_t id;
    double log_probability;
};

static const size_t NO_NODE = SIZE_MAX;

/* An ended hypothesis: its last node. */
struct tolk_beam_ending {
    size_t node;
    size_t length;
    double score;
    double normalised_score;
};

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

static bool rows_make(struct tolk_beam_rows *rows, size_t capacity)
{
    rows->tokens = calloc(capacity, sizeof *rows->tokens);
    rows->sentences = calloc(capacity, sizeof *rows->sentences);
    rows->parents = calloc(capacity, sizeof *rows->parents);
    rows->nodes = calloc(capacity, sizeof *rows->nodes);
    rows->scores = calloc(capacity, sizeof *rows->scores);
    rows->logits = calloc(capacity, sizeof *rows->logits);
    return rows->tokens != NULL && rows->sentences != NULL && rows->parents != NULL &&
           rows->nodes != NULL && rows->scores != NULL && rows->logits != NULL;
}

static void rows_free(struct tolk_beam_rows *rows)
{
    free(rows->tokens);
    free(rows->sentences);
    free(rows->parents);
    free(rows->nodes);
    free(rows->scores);
    free(rows->logits);
}

static void rows_add(struct tolk_beam_rows *rows, int32_t token, size_t sentence, size_t parent,
                     size_t node, double score)
{
    rows->tokens[rows->count] = token;
    rows->sentences[rows->count] = sentence;
    rows->parents[rows->count] = parent;
    rows->nodes[rows->count] = node;
    rows->scores[rows->count] = score;
    rows->count++;
}

void tolk_beams_free(struct tolk_beams *beams)
{
    free(beams->nodes);
    free(beams->endings);
    free(beams->ending_counts);
    free(beams->items);
    free(beams->candidates);
    rows_free(&beams->now);
    rows_free(&beams->next);
}

int tolk_beams_begin(struct tolk_beams *beams, const struct tolk_config *config,
                     const struct tolk_search_options *options, const struct tolk_batch *batch,
                     struct tolk_error *error)
{
    const size_t sentences = batch->sentences;
    const size_t width = options->beam;
    *beams = (struct tolk_beams){
        .config = config,
        .options = options,
        .rules = {config->vocab_size, config->eos_token_id, config->pad_token_id,
                  options->scores || width > 1},
    };
    beams->items = calloc(sentences, sizeof *beams->items);
    beams->endings = calloc(sentences * width, sizeof *beams->endings);
    beams->ending_counts = calloc(sentences, sizeof *beams->ending_counts);
    beams->candidates = calloc(sentences * width, sizeof *beams->candidates);
    if (beams->items == NULL || beams->endings == NULL || beams->ending_counts == NULL ||
        beams->candidates == NULL || !rows_make(&beams->now, sentences * width) ||
        !rows_make(&beams->next, sentences * width)) {
        return tolk_error_set(error, "out of memory for the search of %zu sentences", sentences);
    }

    size_t total = 0;
    for (size_t s = 0; s < sentences; s++) {
        const size_t source_length = batch->source_begin[s + 1] - batch->source_begin[s];
        const size_t length = greatest_length(beams->config, options, source_length);
        beams->items[s] = (struct tolk_beam){
            .sentence = s,
            .row = s,
            .rows = 1,
            .width = width,
            .greatest_length = length,
            .selection.items = beams->candidates + s * width,
        };
        rows_add(&beams->now, beams->config->decoder_start_token_id, s, 0, NO_NODE, 0);
        beams->steps = length > beams->steps ? length : beams->steps;
        total += length * width;
    }
    beams->count = sentences;
    beams->nodes = malloc((total + 1) * sizeof *beams->nodes);
    if (beams->nodes == NULL) {
        return tolk_error_set(error, "out of memory for a search of %zu steps", beams->steps);
    }
    return 0;
}

/* The best continuations of one sentence. */
static void beam_select(const struct tolk_beams *beams, struct tolk_beam *beam,
                        const struct tolk_select_logits *logits)
{
    const struct tolk_select_beam rows = {
        .first = beam->row,
        .rows = beam->rows,
        .scores = beams->now.scores + beam->row,
        .logits = logits,
        .last = beams->step + 1 == beam->greatest_length,
    };
    beam->selection.limit = beam->width;
    beam->broken = !tolk_select_continuations(&beam->selection, &beams->rules, &rows);
}

static int beam_show(const struct tolk_beams *beams, const struct tolk_beam *beam,
                     const struct tolk_select_logits *logits,
                     const struct tolk_search_observer *observer, struct tolk_error *error)
{
    /* Asked for twice: for the last of them the first may have had to move. */
    for (size_t i = 0; i < 2 * beam->rows; i++) {
        const size_t row = beam->row + i % beam->rows;
        beams->now.logits[row] = logits->of(logits->context, row);
    }
    const struct tolk_search_step seen = {
        .sentence = beam->sentence,
        .step = beams->step,
        .rows = beam->rows,
        .logits = beams->now.logits + beam->row,
        .chosen = beam->selection.items,
        .chosen_count = beam->selection.count,
    };
    return observer->see(observer->context, &seen, error);
}

/* Hypotheses that end leave the beam, the others become rows of the next step. */
static void beam_advance(struct tolk_beams *beams, struct tolk_beam *beam)
{
    const size_t first_row = beams->next.count;
    for (size_t i = 0; i < beam->selection.count; i++) {
        const struct tolk_candidate *const candidate = &beam->selection.items[i];
        const size_t row = beam->row + candidate->row;
        const size_t node = beams->node_count++;
        beams->nodes[node] = (struct tolk_beam_node){
            .parent = beams->now.nodes[row],
            .id = candidate->id,
            .log_probability = candidate->log_probability,
        };
        if (candidate->id != beams->config->eos_token_id) {
            rows_add(&beams->next, candidate->id, beam->sentence, row, node, candidate->score);
            continue;
        }
        const size_t length = beams->step + 1;
        const size_t place = beams->ending_counts[beam->sentence]++;
        beams->endings[beam->sentence * beams->options->beam + place] = (struct tolk_beam_ending){
            .node = node,
            .length = length,
            .score = candidate->score,
            .normalised_score =
                candidate->score / pow((double)length, beams->options->length_penalty),
        };
        beam->width--;
    }
    beam->row = first_row;
    beam->rows = beams->next.count - first_row;
}

static void select_all(struct tolk_beams *beams, const struct tolk_select_logits *logits)
{
    if (beams->count == 1) { /* no region: who makes the logits may want one of its own */
        beam_select(beams, &beams->items[0], logits);
        return;
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t b = 0; b < beams->count; b++) {
        beam_select(beams, &beams->items[b], logits);
    }
}

int tolk_beams_step(struct tolk_beams *beams, const struct tolk_select_logits *logits,
                    const struct tolk_search_observer *observer, struct tolk_error *error)
{
    select_all(beams, logits);

    beams->next.count = 0;
    size_t alive = 0;
    for (size_t b = 0; b < beams->count; b++) {
        struct tolk_beam beam = beams->items[b];
        if (beam.broken) {
            return tolk_search_refuse_scores(beams->step, error);
        }
        if (observer != NULL && beam_show(beams, &beam, logits, observer, error) != 0) {
            return -1;
        }
        beam_advance(beams, &beam);
        if (beam.rows > 0) {
            beams->items[alive++] = beam;
        }
    }
    beams->count = alive;
    beams->step++;

    const struct tolk_beam_rows swapped = beams->now;
    beams->now = beams->next;
    beams->next = swapped;
    return 0;
}

static int hypothesis_make(const struct tolk_beams *beams, const struct tolk_beam_ending *ending,
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
    for (size_t n = ending->node; n != NO_NODE; n = beams->nodes[n].parent) {
        place--;
        hypothesis->ids[place] = beams->nodes[n].id;
        hypothesis->log_probabilities[place] = beams->nodes[n].log_probability;
    }
    return 0;
}

/* Stable: of equal scores the one that ended first stays ahead. */
static void rank(struct tolk_beam_ending *endings, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct tolk_beam_ending moved = endings[i];
        size_t place = i;
        while (place > 0 && endings[place - 1].normalised_score < moved.normalised_score) {
            endings[place] = endings[place - 1];
            place--;
        }
        endings[place] = moved;
    }
}

int tolk_beams_collect(const struct tolk_beams *beams, size_t sentences,
                       struct tolk_hypotheses *found, struct tolk_error *error)
{
    for (size_t s = 0; s < sentences; s++) {
        struct tolk_beam_ending *const endings = beams->endings + s * beams->options->beam;
        const size_t ended = beams->ending_counts[s];
        const size_t count = ended < beams->options->n_best ? ended : beams->options->n_best;
        rank(endings, ended);
        found[s].items = calloc(count + 1, sizeof *found[s].items);
        if (found[s].items == NULL) {
            return tolk_error_set(error, "out of memory");
        }
        for (size_t i = 0; i < count; i++) {
            found[s].count++;
            if (hypothesis_make(beams, &endings[i], &found[s].items[i]) != 0) {
                return tolk_error_set(error, "out of memory");
            }
        }
    }
    return 0;
}
