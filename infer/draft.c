#include "infer/draft.h"

#include <assert.h>
#include <stdlib.h>

#include "infer/draft_tree.h"

enum {
    /* A draft has at most 1 << trust steps: as many as there are, one after too many that went
     * wrong early, which is a search by steps. */
    MOST_TRUST = 8,
};

/* A hypothesis of a draft. */
struct front_row {
    size_t parent; /* place */
    size_t place;
    int32_t token;
    bool looked;        /* whether the selection wanted its logits */
    const real *logits; /* [outputs] */
};

/* Those of one step, best first. */
struct front {
    struct front_row *rows;
    double *scores;
    size_t count;
};

struct tolk_drafter {
    struct tolk_draft_tree tree;
    const struct tolk_inference_weights *weights, *quick;
    struct tolk_select_rules rules; /* of the outputs of the quick weights */
    struct tolk_draft_counts counts;

    bool *ends; /* [vocab_size] whether the end followed a piece when it was last written */
    size_t trust;
    size_t foreseen; /* the first step behind the last draft */
    size_t begun;    /* and the step that began it */

    const struct tolk_beams *beams; /* of the sentence */
    size_t *asked;                  /* [beam] places of the rows of the step before */
    size_t *asking;                 /* and of those of this step whose logits were wanted */

    size_t capacity; /* rows of a front */
    struct front now, next;
    struct tolk_candidate *candidates; /* [capacity] */
    real *logits;                      /* [capacity, outputs] */
    size_t *places;                    /* [capacity] of the rows that are evaluated together */
};

/* ---- room ---------------------------------------------------------------------------------------
 */

/* The output that is an id, or -1. */
static int32_t output_of(const struct tolk_inference_weights *quick, int32_t id)
{
    for (size_t i = 0; i < quick->outputs; i++) {
        if (quick->output_ids[i] == id) {
            return (int32_t)i;
        }
    }
    return -1;
}

