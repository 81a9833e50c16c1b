#include "infer/forced.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "infer/jobs.h"
#include "infer/search.h"
#include "model/encoding.h"
#include "model/posterior.h"

/* What one thread works with. */
struct room {
    struct tolk_workspace *workspace;
    struct tolk_encoding *encoding; /* with packed weights */
    struct tolk_forcing *forcing;   /* likewise */
    struct tolk_packed packed;
};

struct tolk_forcer {
    const struct tolk_model *model;
    const struct tolk_inference_weights *weights; /* NULL: not packed */
    struct room *rooms;
    size_t room_count;
};

struct tolk_forcer *tolk_forcer_create(const struct tolk_model *model,
                                       const struct tolk_inference_weights *weights,
                                       struct tolk_error *error)
{
    struct tolk_forcer *const forcer = calloc(1, sizeof *forcer);
    if (forcer == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    forcer->model = model;
    forcer->weights = weights;
    return forcer;
}

void tolk_forcer_free(struct tolk_forcer *forcer)
{
    if (forcer == NULL) {
        return;
    }
    for (size_t i = 0; i < forcer->room_count; i++) {
        tolk_workspace_free(forcer->rooms[i].workspace);
        tolk_encoding_free(forcer->rooms[i].encoding);
        tolk_forcing_free(forcer->rooms[i].forcing);
        tolk_packed_free(&forcer->rooms[i].packed);
    }
    free(forcer->rooms);
    free(forcer);
}

static int room_make(struct room *room, const struct tolk_forcer *forcer, struct tolk_error *error)
{
    *room = (struct room){.workspace = tolk_workspace_create(forcer->model, error)};
    if (room->workspace == NULL || forcer->weights == NULL) {
        return room->workspace == NULL ? -1 : 0;
    }
    room->encoding = tolk_encoding_create(forcer->weights, error);
    room->forcing = tolk_forcing_create(forcer->weights, error);
    if (room->encoding != NULL && room->forcing != NULL) {
        return 0;
    }
    tolk_workspace_free(room->workspace);
    tolk_encoding_free(room->encoding);
    tolk_forcing_free(room->forcing);
    return -1;
}

static int reserve_rooms(struct tolk_forcer *forcer, size_t threads, struct tolk_error *error)
{
    if (threads <= forcer->room_count) {
        return 0;
    }
    struct room *const grown = realloc(forcer->rooms, threads * sizeof *grown);
    if (grown == NULL) {
        return tolk_error_set(error, "out of memory for %zu threads", threads);
    }
    forcer->rooms = grown;
    while (forcer->room_count < threads) {
        if (room_make(&forcer->rooms[forcer->room_count], forcer, error) != 0) {
            return -1;
        }
        forcer->room_count++;
    }
    return 0;
}

/* The first row whose loss is no number; `rows` when all are. */
static size_t find_broken(const double *losses, size_t rows)
{
    size_t r = 0;
    while (r < rows && isfinite(losses[r])) {
        r++;
    }
    return r;
}

/* log p(target) of each row of the batch, into fresh memory. */
static double *log_probabilities(const struct tolk_model *model, const struct tolk_batch *batch,
                                 struct tolk_workspace *workspace, struct tolk_error *error)
{
    const size_t rows = tolk_batch_target_rows(batch);
    double *const values = malloc(rows * sizeof *values);
    if (values == NULL) {
        tolk_error_set(error, "out of memory for %zu target pieces", rows);
        return NULL;
    }
    tolk_transformer_forward(model, batch, NULL, workspace);
    tolk_transformer_loss(model, batch, 0, workspace);
    const double *const losses = tolk_workspace_token_losses(workspace);
    const size_t broken = find_broken(losses, rows);
    if (broken < rows) {
        size_t s = 0;
        while (batch->target_begin[s + 1] <= broken) {
            s++;
        }
        free(values);
        tolk_search_refuse_scores(broken - batch->target_begin[s], error);
        return NULL;
    }
    for (size_t r = 0; r < rows; r++) {
        values[r] = -losses[r];
    }
    return values;
}

struct forcing {
    struct tolk_forcer *forcer;
    const struct tolk_forced_pairs *pairs;
    struct tolk_plan plan;
    tolk_forced_visit *visit;
    void *context;
};

/* Visits each sentence of the batch; `values` [target rows] or NULL. */
static int visit_batch(const struct forcing *forcing, const struct room *room, bool packed,
                       const double *values, const size_t *order, struct tolk_error *error)
{
    const struct tolk_batch *const batch = &room->packed.batch;
    int status = 0;
    for (size_t s = 0; status == 0 && s < batch->sentences; s++) {
        const struct tolk_forced forced = {
            .pair = order[s],
            .log_probabilities = values == NULL ? NULL : values + batch->target_begin[s],
            .workspace = packed ? NULL : room->workspace,
            .forcing = packed ? room->forcing : NULL,
            .sentence = s,
        };
        status = forcing->visit(forcing->context, &forced, error);
    }
    return status;
}

static int force_whole(const struct forcing *forcing, const struct room *room, const size_t *order,
                       struct tolk_error *error)
{
    const struct tolk_model *const model = forcing->forcer->model;
    const struct tolk_batch *const batch = &room->packed.batch;
    const bool scores = forcing->pairs->scores;
    double *values = NULL;
    if (tolk_workspace_reserve(room->workspace, batch, scores ? TOLK_FORWARD : TOLK_ATTENTION,
                               error) != 0) {
        return -1;
    }
    if (!scores) {
        tolk_transformer_attend(model, batch, room->workspace);
    } else {
        values = log_probabilities(model, batch, room->workspace, error);
        if (values == NULL) {
            return -1;
        }
    }
    if (forcing->pairs->posterior != NULL) {
        tolk_transformer_posterior(model, batch, forcing->pairs->posterior, room->workspace);
    }
    const int status = visit_batch(forcing, room, false, values, order, error);
    free(values);
    return status;
}

static int force_packed(const struct forcing *forcing, const struct room *room, const size_t *order,
                        struct tolk_error *error)
{
    const struct tolk_batch *const batch = &room->packed.batch;
    const struct tolk_forced_pairs *const pairs = forcing->pairs;
    const size_t all = forcing->forcer->model->config.decoder_layers;
    const size_t layers = pairs->cross_layers < all ? pairs->cross_layers : all;
    const real *const memory = tolk_encoding_run(room->encoding, batch, error);
    if (memory == NULL || tolk_forcing_run(room->forcing, memory, batch, layers, error) != 0) {
        return -1;
    }
    if (pairs->posterior != NULL) {
        tolk_forcing_posterior(room->forcing, batch, pairs->posterior);
    }
    return visit_batch(forcing, room, true, NULL, order, error);
}

/* The job of one batch. */
static int force_batch(void *context, size_t b, size_t thread, struct tolk_error *error)
{
    const struct forcing *const forcing = context;
    const struct tolk_forced_pairs *const pairs = forcing->pairs;
    struct room *const room = &forcing->forcer->rooms[thread];
    const size_t begin = forcing->plan.begin[b];
    const size_t *const order = forcing->plan.order + begin;
    const bool packed = forcing->forcer->weights != NULL && pairs->cross_layers > 0;
    if (tolk_packed_fill(&room->packed, pairs->sources, pairs->targets, order,
                         forcing->plan.begin[b + 1] - begin,
                         forcing->forcer->model->config.decoder_start_token_id, error) != 0) {
        return -1;
    }
    return packed ? force_packed(forcing, room, order, error)
                  : force_whole(forcing, room, order, error);
}

int tolk_force_decode(struct tolk_forcer *forcer, const struct tolk_forced_pairs *pairs,
                      tolk_forced_visit *visit, void *context, struct tolk_error *error)
{
    struct forcing forcing = {forcer, pairs, {0}, visit, context};
    int status = -1;
    size_t *const lengths = malloc((pairs->count + 1) * sizeof *lengths);
    if (lengths == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", pairs->count);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        lengths[i] = pairs->sources[i].length + pairs->targets[i].length;
    }
    const struct tolk_plan_limits limits = {
        .tokens = pairs->batch_tokens,
        .items = SIZE_MAX,
        .threads = tolk_jobs_threads(SIZE_MAX),
    };
    if (tolk_plan_make(&forcing.plan, lengths, pairs->count, &limits, error) == 0) {
        const size_t threads = tolk_jobs_threads(forcing.plan.batches);
        if (reserve_rooms(forcer, threads, error) == 0) {
            status = tolk_jobs_run(forcing.plan.batches, threads, force_batch, &forcing, error);
        }
    }
    tolk_plan_free(&forcing.plan);
    free(lengths);
    return status;
}
