#include "infer/inspection.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct tolk_inspection {
    const struct tolk_model *model;
    struct tolk_workspace *workspace;
    struct tolk_packed packed; /* the pair alone, sentence 0 */
};

/* What is no number anywhere in the model ends in the logits, for each row reads all of them. */
static int check_numbers(const struct tolk_inspection *inspection, size_t rows,
                         struct tolk_error *error)
{
    const size_t count = rows * inspection->model->config.vocab_size;
    const real *const logits = tolk_workspace_logits(inspection->workspace);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(logits[i])) {
            return tolk_error_set(error, "the model's scores are no numbers (NaN or infinite): its "
                                         "weights are damaged");
        }
    }
    return 0;
}

struct tolk_inspection *tolk_inspection_make(const struct tolk_model *model,
                                             struct tolk_sequence source,
                                             struct tolk_sequence target, struct tolk_error *error)
{
    static const size_t first[] = {0};
    struct tolk_inspection *const inspection = calloc(1, sizeof *inspection);
    if (inspection == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    inspection->model = model;
    inspection->workspace = tolk_workspace_create(model, error);
    if (inspection->workspace == NULL ||
        tolk_packed_fill(&inspection->packed, &source, &target, first, 1,
                         model->config.decoder_start_token_id, error) != 0 ||
        tolk_workspace_reserve(inspection->workspace, &inspection->packed.batch, TOLK_INSPECTION,
                               error) != 0) {
        goto fail;
    }
    tolk_transformer_forward(model, &inspection->packed.batch, NULL, inspection->workspace);
    if (check_numbers(inspection, target.length, error) != 0) {
        goto fail;
    }
    return inspection;
fail:
    tolk_inspection_free(inspection);
    return NULL;
}

void tolk_inspection_free(struct tolk_inspection *inspection)
{
    if (inspection == NULL) {
        return;
    }
    tolk_workspace_free(inspection->workspace);
    tolk_packed_free(&inspection->packed);
    free(inspection);
}

const struct tolk_model *tolk_inspection_model(const struct tolk_inspection *inspection)
{
    return inspection->model;
}

size_t tolk_inspection_layers(const struct tolk_model *model, enum tolk_attention_kind kind)
{
    return kind == TOLK_ENCODER_SELF ? model->config.encoder_layers : model->config.decoder_layers;
}

size_t tolk_inspection_heads(const struct tolk_model *model, enum tolk_attention_kind kind)
{
    return kind == TOLK_ENCODER_SELF ? model->config.encoder_attention_heads
                                     : model->config.decoder_attention_heads;
}

struct tolk_attention_head tolk_inspection_head(const struct tolk_inspection *inspection,
                                                enum tolk_attention_kind kind, size_t layer,
                                                size_t head)
{
    assert(layer < tolk_inspection_layers(inspection->model, kind));
    assert(head < tolk_inspection_heads(inspection->model, kind));
    return tolk_tapes_head(inspection->workspace, kind, layer, 0, head);
}

struct tolk_embedded_row tolk_inspection_source(const struct tolk_inspection *inspection,
                                                size_t row)
{
    return tolk_tapes_source_row(inspection->workspace, 0, row);
}

struct tolk_embedded_row tolk_inspection_target(const struct tolk_inspection *inspection,
                                                size_t row)
{
    return tolk_tapes_target_row(inspection->workspace, 0, row);
}

const real *tolk_inspection_logits(const struct tolk_inspection *inspection, size_t row)
{
    return tolk_workspace_logits(inspection->workspace) +
           row * inspection->model->config.vocab_size;
}

const struct tolk_workspace *tolk_inspection_workspace(const struct tolk_inspection *inspection)
{
    return inspection->workspace;
}
