#include "infer/head_links.h"

#include <stdlib.h>
#include <string.h>

/* mean = the mean over layers [l0, l1) and heads [h0, h1). */
static void average(const struct tolk_word_attention *attention, size_t heads, const size_t l[2],
                    const size_t h[2], struct tolk_word_attention *mean)
{
    const size_t count = (mean->source_words + 1) * (mean->target_words + 1);
    const float share = 1.0F / (float)((l[1] - l[0]) * (h[1] - h[0]));
    memset(mean->weights, 0, count * sizeof *mean->weights);
    for (size_t layer = l[0]; layer < l[1]; layer++) {
        for (size_t head = h[0]; head < h[1]; head++) {
            const float *const weights = attention[layer * heads + head].weights;
            for (size_t i = 0; i < count; i++) {
                mean->weights[i] += share * weights[i];
            }
        }
    }
}

int tolk_head_links(const struct tolk_word_attention *attention, size_t layers, size_t heads,
                    struct tolk_links *links, struct tolk_error *error)
{
    struct tolk_word_attention mean = attention[0];
    mean.weights = malloc((mean.source_words + 1) * (mean.target_words + 1) * sizeof *mean.weights);
    int status = mean.weights == NULL ? -1 : 0;
    for (size_t layer = 0; status == 0 && layer <= layers; layer++) {
        const size_t l[2] = {layer < layers ? layer : 0, layer < layers ? layer + 1 : layers};
        for (size_t head = 0; status == 0 && head <= heads; head++) {
            const size_t h[2] = {head < heads ? head : 0, head < heads ? head + 1 : heads};
            average(attention, heads, l, h, &mean);
            status = tolk_word_attention_hard(&mean, &links[layer * (heads + 1) + head]);
        }
    }
    free(mean.weights);
    return status == 0 ? 0 : tolk_error_set(error, "out of memory for the links of the heads");
}

void tolk_head_links_free(struct tolk_links *links, size_t layers, size_t heads)
{
    for (size_t i = 0; i < tolk_head_links_count(layers, heads); i++) {
        tolk_links_free(&links[i]);
    }
}
