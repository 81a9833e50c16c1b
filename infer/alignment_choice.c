#include "infer/alignment_choice.h"

#include <stdbool.h>
#include <stdlib.h>

#include "infer/aer.h"
#include "infer/pair_pass.h"

enum { BATCH_TOKENS = 2048 };

/* Every candidate and what it earned. */
struct contest {
    struct tolk_attention_view *views;
    struct tolk_aer *counts;
    size_t count;
};

static bool is_whole(const struct tolk_sentence *sentence)
{
    return sentence->pieces == sentence->all_pieces;
}

static int count_links(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    const struct contest *const contest = context;
    if (!is_whole(visit->source) || !is_whole(visit->target)) {
        return 0;
    }
    for (size_t i = 0; i < contest->count; i++) {
        struct tolk_links links = {0};
        if (tolk_word_attention_hard(&visit->reading->views[i], &links) != 0) {
            return tolk_error_set(error, "out of memory for the links of line %zu",
                                  visit->pair->line);
        }
        tolk_aer_add(&contest->counts[i], &links, &visit->pair->links);
        tolk_links_free(&links);
    }
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

static int make_contest(struct contest *contest, const struct tolk_config *config,
                        struct tolk_error *error)
{
    const size_t candidates = 2 * (config->decoder_attention_heads + 1);
    contest->count = config->decoder_layers * candidates;
    contest->views = calloc(contest->count, sizeof *contest->views);
    contest->counts = calloc(contest->count, sizeof *contest->counts);
    if (contest->views == NULL || contest->counts == NULL) {
        return tolk_error_set(error, "out of memory for %zu attentions", contest->count);
    }
    for (size_t i = 0; i < contest->count; i++) {
        const size_t candidate = i % candidates;
        contest->views[i] = (struct tolk_attention_view){
            .kind = TOLK_CROSS,
            .choice = candidate_of(config, i / candidates, candidate / 2, candidate % 2 != 0),
        };
    }
    return 0;
}

static int hold(struct contest *contest, const struct tolk_model *model,
                const struct tolk_codec *codec, const struct tolk_pairs *pairs,
                struct tolk_error *error)
{
    const struct tolk_pair_pass pass = {.model = model,
                                        .codec = codec,
                                        .reading = {.batch_tokens = BATCH_TOKENS,
                                                    .views = contest->views,
                                                    .view_count = contest->count},
                                        .cuts = true};
    return tolk_pair_pass_run(&pass, pairs, count_links, contest, error);
}

int tolk_alignment_measure(const struct tolk_model *model, const struct tolk_codec *codec,
                           const struct tolk_pairs *pairs,
                           const struct tolk_attention_choice *choice, double *aer,
                           struct tolk_error *error)
{
    struct tolk_attention_view view = {.kind = TOLK_CROSS, .choice = *choice};
    struct tolk_aer counts = {0};
    struct contest alone = {&view, &counts, 1};
    const int status = hold(&alone, model, codec, pairs, error);
    *aer = tolk_aer_rate(&counts);
    return status;
}

int tolk_alignment_choose(const struct tolk_model *model, const struct tolk_codec *codec,
                          const struct tolk_pairs *pairs, struct tolk_attention_choice *best,
                          double *aer, struct tolk_error *error)
{
    struct contest contest = {0};
    int status = make_contest(&contest, &model->config, error);
    if (status == 0) {
        status = hold(&contest, model, codec, pairs, error);
    }
    *aer = 2; /* above any rate */
    for (size_t i = 0; status == 0 && i < contest.count; i++) {
        const double rate = tolk_aer_rate(&contest.counts[i]);
        if (rate < *aer) {
            *aer = rate;
            *best = contest.views[i].choice;
        }
    }
    free(contest.views);
    free(contest.counts);
    return status;
}
