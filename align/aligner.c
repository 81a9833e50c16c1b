#include "align/aligner.h"

#include <stdlib.h>
#include <string.h>

#include "align/expectation.h"

struct tolk_aligner_options tolk_aligner_options_default(void)
{
    return (struct tolk_aligner_options){
        .symmetrisation = TOLK_GROW_DIAG_FINAL_AND,
        .model1_iterations = 5,
        .hmm_iterations = 5,
        .prior = 0.01,
        .null = 0.1,
    };
}

struct aligning {
    struct tolk_links *links;
    enum tolk_symmetrisation symmetrisation;
};

/* Where one direction stores its links: word a of its given side and word b of the other are at
 * links[a * given_step + b * generated_step]. */
struct direction {
    const struct tolk_unit *given, *generated;
    size_t given_step, generated_step;
    bool *links;
};

/* Links each generated unit to the position that more likely than not wrote it, if any did. */
static void link_units(const struct tolk_trellis *trellis, const struct direction *direction)
{
    for (size_t j = 0; j < trellis->words; j++) {
        const struct tolk_unit *const generated = &direction->generated[j];
        for (size_t i = 0; i < trellis->positions; i++) {
            const struct tolk_unit *const given = &direction->given[i];
            if (trellis->posterior[j * trellis->positions + i] > 0.5 && !generated->silent &&
                !given->silent) {
                direction->links[given->word * direction->given_step +
                                 generated->word * direction->generated_step] = true;
            }
        }
    }
}

static int align_pair(void *context, const struct tolk_pair_posteriors *pair)
{
    const struct aligning *const aligning = context;
    const struct tolk_unit *const sources = pair->units[TOLK_SOURCE_SIDE];
    const struct tolk_unit *const targets = pair->units[TOLK_TARGET_SIDE];
    const size_t rows = sources[pair->count[TOLK_SOURCE_SIDE] - 1].word + 1;
    const size_t columns = targets[pair->count[TOLK_TARGET_SIDE] - 1].word + 1;
    const size_t area = rows * columns;
    int status = 0;
    bool *const room = calloc(3 * area + rows + columns, sizeof *room);
    if (room == NULL) {
        return -1;
    }
    bool *const backward = room + area, *const joint = backward + area;
    const struct direction directions[TOLK_SIDES] = {
        {sources, targets, columns, 1, room},
        {targets, sources, 1, columns, backward},
    };
    for (enum tolk_side side = TOLK_SOURCE_SIDE; side < TOLK_SIDES; side++) {
        link_units(&pair->trellises[side], &directions[side]);
    }
    tolk_symmetrise(aligning->symmetrisation, room, backward, rows, columns, joint + area, joint);
    for (size_t at = 0; at < area && status == 0; at++) {
        if (joint[at]) {
            status = tolk_links_add(&aligning->links[pair->pair], (uint32_t)(at / columns),
                                    (uint32_t)(at % columns), false);
        }
    }
    free(room);
    return status;
}

static int train(struct tolk_models *models, const struct tolk_aligner_options *options,
                 struct tolk_error *error)
{
    for (size_t i = 0; i < options->model1_iterations + options->hmm_iterations; i++) {
        models->hmm = i >= options->model1_iterations;
        if (tolk_expectation(models, true, NULL, NULL, NULL, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int tolk_align_pairs(const struct tolk_pairs *pairs, const struct tolk_aligner_options *options,
                     struct tolk_links *links, struct tolk_error *error)
{
    struct tolk_bitext bitext = {0};
    struct tolk_lexicon lexicon = {0};
    int status = -1;
    memset(links, 0, pairs->count * sizeof *links);
    if (tolk_bitext_make(&bitext, pairs, error) != 0 ||
        tolk_lexicon_make(&lexicon, &bitext, error) != 0) {
        goto out;
    }
    const struct tolk_hmm hmm = tolk_hmm_make(options->null);
    struct tolk_models models = {&bitext, &lexicon, false, options->prior, {hmm, hmm}};
    struct aligning aligning = {links, options->symmetrisation};
    if (train(&models, options, error) == 0) {
        status = tolk_expectation(&models, false, align_pair, &aligning, NULL, error);
    }
out:
    for (size_t i = 0; i < pairs->count && status != 0; i++) {
        tolk_links_free(&links[i]);
    }
    tolk_lexicon_free(&lexicon);
    tolk_bitext_free(&bitext);
    return status;
}
