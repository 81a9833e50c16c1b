#include "infer/draft.h"

#include <stdlib.h>
#include <string.h>

/* Rows that one pass evaluates: TODO. */
enum { PASS_ROWS = 64, PASSES = 2 };
size_t tune_rows = 28, tune_extra = 0;
double tune_delta = 0.0;
size_t stat_steps, stat_rows, stat_cycles, stat_quick, stat_asked, stat_sentences;

/* A row of the tree; its place in the decoding is its index. */
struct node {
    size_t parent;
    int32_t token;
    const real *logits; /* NULL: drafted only */
};

/* The hypotheses of the draft, best first. */
struct front {
    size_t *parents; /* places */
    int32_t *tokens;
    size_t *places;
    double *scores;
    const real **logits;
    size_t rows;
};

struct tolk_drafter {
    struct tolk_decoding *decoding;
    const struct tolk_inference_weights *weights, *quick;
    size_t vocabulary;
    size_t most_rows; /* of a front */
    size_t place_limit;

    struct node *nodes; /* [place_limit] */
    size_t node_count;
    size_t oldest;       /* the first node whose logits still stand in a buffer */
    size_t newest;       /* and the first of the last pass */
    real *exact[PASSES]; /* [PASS_ROWS, vocabulary], of the last passes in turn */
    size_t turn;
    real *drafted; /* [most_rows, vocabulary] */

    size_t *asked; /* [beam] places of the rows of the last step */
    size_t *asking;
    struct front now, next;
    struct tolk_candidate *candidates; /* [most_rows] */
};

static void front_free(struct front *front)
{
    free(front->parents);
    free(front->tokens);
    free(front->places);
    free(front->scores);
    free(front->logits);
    *front = (struct front){0};
}

static bool front_make(struct front *front, size_t rows)
{
    front->parents = calloc(rows, sizeof *front->parents);
    front->tokens = calloc(rows, sizeof *front->tokens);
    front->places = calloc(rows, sizeof *front->places);
    front->scores = calloc(rows, sizeof *front->scores);
    front->logits = calloc(rows, sizeof *front->logits);
    return front->parents != NULL && front->tokens != NULL && front->places != NULL &&
           front->scores != NULL && front->logits != NULL;
}

static void front_add(struct front *front, size_t parent, int32_t token, double score)
{
    front->parents[front->rows] = parent;
    front->tokens[front->rows] = token;
    front->scores[front->rows] = score;
    front->rows++;
}

#include <stdio.h>
static void stat_print(void)
{
    fprintf(stderr,
            "sentences %zu, per sentence: steps %.2f asked %.2f rows %.2f cycles %.2f quick steps "
            "%.2f\n",
            stat_sentences, (double)stat_steps / stat_sentences,
            (double)stat_asked / stat_sentences, (double)stat_rows / stat_sentences,
            (double)stat_cycles / stat_sentences, (double)stat_quick / stat_sentences);
}

