#include "infer/forced.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "infer/search.h"

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

static int force_batch(const struct tolk_model *model, struct tolk_workspace *workspace,
                       const struct tolk_batch *batch, const size_t *pairs,
                       tolk_forced_visit *visit, void *context, struct tolk_error *error)
{
    if (tolk_workspace_reserve(workspace, batch, TOLK_FORWARD, error) != 0) {
        return -1;
    }
    double *const values = log_probabilities(model, batch, workspace, error);
    int status = values == NULL ? -1 : 0;
    for (size_t s = 0; status == 0 && s < batch->sentences; s++) {
        const struct tolk_forced forced = {
            .pair = pairs[s],
            .log_probabilities = values + batch->target_begin[s],
            .workspace = workspace,
            .sentence = s,
        };
        status = visit(context, &forced, error);
    }
    free(values);
    return status;
}

int tolk_force_decode(const struct tolk_model *model, struct tolk_workspace *workspace,
                      const struct tolk_sequence *sources, const struct tolk_sequence *targets,
                      size_t count, size_t batch_tokens, tolk_forced_visit *visit, void *context,
                      struct tolk_error *error)
{
    struct tolk_plan plan = {0};
    struct tolk_packed packed = {0};
    int status = -1;
    size_t *const lengths = malloc((count + 1) * sizeof *lengths);
    if (lengths == NULL) {
        tolk_error_set(error, "out of memory for %zu pairs", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        lengths[i] = sources[i].length + targets[i].length;
    }
    if (tolk_plan_make(&plan, lengths, count, batch_tokens, SIZE_MAX, error) != 0) {
        goto out;
    }
    for (size_t b = 0; b < plan.batches; b++) {
        const size_t *const pairs = plan.order + plan.begin[b];
        if (tolk_packed_fill(&packed, sources, targets, pairs, plan.begin[b + 1] - plan.begin[b],
                             model->config.decoder_start_token_id, error) != 0 ||
            force_batch(model, workspace, &packed.batch, pairs, visit, context, error) != 0) {
            goto out;
        }
    }
    status = 0;
out:
    tolk_packed_free(&packed);
    tolk_plan_free(&plan);
    free(lengths);
    return status;
}
