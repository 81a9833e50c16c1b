#include "infer/page_links.h"

#include <stdlib.h>

#include "infer/head_links.h"

/* What is read: the pass of a pair, and the words of its rows. */
struct reading {
    const struct tolk_inspection *inspection;
    struct tolk_word_map source;
    struct tolk_word_map target;
};

static int read_choice(const struct reading *reading, const struct tolk_attention_choice *choice,
                       struct tolk_word_attention *attention, struct tolk_error *error)
{
    return tolk_word_attention_read(attention, tolk_inspection_workspace(reading->inspection), 0,
                                    choice, &reading->source, &reading->target, error);
}

static int read_alignment(const struct reading *reading, struct tolk_attention_choice choice,
                          bool shift, struct tolk_links *links, struct tolk_error *error)
{
    struct tolk_word_attention attention;
    choice.shift = shift;
    choice.posterior = false;
    if (read_choice(reading, &choice, &attention, error) != 0) {
        return -1;
    }
    const int status = tolk_word_attention_hard(&attention, links);
    tolk_word_attention_free(&attention);
    return status == 0 ? 0 : tolk_error_set(error, "out of memory for the alignment");
}

static int read_heads(const struct reading *reading, size_t layers, size_t heads, bool shift,
                      struct tolk_links *links, struct tolk_error *error)
{
    struct tolk_word_attention *const attention = calloc(layers * heads, sizeof *attention);
    if (attention == NULL) {
        return tolk_error_set(error, "out of memory for the links of the heads");
    }
    int status = 0;
    for (size_t i = 0; status == 0 && i < layers * heads; i++) {
        const struct tolk_attention_choice choice = {
            .layer = i / heads, .head_count = 1, .heads = {i % heads}, .shift = shift};
        status = read_choice(reading, &choice, &attention[i], error);
    }
    if (status == 0) {
        status = tolk_head_links(attention, layers, heads, links, error);
    }
    for (size_t i = 0; i < layers * heads; i++) {
        tolk_word_attention_free(&attention[i]);
    }
    free(attention);
    return status;
}

static int read_posterior(const struct reading *reading, struct tolk_links *links,
                          struct tolk_error *error)
{
    const real *const posterior = tolk_inspection_posterior_weights(reading->inspection);
    struct tolk_word_attention words;
    if (tolk_word_attention_average(&words, &posterior, 1, false, &reading->source,
                                    &reading->target, error) != 0) {
        return -1;
    }
    const int status = tolk_word_attention_hard(&words, links);
    tolk_word_attention_free(&words);
    return status == 0 ? 0 : tolk_error_set(error, "out of memory for the posterior's links");
}

int tolk_page_links_read(struct tolk_page_links *links, const struct tolk_inspection *inspection,
                         const struct tolk_sentence *source, const struct tolk_sentence *target,
                         const struct tolk_attention_choice *choice, struct tolk_error *error)
{
    const struct tolk_model *const model = tolk_inspection_model(inspection);
    const struct reading reading = {inspection, tolk_sentence_map(source, TOLK_WORDS),
                                    tolk_sentence_map(target, TOLK_WORDS)};
    *links = (struct tolk_page_links){.layers = tolk_inspection_layers(model, TOLK_CROSS),
                                      .heads = tolk_inspection_heads(model, TOLK_CROSS)};
    for (size_t way = 0; way < TOLK_PAGE_READINGS; way++) {
        const bool shift = way == TOLK_PAGE_INPUT;
        links->of_heads[way] = calloc(tolk_head_links_count(links->layers, links->heads),
                                      sizeof *links->of_heads[way]);
        if (links->of_heads[way] == NULL) {
            tolk_error_set(error, "out of memory for the links of the heads");
            goto fail;
        }
        if (read_heads(&reading, links->layers, links->heads, shift, links->of_heads[way], error) !=
                0 ||
            read_alignment(&reading, *choice, shift, &links->alignment[way], error) != 0) {
            goto fail;
        }
    }
    if (model->config.normalize_before && read_posterior(&reading, &links->posterior, error) != 0) {
        goto fail;
    }
    return 0;
fail:
    tolk_page_links_free(links);
    return -1;
}

void tolk_page_links_free(struct tolk_page_links *links)
{
    for (size_t way = 0; way < TOLK_PAGE_READINGS; way++) {
        if (links->of_heads[way] != NULL) {
            tolk_head_links_free(links->of_heads[way], links->layers, links->heads);
        }
        free(links->of_heads[way]);
        tolk_links_free(&links->alignment[way]);
    }
    tolk_links_free(&links->posterior);
    *links = (struct tolk_page_links){0};
}
