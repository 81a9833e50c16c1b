#include "train/validation.h"

#include <stdlib.h>

#include "infer/bleu.h"
#include "infer/chrf.h"

enum {
    BATCH_TOKENS = 2048,
    BLOCK = 128, /* sentences that are translated between two looks at `stop` */
};

static int translate_greedily(struct tolk_validator *validator, const struct tolk_codec *codec,
                              struct tolk_error *error)
{
    struct tolk_translator_options options =
        tolk_translator_options_default(&validator->model->config);
    options.search.beam = 1;
    options.search.n_best = 1;
    options.search.scores = false;
    validator->translator = tolk_translator_create(validator->model, codec, &options, error);
    return validator->translator == NULL ? -1 : 0;
}

int tolk_validator_create(struct tolk_validator *validator, const struct tolk_model *model,
                          const struct tolk_codec *codec, const struct tolk_pairs *pairs,
                          size_t sentences, struct tolk_error *error)
{
    const size_t longest = model->config.max_position_embeddings;
    const struct tolk_batches_options options = {
        .budget = 2 * longest > BATCH_TOKENS ? 2 * longest : BATCH_TOKENS,
        .max_length = longest,
        .start_id = model->config.decoder_start_token_id,
    };
    *validator = (struct tolk_validator){.model = model, .pairs = pairs};
    validator->translated = sentences == 0 || sentences > pairs->count ? pairs->count : sentences;
    if (tolk_examples_encode(&validator->examples, pairs, codec, NULL, false, error) != 0 ||
        tolk_batches_plan(&validator->batches, &validator->examples, &options, NULL, error) != 0 ||
        (validator->workspace = tolk_workspace_create(model, error)) == NULL ||
        translate_greedily(validator, codec, error) != 0) {
        tolk_validator_free(validator);
        return -1;
    }
    return 0;
}

void tolk_validator_free(struct tolk_validator *validator)
{
    tolk_translator_free(validator->translator);
    tolk_workspace_free(validator->workspace);
    tolk_batches_free(&validator->batches);
    tolk_examples_free(&validator->examples);
    *validator = (struct tolk_validator){.model = NULL};
}

static int measure_loss(struct tolk_validator *validator, double *loss, struct tolk_error *error)
{
    struct tolk_loss total = {0};
    for (size_t b = 0; b < validator->batches.count; b++) {
        const struct tolk_batch batch =
            tolk_batches_get(&validator->batches, &validator->examples, b);
        if (tolk_workspace_reserve(validator->workspace, &batch, TOLK_FORWARD, error) != 0) {
            return -1;
        }
        tolk_transformer_forward(validator->model, &batch, NULL, validator->workspace);
        const struct tolk_loss part =
            tolk_transformer_loss(validator->model, &batch, 0, validator->workspace);
        total.negative_log_likelihood += part.negative_log_likelihood;
        total.tokens += part.tokens;
    }
    *loss = total.negative_log_likelihood / (double)total.tokens;
    return 0;
}

/* Translates pairs [first, first + count), count ≤ BLOCK, and adds them to the scores. */
static int translate_block(struct tolk_validator *validator, size_t first, size_t count,
                           struct tolk_bleu *bleu, struct tolk_chrf *chrf, struct tolk_error *error)
{
    const char *sources[BLOCK];
    char *translations[BLOCK] = {NULL};
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        sources[i] = validator->pairs->items[first + i].source;
    }
    if (tolk_translator_best(validator->translator, sources, count, translations, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const char *reference = validator->pairs->items[first + i].target;
        if (result == 0 && (tolk_bleu_add(bleu, translations[i], reference, error) != 0 ||
                            tolk_chrf_add(chrf, translations[i], reference, error) != 0)) {
            result = -1;
        }
        free(translations[i]);
    }
    return result;
}

int tolk_validator_run(struct tolk_validator *validator, bool (*stop)(void),
                       struct tolk_validation_scores *scores, struct tolk_error *error)
{
    struct tolk_bleu bleu = {0};
    struct tolk_chrf chrf = {0};
    if (measure_loss(validator, &scores->loss, error) != 0) {
        return -1;
    }
    tolk_translator_refresh(validator->translator);
    for (size_t first = 0; first < validator->translated; first += BLOCK) {
        const size_t rest = validator->translated - first;
        if (stop()) {
            return 1;
        }
        if (translate_block(validator, first, rest < BLOCK ? rest : BLOCK, &bleu, &chrf, error) !=
            0) {
            return -1;
        }
    }
    scores->bleu = tolk_bleu_score(&bleu);
    scores->chrf = tolk_chrf_score(&chrf);
    scores->sentences = validator->translated;
    return 0;
}