struct tolk_drafter *tolk_drafter_create(struct tolk_decoding *decoding,
                                         const struct tolk_inference_weights *weights,
                                         const struct tolk_inference_weights *quick,
                                         struct tolk_error *error)
{
    struct tolk_drafter *const drafter = calloc(1, sizeof *drafter);
    if (drafter == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    drafter->decoding = decoding;
    drafter->weights = weights;
    drafter->quick = quick;
    drafter->vocabulary = weights->model->config.vocab_size;
    if (getenv("TUNE_ROWS")) {
        tune_rows = (size_t)atoi(getenv("TUNE_ROWS"));
        tune_extra = (size_t)atoi(getenv("TUNE_EXTRA"));
        tune_delta = atof(getenv("TUNE_DELTA"));
        atexit(stat_print);
    }
    return drafter;
}

static void free_rows(struct tolk_drafter *drafter)
{
    front_free(&drafter->now);
    front_free(&drafter->next);
    free(drafter->asked);
    free(drafter->asking);
    free(drafter->candidates);
    free(drafter->drafted);
    for (size_t i = 0; i < PASSES; i++) {
        free(drafter->exact[i]);
        drafter->exact[i] = NULL;
    }
    drafter->asked = drafter->asking = NULL;
    drafter->candidates = NULL;
    drafter->drafted = NULL;
    drafter->most_rows = 0;
}

void tolk_drafter_free(struct tolk_drafter *drafter)
{
    if (drafter == NULL) {
        return;
    }
    free_rows(drafter);
    free(drafter->nodes);
    free(drafter);
}

static int reserve(struct tolk_drafter *drafter, size_t rows, size_t places,
                   struct tolk_error *error)
{
    const size_t pass = rows > PASS_ROWS ? rows : PASS_ROWS;
    bool made = true;
    if (rows != drafter->most_rows) {
        free_rows(drafter);
        made = front_make(&drafter->now, rows) && front_make(&drafter->next, rows);
        drafter->asked = calloc(rows, sizeof *drafter->asked);
        drafter->asking = calloc(rows, sizeof *drafter->asking);
        drafter->candidates = calloc(rows, sizeof *drafter->candidates);
        drafter->drafted =
            aligned_alloc(64, (rows * drafter->vocabulary * sizeof(real) + 63) / 64 * 64);
        for (size_t i = 0; i < PASSES; i++) {
            drafter->exact[i] =
                aligned_alloc(64, (pass * drafter->vocabulary * sizeof(real) + 63) / 64 * 64);
            made = made && drafter->exact[i] != NULL;
        }
        made = made && drafter->asked != NULL && drafter->asking != NULL &&
               drafter->candidates != NULL && drafter->drafted != NULL;
        drafter->most_rows = made ? rows : 0;
    }
    if (places > drafter->place_limit) {
        free(drafter->nodes);
        drafter->nodes = malloc(places * sizeof *drafter->nodes);
        made = made && drafter->nodes != NULL;
        drafter->place_limit = made ? places : 0;
    }
    return made ? 0 : tolk_error_set(error, "out of memory for drafts of %zu rows", places);
}

int tolk_drafter_begin(struct tolk_drafter *drafter, const real *memory,
                       const struct tolk_batch *batch, const struct tolk_beams *beams,
                       struct tolk_error *error)
{
    const size_t rows = beams->options->beam + tune_extra;
    const size_t pass = rows > PASS_ROWS ? rows : PASS_ROWS;
    const size_t places = beams->steps * rows * 2 + 4 * PASS_ROWS;
    drafter->node_count = drafter->oldest = drafter->newest = 0;
    stat_sentences++;
    return reserve(drafter, rows, places, error) != 0 ||
                   tolk_decoding_begin_tree(drafter->decoding, memory, batch, pass, beams->steps,
                                            places, error) != 0
               ? -1
               : 0;
}

static const size_t NO_PLACE = SIZE_MAX;

/* The place of `token` behind `parent`, of those whose logits are known or drafted. */
static size_t find(const struct tolk_drafter *drafter, size_t parent, int32_t token)
{
    for (size_t place = drafter->oldest; place < drafter->node_count; place++) {
        if (drafter->nodes[place].parent == parent && drafter->nodes[place].token == token) {
            return place;
        }
    }
    return NO_PLACE;
}

static size_t find_or_add(struct tolk_drafter *drafter, size_t parent, int32_t token)
{
    const size_t place = find(drafter, parent, token);
    if (place != NO_PLACE) {
        return place;
    }
    drafter->nodes[drafter->node_count++] = (struct node){parent, token, NULL};
    return tolk_decoding_add(drafter->decoding, token, 0, parent);
}

/* One pass over all that was drafted. */
static void confirm(struct tolk_drafter *drafter, size_t first)
{
    real *const logits = drafter->exact[drafter->turn];
    const size_t rows = drafter->node_count - first;
    drafter->turn = (drafter->turn + 1) % PASSES;
    tolk_decoding_evaluate(drafter->decoding, drafter->weights, first, rows, logits);
    for (size_t r = 0; r < rows; r++) {
        drafter->nodes[first + r].logits = logits + r * drafter->vocabulary;
    }
    stat_cycles++;
    stat_rows += rows;
}

/* Places of the front, and logits of those that have none. */
static void evaluate_front(struct tolk_drafter *drafter, bool evaluate)
{
    struct front *const front = &drafter->now;
    const size_t first = drafter->node_count;
    for (size_t r = 0; r < front->rows; r++) {
        front->places[r] = find_or_add(drafter, front->parents[r], front->tokens[r]);
    }
    if (!evaluate) {
        return;
    }
    if (drafter->node_count > first) {
        stat_quick++;
        tolk_decoding_evaluate(drafter->decoding, drafter->quick, first,
                               drafter->node_count - first, drafter->drafted);
    }
    for (size_t r = 0; r < front->rows; r++) {
        const struct node *const node = &drafter->nodes[front->places[r]];
        front->logits[r] = node->logits != NULL ? node->logits
                                                : drafter->drafted + (front->places[r] - first) *
                                                                         drafter->vocabulary;
    }
}

/* Runs the search ahead from where it stands. */
static void draft(struct tolk_drafter *drafter, const struct tolk_beams *beams)
{
    const struct tolk_beam *const beam = &beams->items[0];
    const struct tolk_beam_rows *const rows = &beams->now;
    const size_t first = drafter->node_count;
    const size_t limit = tune_rows > drafter->most_rows ? tune_rows : drafter->most_rows;
    size_t width = beam->width;
    drafter->oldest = drafter->newest;
    drafter->newest = first;
    drafter->now.rows = 0;
    for (size_t r = 0; r < rows->count; r++) {
        front_add(&drafter->now,
                  beams->step > 0 ? drafter->asked[rows->parents[r]] : TOLK_DECODING_ROOT,
                  rows->tokens[r], rows->scores[r]);
    }
    for (size_t step = beams->step; drafter->now.rows > 0 && width > 0; step++) {
        const bool room = drafter->node_count - first + 2 * drafter->now.rows <= limit;
        evaluate_front(drafter, room);
        if (!room) {
            break;
        }
        struct tolk_selection selection = {drafter->candidates, width + tune_extra, 0};
        const struct tolk_select_beam ahead = {
            .rows = drafter->now.rows,
            .scores = drafter->now.scores,
            .logits = drafter->now.logits,
            .last = step + 1 == beam->greatest_length,
        };
        if (!tolk_select_continuations(&selection, &beams->rules, &ahead)) {
            break;
        }
        drafter->next.rows = 0;
        const size_t real_width = width;
        const double least =
            selection.items[selection.count < real_width ? selection.count - 1 : real_width - 1]
                .score -
            tune_delta;
        for (size_t i = 0; i < selection.count; i++) {
            const struct tolk_candidate *const candidate = &selection.items[i];
            if (candidate->id == beams->rules.eos) {
                width -= i < real_width;
            } else if (i < real_width || candidate->score >= least) {
                front_add(&drafter->next, drafter->now.places[candidate->row], candidate->id,
                          candidate->score);
            }
        }
        const struct front swapped = drafter->now;
        drafter->now = drafter->next;
        drafter->next = swapped;
    }
    confirm(drafter, first);
}

/* The places of the rows of the beam; false when one is missing. */
static bool find_all(struct tolk_drafter *drafter, const struct tolk_beams *beams)
{
    const struct tolk_beam_rows *const rows = &beams->now;
    for (size_t r = 0; r < rows->count; r++) {
        const size_t parent =
            beams->step > 0 ? drafter->asked[rows->parents[r]] : TOLK_DECODING_ROOT;
        drafter->asking[r] = find(drafter, parent, rows->tokens[r]);
        if (drafter->asking[r] == NO_PLACE) {
            return false;
        }
    }
    return true;
}

void tolk_drafter_step(struct tolk_drafter *drafter, struct tolk_beams *beams)
{
    stat_steps++;
    stat_asked += beams->now.count;
    if (!find_all(drafter, beams)) {
        draft(drafter, beams);
        find_all(drafter, beams);
    }
    size_t *const swapped = drafter->asked;
    drafter->asked = drafter->asking;
    drafter->asking = swapped;
    for (size_t r = 0; r < beams->now.count; r++) {
        beams->now.logits[r] = drafter->nodes[drafter->asked[r]].logits;
    }
}
