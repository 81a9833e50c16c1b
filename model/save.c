#include <stdlib.h>
#include <string.h>

#include "model/floats.h"
#include "model/model.h"
#include "model/safetensors.h"

/* Takes hold of `text`; NULL: there was no memory for it. */
static int save_text(char *text, const char *folder, const char *name, struct tolk_error *error)
{
    char *path = tolk_path_join(folder, name);
    int result = -1;
    if (text == NULL || path == NULL) {
        tolk_error_set(error, "%s: out of memory", folder);
    } else {
        const struct tolk_span lines[] = {{text, strlen(text)}, {"\n", 1}};
        result = tolk_file_write_spans_atomic(path, lines, 2, error);
    }
    free(path);
    free(text);
    return result;
}

static int save_tensors(const struct tolk_model *model, const real *values, const char *folder,
                        struct tolk_error *error)
{
    const struct tolk_layout *layout = &model->layout;
    char *path = tolk_path_join(folder, "model.safetensors");
    struct tolk_safetensor_source *sources = calloc(layout->count, sizeof *sources);
    int result = -1;
    if (path == NULL || sources == NULL) {
        tolk_error_set(error, "%s: out of memory", folder);
        goto out;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const struct tolk_tensor *tensor = &layout->tensors[i];
        sources[i] = (struct tolk_safetensor_source){
            tensor->name,  tolk_real_dtype,         tensor->rank,
            tensor->shape, values + tensor->offset, tensor->size * sizeof *values};
    }
    result = tolk_safetensors_write(path, sources, layout->count, error);
out:
    free(sources);
    free(path);
    return result;
}

int tolk_model_save(const struct tolk_model *model, const real *values, const char *folder,
                    struct tolk_error *error)
{
    if (save_text(tolk_config_json(&model->config), folder, "config.json", error) != 0 ||
        save_text(tolk_config_generation_json(&model->config), folder, "generation_config.json",
                  error) != 0) {
        return -1;
    }
    return save_tensors(model, values, folder, error);
}
