#include "infer/alignment_choice.h"

#include <stdbool.h>

#include "infer/aer.h"
#include "infer/pair_pass.h"

enum { BATCH_TOKENS = 2048 };

static bool is_whole(const struct tolk_sentence *sentence)
{
    return sentence->pieces == sentence->all_pieces;
}

static int count_links(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    struct tolk_links links = {0};
    if (!is_whole(visit->source) || !is_whole(visit->target)) {
        return 0;
    }
    if (tolk_word_attention_hard(&visit->reading->attention, &links) != 0) {
        return tolk_error_set(error, "out of memory for the links of line %zu", visit->pair->line);
    }
    tolk_aer_add(context, &links, &visit->pair->links);
    tolk_links_free(&links);
    return 0;
}

static int measure(const struct tolk_model *model, const struct tolk_codec *codec,
                   const struct tolk_pairs *pairs, const struct tolk_attention_choice *choice,
                   double *aer, struct tolk_error *error)
{
    struct tolk_aer counts = {0};
    const struct tolk_pair_pass pass = {.model = model,
                                        .codec = codec,
                                        .reading = {.batch_tokens = BATCH_TOKENS, .choice = choice},
                                        .cuts = true};
    if (tolk_pair_pass_run(&pass, pairs, count_links, &counts, error) != 0) {
        return -1;
    }
    *aer = tolk_aer_rate(&counts);
    return 0;
}

/* All heads of a layer, or head `candidate` − 1 alone. */
static struct tolk_attention_choice candidate_of(const struct tolk_config *config, size_t layer,
                                                 size_t candidate, bool shift)
{
    struct tolk_attention_choice choice = tolk_attention_choice_layer(config, layer);
    if (candidate > 0) {
        choice.head_count = 1;
        choice.heads[0] = candidate - 1;
    }
    choice.shift = shift;
    return choice;
}

int tolk_alignment_choose(const struct tolk_model *model, const struct tolk_codec *codec,
                          const struct tolk_pairs *pairs, struct tolk_attention_choice *best,
                          double *aer, struct tolk_error *error)
{
    const struct tolk_config *config = &model->config;
    const size_t candidates = 2 * (config->decoder_attention_heads + 1);
    *aer = 2; /* above any rate */
    for (size_t layer = 0; layer < config->decoder_layers; layer++) {
        for (size_t candidate = 0; candidate < candidates; candidate++) {
            const struct tolk_attention_choice choice =
                candidate_of(config, layer, candidate / 2, candidate % 2 != 0);
            double rate;
            if (measure(model, codec, pairs, &choice, &rate, error) != 0) {
                return -1;
            }
            if (rate < *aer) {
                *aer = rate;
                *best = choice;
            }
        }
    }
    return 0;
}
