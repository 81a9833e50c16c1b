#include "model/model.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/positions.h"

int tolk_model_create(struct tolk_model *model, const struct tolk_config *config, uint64_t seed,
                      struct tolk_error *error)
{
    *model = (struct tolk_model){.config = *config};
    if (tolk_config_check(config, "model", error) != 0 ||
        tolk_layout_make(&model->layout, config, error) != 0) {
        return -1;
    }
    model->values = tolk_memory_take(model->layout.size * sizeof *model->values);
    model->positions = tolk_positions_make(config->max_position_embeddings, config->d_model);
    if (model->values == NULL || model->positions == NULL) {
        tolk_error_set(error, "out of memory for %zu parameters", model->layout.size);
        goto fail;
    }
    if (tolk_weights_bind(&model->weights, config, model->values, error) != 0) {
        goto fail;
    }
    tolk_parameters_initialise(&model->layout, config, seed, model->values);
    return 0;
fail:
    tolk_model_free(model);
    return -1;
}

void tolk_model_free(struct tolk_model *model)
{
    if (model->mapping.bytes != NULL) {
        tolk_file_unmap(&model->mapping);
    } else {
        free(model->values);
    }
    free(model->positions);
    tolk_weights_free(&model->weights);
    tolk_layout_free(&model->layout);
    *model = (struct tolk_model){0};
}
