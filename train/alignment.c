#include "train/alignment.h"

#include <string.h>

#include "infer/alignment_choice.h"
#include "model/model.h"

int tolk_training_choose_alignment(const char *folder, const struct tolk_codec *codec,
                                   const struct tolk_pairs *dev, struct tolk_progress *progress,
                                   struct tolk_error *error)
{
    struct tolk_model model;
    struct tolk_attention_choice choice;
    double aer;
    int result = -1;
    if (tolk_model_load(&model, folder, error) != 0) {
        return -1;
    }
    if (tolk_alignment_choose(&model, codec, dev, &choice, &aer, error) != 0) {
        goto out;
    }
    model.config.alignment_layer = (int)choice.layer;
    model.config.alignment_head_count = choice.head_count;
    memcpy(model.config.alignment_heads, choice.heads, sizeof model.config.alignment_heads);
    model.config.alignment_shift = choice.shift;
    if (tolk_model_save(&model, model.values, folder, error) != 0) {
        goto out;
    }
    tolk_progress_note(
        progress, "attention aligns best in layer %zu, %s, read at a word's %s: AER %.3f on dev",
        choice.layer, choice.head_count == 1 ? "one head" : "all heads",
        choice.shift ? "input" : "output", aer);
    result = 0;
out:
    tolk_model_free(&model);
    return result;
}
