#include "infer/translator.h"

#include <stdlib.h>
#include <string.h>

#include "infer/packing.h"
#include "infer/reading.h"

struct tolk_translator {
    const struct tolk_model *model;
    const struct tolk_codec *codec;
    struct tolk_translator_options options;
    struct tolk_searcher *searcher;
    struct tolk_workspace *workspace; /* for the attention */
    struct tolk_packed packed;
};

struct tolk_translator_options tolk_translator_options_default(const struct tolk_config *config)
{
    return (struct tolk_translator_options){
        .search = tolk_search_options_default(config),
        .batch_tokens = TOLK_TRANSLATOR_BATCH_TOKENS,
        .choice = tolk_attention_choice_default(config),
    };
}

struct tolk_translator *tolk_translator_create(const struct tolk_model *model,
                                               const struct tolk_codec *codec,
                                               const struct tolk_translator_options *options,
                                               struct tolk_error *error)
{
    if (tolk_sentence_check_codec(codec, &model->config, error) != 0) {
        return NULL;
    }
    if (options->attention &&
        tolk_attention_choice_check(&options->choice, &model->config, error) != 0) {
        return NULL;
    }
    struct tolk_translator *translator = calloc(1, sizeof *translator);
    if (translator == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    translator->model = model;
    translator->codec = codec;
    translator->options = *options;
    translator->searcher = tolk_searcher_create(model, error);
    if (translator->searcher == NULL) {
        goto failed;
    }
    if (options->attention) {
        translator->options.words = true;
        translator->workspace = tolk_workspace_create(model, error);
        if (translator->workspace == NULL) {
            goto failed;
        }
    }
    return translator;
failed:
    tolk_translator_free(translator);
    return NULL;
}

void tolk_translator_free(struct tolk_translator *translator)
{
    if (translator == NULL) {
        return;
    }
    tolk_searcher_free(translator->searcher);
    tolk_workspace_free(translator->workspace);
    tolk_packed_free(&translator->packed);
    free(translator);
}

static void translation_free(struct tolk_translation *translation)
{
    tolk_sentence_free(&translation->sentence);
    free(translation->word_scores);
    tolk_word_attention_free(&translation->attention);
}

void tolk_translated_free(struct tolk_translated *translated)
{
    tolk_sentence_free(&translated->source);
    for (size_t i = 0; i < translated->count; i++) {
        translation_free(&translated->items[i]);
    }
    free(translated->items);
    *translated = (struct tolk_translated){0};
}

/* The empty translation of a blank line, of which the model is not asked. */
static int translate_blank(struct tolk_translated *result, struct tolk_error *error)
{
    result->items = calloc(1, sizeof *result->items);
    if (result->items == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    result->count = 1;
    struct tolk_translation *const empty = &result->items[0];
    empty->sentence.text = strdup("");
    empty->word_scores = calloc(1, sizeof *empty->word_scores);
    if (empty->sentence.text == NULL || empty->word_scores == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    return 0;
}

static int take_hypothesis(const struct tolk_translator *translator,
                           const struct tolk_hypothesis *hypothesis,
                           struct tolk_translation *translation, struct tolk_error *error)
{
    translation->score = hypothesis->score;
    translation->normalised_score = hypothesis->normalised_score;
    if (tolk_sentence_decode(&translation->sentence, translator->codec, hypothesis->ids,
                             hypothesis->length, translator->options.words, error) != 0) {
        return -1;
    }
    if (!translator->options.words) {
        return 0;
    }
    const size_t words = translation->sentence.words.count;
    translation->word_scores = malloc((words + 1) * sizeof *translation->word_scores);
    if (translation->word_scores == NULL) {
        return tolk_error_set(error, "out of memory for %zu words", words);
    }
    tolk_sentence_word_scores(&translation->sentence, hypothesis->log_probabilities,
                              translation->word_scores);
    return 0;
}

static int take_hypotheses(const struct tolk_translator *translator,
                           const struct tolk_hypotheses *hypotheses, struct tolk_translated *result,
                           struct tolk_error *error)
{
    result->items = calloc(hypotheses->count, sizeof *result->items);
    if (result->items == NULL) {
        return tolk_error_set(error, "out of memory for %zu translations", hypotheses->count);
    }
    for (size_t i = 0; i < hypotheses->count; i++) {
        result->count++;
        if (take_hypothesis(translator, &hypotheses->items[i], &result->items[i], error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Searches one batch: the sentences named by `order` [count]. */
static int translate_batch(struct tolk_translator *translator,
                           const struct tolk_sequence *sequences, const size_t *order, size_t count,
                           struct tolk_translated *results, struct tolk_error *error)
{
    struct tolk_hypotheses *const found = calloc(count, sizeof *found);
    if (found == NULL) {
        return tolk_error_set(error, "out of memory for %zu sentences", count);
    }
    int status = -1;
    if (tolk_packed_fill(&translator->packed, sequences, NULL, order, count,
                         translator->model->config.decoder_start_token_id, error) != 0 ||
        tolk_search(translator->searcher, &translator->packed.batch, &translator->options.search,
                    found, error) != 0) {
        goto out;
    }
    status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = take_hypotheses(translator, &found[i], &results[order[i]], error);
    }
    for (size_t i = 0; i < count; i++) {
        tolk_hypotheses_free(&found[i]);
    }
out:
    free(found);
    return status;
}

/* The sentences that are not blank, in batches. */
static int translate_all(struct tolk_translator *translator, size_t count,
                         struct tolk_translated *results, struct tolk_error *error)
{
    struct tolk_plan plan = {0};
    int status = -1;
    struct tolk_sequence *const sequences = malloc((count + 1) * sizeof *sequences);
    size_t *const lengths = malloc((count + 1) * sizeof *lengths);
    if (sequences == NULL || lengths == NULL) {
        tolk_error_set(error, "out of memory for %zu lines", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        sequences[i] = tolk_sentence_sequence(&results[i].source);
        lengths[i] = sequences[i].length;
    }
    if (tolk_plan_make(&plan, lengths, count, translator->options.batch_tokens,
                       TOLK_TRANSLATOR_BATCH_ROWS / translator->options.search.beam, error) != 0) {
        goto out;
    }
    status = 0;
    for (size_t b = 0; status == 0 && b < plan.batches; b++) {
        /* The longest come first, so blank lines stand at the end of a batch, eos alone. */
        size_t end = plan.begin[b + 1];
        while (status == 0 && end > plan.begin[b] &&
               results[plan.order[end - 1]].source.pieces == 0) {
            status = translate_blank(&results[plan.order[--end]], error);
        }
        if (status == 0 && end > plan.begin[b]) {
            status = translate_batch(translator, sequences, plan.order + plan.begin[b],
                                     end - plan.begin[b], results, error);
        }
    }
out:
    tolk_plan_free(&plan);
    free(sequences);
    free(lengths);
    return status;
}

/* Force-decodes what the search found: the same numbers as those of its steps, and every layer and
 * head of them. */
static int read_attention(struct tolk_translator *translator, size_t count,
                          struct tolk_translated *results, struct tolk_error *error)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += results[i].count;
    }
    struct tolk_sentence_pair *const pairs = malloc((total + 1) * sizeof *pairs);
    struct tolk_reading *const readings = malloc((total + 1) * sizeof *readings);
    int status = -1;
    if (pairs == NULL || readings == NULL) {
        tolk_error_set(error, "out of memory for the attention of %zu translations", total);
        goto out;
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; results[i].source.pieces > 0 && j < results[i].count; j++) {
            pairs[n++] =
                (struct tolk_sentence_pair){&results[i].source, &results[i].items[j].sentence};
        }
    }
    status = tolk_read_pairs(translator->model, translator->workspace, pairs, n,
                             translator->options.batch_tokens, &translator->options.choice,
                             readings, error);
    n = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        for (size_t j = 0; results[i].source.pieces > 0 && j < results[i].count; j++, n++) {
            results[i].items[j].attention = readings[n].attention;
            readings[n].attention.weights = NULL;
            tolk_reading_free(&readings[n]);
        }
    }
out:
    free(pairs);
    free(readings);
    return status;
}

int tolk_translator_run(struct tolk_translator *translator, const char *const *lines, size_t count,
                        struct tolk_translated *results, struct tolk_error *error)
{
    int status = 0;
    memset(results, 0, count * sizeof *results);
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = tolk_sentence_encode(&results[i].source, translator->codec, TOLK_SOURCE, lines[i],
                                      translator->model->config.max_position_embeddings, error);
    }
    if (status == 0) {
        status = translate_all(translator, count, results, error);
    }
    if (status == 0 && translator->options.attention) {
        status = read_attention(translator, count, results, error);
    }
    for (size_t i = 0; status != 0 && i < count; i++) {
        tolk_translated_free(&results[i]);
    }
    return status;
}

int tolk_translator_best(struct tolk_translator *translator, const char *const *lines, size_t count,
                         char **translations, struct tolk_error *error)
{
    memset(translations, 0, count * sizeof *translations);
    struct tolk_translated *const results = malloc((count + 1) * sizeof *results);
    if (results == NULL) {
        return tolk_error_set(error, "out of memory for %zu lines", count);
    }
    const int status = tolk_translator_run(translator, lines, count, results, error);
    for (size_t i = 0; status == 0 && i < count; i++) {
        translations[i] = results[i].items[0].sentence.text;
        results[i].items[0].sentence.text = NULL;
        tolk_translated_free(&results[i]);
    }
    free(results);
    return status;
}
