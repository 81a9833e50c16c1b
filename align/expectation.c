#include "align/expectation.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

/* What one thread works in. */
struct workspace {
    double *given[TOLK_SIDES], *null[TOLK_SIDES], *posterior[TOLK_SIDES];
    double *room;
    size_t *cells; /* [sources][targets] */
    struct tolk_hmm_counts *counts[TOLK_SIDES];
};

struct pass {
    const struct tolk_models *models;
    bool learning;
    tolk_posteriors_visit *visit;
    void *context;
    size_t threads;
    struct workspace *workspaces;       /* [threads] */
    double *log_likelihood[TOLK_SIDES]; /* [pairs] */
    int status;
};

/* A pair that takes part: neither side is empty or too long. */
static bool is_usable(const struct tolk_bitext *bitext, size_t pair)
{
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        const size_t *const begin = bitext->sides[side].begin;
        const size_t units = begin[pair + 1] - begin[pair];
        if (units == 0 || units > TOLK_ALIGNER_LONGEST) {
            return false;
        }
    }
    return true;
}

static size_t longest(const struct tolk_bitext *bitext, enum tolk_side side)
{
    const size_t *const begin = bitext->sides[side].begin;
    size_t most = 1;
    for (size_t pair = 0; pair < bitext->pairs; pair++) {
        const size_t units = begin[pair + 1] - begin[pair];
        if (units > most && is_usable(bitext, pair)) {
            most = units;
        }
    }
    return most;
}

static int workspace_make(struct workspace *workspace, const size_t *most)
{
    const size_t area = most[0] * most[1];
    const size_t room[TOLK_SIDES] = {tolk_hmm_room(most[0], most[1]),
                                     tolk_hmm_room(most[1], most[0])};
    bool made = true;
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        workspace->given[side] = calloc(area, sizeof *workspace->given[side]);
        workspace->null[side] = calloc(most[1 - side], sizeof *workspace->null[side]);
        workspace->posterior[side] = calloc(area, sizeof *workspace->posterior[side]);
        workspace->counts[side] = calloc(1, sizeof *workspace->counts[side]);
        made = made && workspace->given[side] != NULL && workspace->null[side] != NULL &&
               workspace->posterior[side] != NULL && workspace->counts[side] != NULL;
    }
    workspace->room = calloc(room[0] > room[1] ? room[0] : room[1], sizeof *workspace->room);
    workspace->cells = calloc(area, sizeof *workspace->cells);
    return made && workspace->room != NULL && workspace->cells != NULL ? 0 : -1;
}

static void workspace_free(struct workspace *workspace)
{
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        free(workspace->given[side]);
        free(workspace->null[side]);
        free(workspace->posterior[side]);
        free(workspace->counts[side]);
    }
    free(workspace->room);
    free(workspace->cells);
}

