#include "train/alignment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align/aligner.h"
#include "infer/alignment_choice.h"
#include "infer/posterior_choice.h"
#include "model/model.h"

enum {
    JUDGED_PAIRS = 500,    /* enough to tell heads apart by agreement */
    ALIGNED_PAIRS = 60000, /* what the aligner learns from, the judged ones among them */
};

/* The first of dev and then of train, which keep their sentences; their links are to be made. */
static struct tolk_pairs borrow_pairs(const struct tolk_training_corpus *corpus)
{
    const struct tolk_pairs *const parts[] = {&corpus->dev, &corpus->train};
    struct tolk_pairs pairs = {.capacity = ALIGNED_PAIRS};
    pairs.items = calloc(ALIGNED_PAIRS, sizeof *pairs.items);
    for (size_t p = 0; p < 2 && pairs.items != NULL; p++) {
        for (size_t i = 0; i < parts[p]->count && pairs.count < ALIGNED_PAIRS; i++) {
            pairs.items[pairs.count] = parts[p]->items[i];
            pairs.items[pairs.count++].links = (struct tolk_links){0};
        }
    }
    return pairs;
}

/* The best heads of one layer, and the best of all for posterior attention. */
struct found {
    struct tolk_attention_choice choice;
    double aer;
    struct tolk_head_set posterior;
    double posterior_aer;
};

static int choose_by_links(const struct tolk_model *model, const struct tolk_codec *codec,
                           const struct tolk_pairs *pairs, struct found *found,
                           struct tolk_error *error)
{
    return tolk_alignment_choose(model, codec, pairs, &found->choice, &found->aer, error) != 0 ||
                   tolk_posterior_choose(model, codec, pairs, &found->posterior,
                                         &found->posterior_aer, error) != 0
               ? -1
               : 0;
}

static int choose_by_agreement(const struct tolk_model *model, const struct tolk_codec *codec,
                               const struct tolk_training_corpus *corpus, struct found *found,
                               struct tolk_error *error)
{
    const struct tolk_aligner_options options = tolk_aligner_options_default();
    struct tolk_pairs pairs = borrow_pairs(corpus);
    struct tolk_links *links = calloc(pairs.count + 1, sizeof *links);
    int result = -1;
    if (pairs.items == NULL || links == NULL) {
        tolk_error_set(error, "out of memory for the links of %zu pairs", (size_t)ALIGNED_PAIRS);
        goto out;
    }
    if (tolk_align_pairs(&pairs, &options, links, error) != 0) {
        goto out;
    }
    const size_t aligned = pairs.count;
    pairs.count = aligned < JUDGED_PAIRS ? aligned : JUDGED_PAIRS;
    for (size_t i = 0; i < pairs.count; i++) {
        pairs.items[i].links = links[i];
    }
    result = choose_by_links(model, codec, &pairs, found, error);
    for (size_t i = 0; i < aligned; i++) {
        tolk_links_free(&links[i]);
    }
out:
    free(links);
    free(pairs.items);
    return result;
}

static int choose(const struct tolk_model *model, const struct tolk_codec *codec,
                  const struct tolk_training_corpus *corpus, struct found *found,
                  struct tolk_error *error)
{
    return corpus->dev.aligned ? choose_by_links(model, codec, &corpus->dev, found, error)
                               : choose_by_agreement(model, codec, corpus, found, error);
}

static void keep(struct tolk_config *config, const struct found *found)
{
    config->alignment_layer = (int)found->choice.layer;
    config->alignment_head_count = found->choice.head_count;
    memcpy(config->alignment_heads, found->choice.heads, sizeof config->alignment_heads);
    config->alignment_shift = found->choice.shift;
    config->alignment_posterior = (struct tolk_head_set){{0}};
    if (found->posterior_aer < found->aer) {
        config->alignment_posterior = found->posterior;
    }
}

static void report(struct tolk_progress *progress, const struct found *found, const char *measured)
{
    char heads[32] = "all heads";
    if (found->choice.head_count == 1) {
        snprintf(heads, sizeof heads, "head %zu", found->choice.heads[0]);
    }
    tolk_progress_note(
        progress, "attention aligns best in layer %zu, %s, where a word is the %s: %s %.3f",
        found->choice.layer, heads, found->choice.shift ? "input" : "output", measured, found->aer);
    size_t count = 0;
    for (size_t l = 0; l < TOLK_MAX_LAYERS; l++) {
        count += (size_t)__builtin_popcountll(found->posterior.heads[l]);
    }
    tolk_progress_note(progress, "posterior attention of %zu head%s: %s %.3f%s", count,
                       count == 1 ? "" : "s", measured, found->posterior_aer,
                       found->posterior_aer < found->aer ? ", which is what tolk reads" : "");
}

int tolk_training_choose_alignment(const char *folder, const struct tolk_training_options *options,
                                   const struct tolk_codec *codec,
                                   const struct tolk_training_corpus *corpus,
                                   struct tolk_progress *progress, struct tolk_error *error)
{
    struct tolk_model model;
    struct found found;
    int result = -1;
    if (options->guided_alignment != NULL && !corpus->dev.aligned) {
        return 0; /* the guided head is the best known */
    }
    if (tolk_model_load(&model, folder, error) != 0) {
        return -1;
    }
    if (choose(&model, codec, corpus, &found, error) != 0) {
        goto out;
    }
    keep(&model.config, &found);
    if (tolk_model_save(&model, model.values, folder, error) != 0) {
        goto out;
    }
    report(progress, &found,
           corpus->dev.aligned ? "AER on dev" : "AER against the statistical aligner");
    result = 0;
out:
    tolk_model_free(&model);
    return result;
}