struct tolk_drafter *tolk_drafter_create(struct tolk_decoding *decoding,
                                         const struct tolk_inference_weights *weights,
                                         const struct tolk_inference_weights *quick,
                                         struct tolk_error *error)
{
    const struct tolk_config *const config = &weights->model->config;
    struct tolk_drafter *const drafter = calloc(1, sizeof *drafter);
    assert(quick->output_ids != NULL);
    if (drafter != NULL) {
        drafter->ends = calloc(config->vocab_size, sizeof *drafter->ends);
    }
    if (drafter == NULL || drafter->ends == NULL) {
        tolk_drafter_free(drafter);
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    drafter->tree.decoding = decoding;
    drafter->tree.vocabulary = config->vocab_size;
    drafter->weights = weights;
    drafter->quick = quick;
    drafter->rules = (struct tolk_select_rules){
        .vocabulary = quick->outputs,
        .eos = output_of(quick, config->eos_token_id),
        .pad = output_of(quick, config->pad_token_id),
    };
    drafter->trust = MOST_TRUST;
    return drafter;
}

static void front_free(struct front *front)
{
    free(front->rows);
    free(front->scores);
    *front = (struct front){0};
}

static bool front_make(struct front *front, size_t rows)
{
    front->rows = calloc(rows, sizeof *front->rows);
    front->scores = calloc(rows, sizeof *front->scores);
    return front->rows != NULL && front->scores != NULL;
}

static void free_rows(struct tolk_drafter *drafter)
{
    front_free(&drafter->now);
    front_free(&drafter->next);
    free(drafter->asked);
    free(drafter->asking);
    free(drafter->candidates);
    free(drafter->logits);
    free(drafter->places);
    drafter->asked = drafter->asking = drafter->places = NULL;
    drafter->candidates = NULL;
    drafter->logits = NULL;
    drafter->capacity = 0;
}

void tolk_drafter_free(struct tolk_drafter *drafter)
{
    if (drafter == NULL) {
        return;
    }
    free_rows(drafter);
    tolk_draft_tree_free(&drafter->tree);
    free(drafter->ends);
    free(drafter);
}

static int reserve(struct tolk_drafter *drafter, size_t rows, struct tolk_error *error)
{
    if (rows <= drafter->capacity) {
        return 0;
    }
    free_rows(drafter);
    drafter->asked = calloc(rows, sizeof *drafter->asked);
    drafter->asking = calloc(rows, sizeof *drafter->asking);
    drafter->candidates = calloc(rows, sizeof *drafter->candidates);
    drafter->logits = malloc(rows * drafter->rules.vocabulary * sizeof *drafter->logits);
    drafter->places = calloc(rows, sizeof *drafter->places);
    if (!front_make(&drafter->now, rows) || !front_make(&drafter->next, rows) ||
        drafter->asked == NULL || drafter->asking == NULL || drafter->candidates == NULL ||
        drafter->logits == NULL || drafter->places == NULL) {
        free_rows(drafter);
        return tolk_error_set(error, "out of memory for drafts with a beam of %zu", rows);
    }
    drafter->capacity = rows;
    return 0;
}

/* ---- a draft ------------------------------------------------------------------------------------
 */

static void front_add(struct front *front, size_t parent, int32_t token, double score)
{
    front->rows[front->count] = (struct front_row){.parent = parent, .token = token};
    front->scores[front->count++] = score;
}

/* The place of the row that a row of the beam continues. */
static size_t parent_of(const struct tolk_drafter *drafter, size_t row)
{
    const struct tolk_beams *const beams = drafter->beams;
    return beams->step > 0 ? drafter->asked[beams->now.parents[row]] : TOLK_DECODING_ROOT;
}

/* The beam as it stands; its rows are wanted in any case. */
static void front_begin(struct tolk_drafter *drafter)
{
    const struct tolk_beam_rows *const rows = &drafter->beams->now;
    struct front *const front = &drafter->now;
    front->count = 0;
    for (size_t r = 0; r < rows->count; r++) {
        const size_t parent = parent_of(drafter, r);
        front_add(front, parent, rows->tokens[r], rows->scores[r]);
        tolk_draft_tree_want(&drafter->tree,
                             tolk_draft_tree_add(&drafter->tree, parent, rows->tokens[r]));
    }
}

/* Logits by the quick weights of those rows that no pass evaluated. */
static void front_evaluate(struct tolk_drafter *drafter)
{
    const struct tolk_inference_weights *const quick = drafter->quick;
    const struct front *const front = &drafter->now;
    size_t count = 0;
    real *to = drafter->logits;
    for (size_t r = 0; r < front->count; r++) {
        struct front_row *const row = &front->rows[r];
        assert(!drafter->tree.greatest_alone || !drafter->tree.rows[row->place].known);
        if (!drafter->tree.rows[row->place].known) {
            drafter->places[count++] = row->place;
            row->logits = to;
            to += quick->outputs;
        }
    }
    if (count > 0) {
        drafter->counts.drafts++;
        tolk_decoding_evaluate(drafter->tree.decoding, quick, count, drafter->places,
                               drafter->logits);
    }
    for (size_t r = 0; r < front->count; r++) {
        struct front_row *const row = &front->rows[r];
        const real *const exact = drafter->tree.rows[row->place].logits;
        if (exact != NULL) {
            for (size_t i = 0; i < quick->outputs; i++) {
                to[i] = exact[quick->output_ids[i]];
            }
            row->logits = to;
            to += quick->outputs;
        }
    }
}

static const real *row_of_front(void *context, size_t r)
{
    const struct front *const front = context;
    front->rows[r].looked = true;
    return front->rows[r].logits;
}

/* Puts the continuations in the place of the front; returns how many ended. */
static size_t front_advance(struct tolk_drafter *drafter, const struct tolk_selection *selection)
{
    const struct front now = drafter->now;
    struct front *const next = &drafter->next;
    size_t ended = 0;
    next->count = 0;
    for (size_t i = 0; i < selection->count; i++) {
        const struct tolk_candidate *const candidate = &selection->items[i];
        const int32_t token = drafter->quick->output_ids[candidate->id];
        const size_t parent = now.rows[candidate->row].place;
        if (candidate->id == drafter->rules.eos) {
            ended++;
        } else if (drafter->ends[token]) {
            /* The pass will tell whether it does: no step of the draft for that. */
            tolk_draft_tree_want(&drafter->tree,
                                 tolk_draft_tree_add(&drafter->tree, parent, token));
            ended++;
        } else {
            front_add(next, parent, token, candidate->score);
        }
    }
    drafter->now = drafter->next;
    drafter->next = now;
    return ended;
}

/* One step of a draft, whose beam is `width` wide; returns how many hypotheses ended, all when it
 * leads nowhere. */
static size_t draft_step(struct tolk_drafter *drafter, size_t width, bool last)
{
    struct front *const front = &drafter->now;
    const struct tolk_select_logits logits = {row_of_front, front, NULL};
    const struct tolk_select_beam beam = {
        .rows = front->count, .scores = front->scores, .logits = &logits, .last = last};
    struct tolk_selection selection = {drafter->candidates, width, 0};
    front_evaluate(drafter);
    const bool good = tolk_select_continuations(&selection, &drafter->rules, &beam);
    for (size_t r = 0; r < front->count; r++) {
        if (front->rows[r].looked) {
            tolk_draft_tree_want(&drafter->tree, front->rows[r].place);
        }
    }
    return good ? front_advance(drafter, &selection) : width;
}

/* Whether the last draft of this search, if there was one, was worth its steps. */
static void learn_trust(struct tolk_drafter *drafter, size_t step)
{
    const size_t steps = drafter->foreseen - drafter->begun;
    if (steps == 0) {
        return;
    }
    if (step >= drafter->foreseen) {
        drafter->trust += drafter->trust < MOST_TRUST;
    } else if (2 * (step - drafter->begun) <= steps) {
        drafter->trust -= drafter->trust > 0;
    }
}

/* Whether a draft whose first new row is `first` has room behind its front for `width` rows more,
 * in the pass and in the tree, which keeps some for a search whose drafts are all wrong. */
static bool has_room(const struct tolk_drafter *drafter, size_t first, size_t width)
{
    const struct tolk_beams *const beams = drafter->beams;
    const size_t kept = (beams->steps - beams->step) * beams->options->beam;
    const struct tolk_draft_tree *const tree = &drafter->tree;
    return tree->wanted_count + drafter->now.count + width <= TOLK_DRAFT_ROWS &&
           tree->count - first + width <= TOLK_DRAFT_ROWS &&
           first + TOLK_DRAFT_ROWS + kept <= tree->limit;
}

/* Runs the search ahead from where it stands, and evaluates what it went through. */
static void draft(struct tolk_drafter *drafter)
{
    const struct tolk_beams *const beams = drafter->beams;
    struct tolk_draft_tree *const tree = &drafter->tree;
    const size_t first = tree->count;
    size_t width = beams->items[0].width;
    size_t step = beams->step;
    learn_trust(drafter, step);
    tolk_draft_tree_turn(tree);
    front_begin(drafter);
    const size_t most = (size_t)1 << drafter->trust;
    drafter->begun = step;
    for (; width > 0 && drafter->now.count > 0; step++) {
        for (size_t r = 0; r < drafter->now.count; r++) {
            struct front_row *const row = &drafter->now.rows[r];
            row->place = tolk_draft_tree_add(tree, row->parent, row->token);
        }
        if (!has_room(drafter, first, width) || step + 1 - beams->step >= most) {
            for (size_t r = 0; r < drafter->now.count; r++) {
                tolk_draft_tree_want(tree, drafter->now.rows[r].place);
            }
            step++;
            break;
        }
        width -= draft_step(drafter, width, step + 1 == beams->items[0].greatest_length);
    }
    drafter->foreseen = step;
    drafter->counts.passes++;
    drafter->counts.rows += tree->wanted_count;
    tolk_draft_tree_confirm(tree, drafter->weights);
}

/* ---- the search ---------------------------------------------------------------------------------
 */

static size_t place_of(const struct tolk_drafter *drafter, size_t row)
{
    return tolk_draft_tree_find(&drafter->tree, parent_of(drafter, row),
                                drafter->beams->now.tokens[row]);
}

/* A row of the beam, evaluated. */
static const struct tolk_draft_row *known_row(struct tolk_drafter *drafter, size_t row)
{
    const struct tolk_draft_tree *const tree = &drafter->tree;
    drafter->asking[row] = place_of(drafter, row);
    if (drafter->asking[row] == TOLK_DRAFT_NOWHERE || !tree->rows[drafter->asking[row]].known) {
        draft(drafter);
        /* Rows whose logits made room for the new ones have other places now. */
        for (size_t r = 0; r < drafter->beams->now.count; r++) {
            drafter->asking[r] = place_of(drafter, r);
        }
    }
    return &tree->rows[drafter->asking[row]];
}

static const real *row_of_beam(void *context, size_t row)
{
    return known_row(context, row)->logits;
}

static struct tolk_greatest greatest_of_beam(void *context, size_t row)
{
    return known_row(context, row)->greatest;
}

/* What followed the piece behind which the best hypothesis went on. */
static void learn_ends(struct tolk_drafter *drafter, const struct tolk_beams *beams)
{
    const struct tolk_candidate *const best = &beams->items[0].selection.items[0];
    const int32_t token = beams->next.tokens[best->row]; /* the rows before the step */
    drafter->ends[token] = best->id == beams->config->eos_token_id;
}

int tolk_drafter_search(struct tolk_drafter *drafter, const real *memory,
                        const struct tolk_batch *batch, struct tolk_beams *beams, bool greatest,
                        const struct tolk_search_observer *observer, struct tolk_error *error)
{
    const size_t rows = beams->options->beam;
    assert(rows <= TOLK_DRAFT_ROWS);
    /* Enough for a search whose drafts are all wrong, and as many rows again for drafts. */
    const size_t places = 2 * beams->steps * rows + 2 * TOLK_DRAFT_ROWS;
    const struct tolk_select_logits logits = {row_of_beam, drafter,
                                              greatest ? greatest_of_beam : NULL};
    if (reserve(drafter, rows, error) != 0 ||
        tolk_draft_tree_begin(&drafter->tree, places, TOLK_DRAFT_ROWS, error) != 0 ||
        tolk_decoding_begin_tree(drafter->tree.decoding, memory, batch, TOLK_DRAFT_ROWS,
                                 beams->steps, places, error) != 0) {
        return -1;
    }
    drafter->tree.greatest_alone = greatest;
    drafter->tree.barred = beams->rules.pad;
    drafter->beams = beams;
    drafter->rules.normalised = beams->rules.normalised;
    drafter->begun = drafter->foreseen = 0;
    int status = 0;
    while (status == 0 && beams->count > 0) {
        status = tolk_beams_step(beams, &logits, observer, error);
        size_t *const asked = drafter->asking;
        drafter->asking = drafter->asked;
        drafter->asked = asked;
        drafter->counts.steps++;
        if (status == 0) {
            learn_ends(drafter, beams);
        }
    }
    return status;
}

struct tolk_draft_counts tolk_drafter_counts(const struct tolk_drafter *drafter)
{
    return drafter->counts;
}