/* The pair's part of the lexicon, as the trellises of both directions have it. */
static void look_up(const struct pass *pass, struct workspace *workspace,
                    struct tolk_pair_posteriors *pair)
{
    const struct tolk_lexicon *const lexicon = pass->models->lexicon;
    const struct tolk_lexicon_direction *const down = &lexicon->directions[TOLK_SOURCE_SIDE];
    const struct tolk_lexicon_direction *const up = &lexicon->directions[TOLK_TARGET_SIDE];
    const size_t sources = pair->count[TOLK_SOURCE_SIDE], targets = pair->count[TOLK_TARGET_SIDE];
    for (size_t i = 0; i < sources; i++) {
        const uint32_t source = pair->units[TOLK_SOURCE_SIDE][i].id;
        for (size_t j = 0; j < targets; j++) {
            const size_t cell =
                tolk_lexicon_cell(lexicon, source, pair->units[TOLK_TARGET_SIDE][j].id);
            /* Made with the workspace. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
            workspace->cells[i * targets + j] = cell;
            workspace->given[TOLK_SOURCE_SIDE][j * sources + i] = down->given[cell];
            workspace->given[TOLK_TARGET_SIDE][i * targets + j] = up->given[cell];
        }
        workspace->null[TOLK_TARGET_SIDE][i] = up->null[source];
    }
    for (size_t j = 0; j < targets; j++) {
        workspace->null[TOLK_SOURCE_SIDE][j] = down->null[pair->units[TOLK_TARGET_SIDE][j].id];
    }
}

static void count_null(struct tolk_lexicon_direction *direction, const struct tolk_trellis *trellis,
                       const struct tolk_unit *generated)
{
    for (size_t j = 0; j < trellis->words; j++) {
        double null = 1;
        for (size_t i = 0; i < trellis->positions; i++) {
            null -= trellis->posterior[j * trellis->positions + i];
        }
        if (null > 0) {
            tolk_lexicon_count(&direction->null_count[generated[j].id], null);
        }
    }
}

static void count_links(const struct pass *pass, const struct workspace *workspace,
                        const struct tolk_pair_posteriors *pair)
{
    struct tolk_lexicon_direction *const down =
        &pass->models->lexicon->directions[TOLK_SOURCE_SIDE];
    struct tolk_lexicon_direction *const up = &pass->models->lexicon->directions[TOLK_TARGET_SIDE];
    const size_t sources = pair->count[TOLK_SOURCE_SIDE], targets = pair->count[TOLK_TARGET_SIDE];
    for (size_t i = 0; i < sources; i++) {
        for (size_t j = 0; j < targets; j++) {
            const size_t cell = workspace->cells[i * targets + j];
            const double forward = pair->trellises[TOLK_SOURCE_SIDE].posterior[j * sources + i];
            const double backward = pair->trellises[TOLK_TARGET_SIDE].posterior[i * targets + j];
            const bool agree = pass->models->hmm;
            tolk_lexicon_count(&down->given_count[cell], agree ? forward * backward : forward);
            tolk_lexicon_count(&up->given_count[cell], agree ? forward * backward : backward);
        }
    }
    count_null(down, &pair->trellises[TOLK_SOURCE_SIDE], pair->units[TOLK_TARGET_SIDE]);
    count_null(up, &pair->trellises[TOLK_TARGET_SIDE], pair->units[TOLK_SOURCE_SIDE]);
}

static int visit_pair(const struct pass *pass, struct workspace *workspace, size_t index)
{
    const struct tolk_models *const models = pass->models;
    struct tolk_pair_posteriors pair = {.pair = index};
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        const struct tolk_text_side *const text = &models->bitext->sides[side];
        pair.units[side] = text->units + text->begin[index];
        pair.count[side] = text->begin[index + 1] - text->begin[index];
    }
    look_up(pass, workspace, &pair);
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        struct tolk_trellis *const trellis = &pair.trellises[side];
        *trellis = (struct tolk_trellis){
            .positions = pair.count[side],
            .words = pair.count[1 - side],
            .given = workspace->given[side],
            .null = workspace->null[side],
            .posterior = workspace->posterior[side],
        };
        if (models->hmm) {
            tolk_hmm_posteriors(&models->hmms[side], trellis, workspace->room,
                                pass->learning ? workspace->counts[side] : NULL);
        } else {
            tolk_model1_posteriors(models->hmms[side].null, trellis);
        }
        pass->log_likelihood[side][index] = trellis->log_likelihood;
    }
    if (pass->learning) {
        count_links(pass, workspace, &pair);
    }
    return pass->visit != NULL ? pass->visit(pass->context, &pair) : 0;
}

static int pass_make(struct pass *pass)
{
    const struct tolk_bitext *const bitext = pass->models->bitext;
    const size_t most[TOLK_SIDES] = {longest(bitext, TOLK_SOURCE_SIDE),
                                     longest(bitext, TOLK_TARGET_SIDE)};
    pass->threads = (size_t)omp_get_max_threads();
    pass->workspaces = calloc(pass->threads, sizeof *pass->workspaces);
    if (pass->workspaces == NULL) {
        return -1;
    }
    for (size_t t = 0; t < pass->threads; t++) {
        if (workspace_make(&pass->workspaces[t], most) != 0) {
            return -1;
        }
    }
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        pass->log_likelihood[side] = calloc(bitext->pairs + 1, sizeof(double));
        if (pass->log_likelihood[side] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void pass_free(struct pass *pass)
{
    for (size_t t = 0; pass->workspaces != NULL && t < pass->threads; t++) {
        workspace_free(&pass->workspaces[t]);
    }
    free(pass->workspaces);
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        free(pass->log_likelihood[side]);
    }
}

static void learn(struct tolk_models *models, const struct pass *pass)
{
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES && models->hmm; side++) {
        for (size_t t = 1; t < pass->threads; t++) {
            tolk_hmm_counts_add(pass->workspaces[0].counts[side], pass->workspaces[t].counts[side]);
        }
        tolk_hmm_estimate(&models->hmms[side], pass->workspaces[0].counts[side]);
    }
    tolk_lexicon_estimate(models->lexicon, models->prior);
}

int tolk_expectation(struct tolk_models *models, bool learning, tolk_posteriors_visit *visit,
                     void *context, double *log_likelihood, struct tolk_error *error)
{
    const size_t pairs = models->bitext->pairs;
    struct pass pass = {models, learning, visit, context, 0, NULL, {NULL}, 0};
    if (pass_make(&pass) != 0) {
        pass.status = -1;
        goto out;
    }
    if (learning) {
        tolk_lexicon_forget_counts(models->lexicon);
    }
#pragma omp parallel for schedule(dynamic, 64) num_threads((int)pass.threads)
    for (size_t pair = 0; pair < pairs; pair++) {
        if (is_usable(models->bitext, pair) &&
            visit_pair(&pass, &pass.workspaces[omp_get_thread_num()], pair) != 0) {
#pragma omp atomic write
            pass.status = -1;
        }
    }
    if (learning) {
        learn(models, &pass);
    }
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES && log_likelihood != NULL;
         side++) {
        log_likelihood[side] = 0;
        for (size_t pair = 0; pair < pairs; pair++) {
            log_likelihood[side] += pass.log_likelihood[side][pair];
        }
    }
out:
    pass_free(&pass);
    return pass.status == 0 ? 0 : tolk_error_set(error, "out of memory to align %zu pairs", pairs);
}
