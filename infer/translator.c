#include "infer/translator.h"

#include <stdlib.h>
#include <string.h>

#include "infer/jobs.h"
#include "infer/packing.h"

/* What one thread works with. */
struct worker {
    struct tolk_searcher *searcher;
    struct tolk_packed packed;
};

struct tolk_translator {
    const struct tolk_model *model;
    const struct tolk_codec *codec;
    struct tolk_translator_options options;
    struct tolk_inference_weights *weights;
    struct tolk_inference_weights *own_weights; /* the same, where they are not lent */
    struct tolk_inference_weights *quick;       /* of drafts; NULL: there are none yet */
    size_t sentences;                           /* that came */
    size_t lone;                                /* those that came alone */
    struct worker *workers;
    size_t worker_count;
    struct tolk_forcer *forcer; /* for the attention */
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
    translator->weights = options->weights;
    if (translator->weights == NULL) {
        translator->weights = translator->own_weights =
            tolk_inference_weights_make(model, options->precision, error);
    }
    if (options->attention) {
        translator->options.words = true;
        translator->forcer = tolk_forcer_create(model, translator->weights, error);
    }
    if (translator->weights == NULL || (options->attention && translator->forcer == NULL)) {
        tolk_translator_free(translator);
        return NULL;
    }
    return translator;
}

void tolk_translator_free(struct tolk_translator *translator)
{
    if (translator == NULL) {
        return;
    }
    for (size_t i = 0; i < translator->worker_count; i++) {
        tolk_searcher_free(translator->workers[i].searcher);
        tolk_packed_free(&translator->workers[i].packed);
    }
    free(translator->workers);
    tolk_forcer_free(translator->forcer);
    tolk_inference_weights_free(translator->quick);
    tolk_inference_weights_free(translator->own_weights);
    free(translator);
}

void tolk_translator_refresh(struct tolk_translator *translator)
{
    tolk_inference_weights_refresh(translator->weights);
    for (size_t i = 0; i < translator->worker_count; i++) {
        tolk_searcher_forget_draft(translator->workers[i].searcher);
    }
    tolk_inference_weights_free(translator->quick);
    translator->quick = NULL;
    translator->lone = 0;
}

static int reserve_workers(struct tolk_translator *translator, size_t threads,
                           struct tolk_error *error)
{
    if (threads <= translator->worker_count) {
        return 0;
    }
    struct worker *const grown = realloc(translator->workers, threads * sizeof *grown);
    if (grown == NULL) {
        return tolk_error_set(error, "out of memory for %zu threads", threads);
    }
    translator->workers = grown;
    while (translator->worker_count < threads) {
        struct worker *const worker = &translator->workers[translator->worker_count];
        *worker = (struct worker){.searcher = tolk_searcher_create(translator->weights, error)};
        if (worker->searcher == NULL) {
            return -1;
        }
        tolk_searcher_observe(worker->searcher, translator->options.observer);
        translator->worker_count++;
        if (translator->quick != NULL &&
            tolk_searcher_draft(worker->searcher, translator->quick, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static void translation_free(struct tolk_translation *translation)
{
    tolk_sentence_free(&translation->sentence);
    tolk_reading_free(&translation->reading);
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
    static const double certain = 0; /* log p of its end */
    result->items = calloc(1, sizeof *result->items);
    if (result->items == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    result->count = 1;
    struct tolk_translation *const empty = &result->items[0];
    empty->sentence.text = strdup("");
    if (empty->sentence.text == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    return tolk_reading_score(&empty->reading, &empty->sentence, &certain, error);
}

static int take_hypothesis(const struct tolk_translator *translator,
                           const struct tolk_hypothesis *hypothesis,
                           struct tolk_translation *translation, struct tolk_error *error)
{
    translation->reading.score = hypothesis->score;
    translation->normalised_score = hypothesis->normalised_score;
    if (tolk_sentence_decode(&translation->sentence, translator->codec, hypothesis->ids,
                             hypothesis->length, translator->options.words, error) != 0) {
        return -1;
    }
    return translator->options.words
               ? tolk_reading_score(&translation->reading, &translation->sentence,
                                    hypothesis->log_probabilities, error)
               : 0;
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

/* A call: lines, and what becomes of them. */
struct call {
    struct tolk_translator *translator;
    const char *const *lines;
    size_t count;
    struct tolk_translated *results; /* [count] */
    struct tolk_sequence *sequences; /* [count], of the sources */
    struct tolk_plan plan;
};

/* The job of one line: its pieces. */
static int encode_line(void *context, size_t i, size_t thread, struct tolk_error *error)
{
    (void)thread;
    const struct call *const call = context;
    const struct tolk_translator *const translator = call->translator;
    return tolk_sentence_encode(&call->results[i].source, translator->codec, TOLK_SOURCE,
                                call->lines[i], translator->model->config.max_position_embeddings,
                                error);
}

/* Searches the sentences named by `order` [count]. */
static int search_sentences(const struct call *call, struct worker *worker, const size_t *order,
                            size_t count, struct tolk_error *error)
{
    const struct tolk_translator *const translator = call->translator;
    struct tolk_hypotheses *const found = calloc(count, sizeof *found);
    if (found == NULL) {
        return tolk_error_set(error, "out of memory for %zu sentences", count);
    }
    int status = -1;
    if (tolk_packed_fill(&worker->packed, call->sequences, NULL, order, count,
                         translator->model->config.decoder_start_token_id, error) != 0 ||
        tolk_search(worker->searcher, &worker->packed.batch, &translator->options.search, found,
                    error) != 0) {
        goto out;
    }
    status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = take_hypotheses(translator, &found[i], &call->results[order[i]], error);
    }
    for (size_t i = 0; i < count; i++) {
        tolk_hypotheses_free(&found[i]);
    }
out:
    free(found);
    return status;
}

/* The job of one batch. */
static int translate_batch(void *context, size_t b, size_t thread, struct tolk_error *error)
{
    const struct call *const call = context;
    const size_t *const order = call->plan.order + call->plan.begin[b];
    size_t count = call->plan.begin[b + 1] - call->plan.begin[b];
    /* The longest come first, so blank lines stand at the end of a batch, eos alone. */
    for (; count > 0 && call->results[order[count - 1]].source.pieces == 0; count--) {
        if (translate_blank(&call->results[order[count - 1]], error) != 0) {
            return -1;
        }
    }
    return count == 0
               ? 0
               : search_sentences(call, &call->translator->workers[thread], order, count, error);
}

/* Packs what a first sentence that comes alone shall not wait for: what of the weights is not
 * packed yet, when more than that one is there, and the weights of drafts, when a second comes
 * alone. Where memory is short there are no drafts. */
static int prepare_weights(const struct call *call, struct tolk_error *error)
{
    struct tolk_translator *const translator = call->translator;
    const struct tolk_plan *const plan = &call->plan;
    translator->sentences += call->count;
    const struct tolk_search_options *const search = &translator->options.search;
    if (translator->sentences > 1) {
        tolk_inference_weights_complete(translator->weights);
    }
    if (search->beam == 1 && !search->scores && translator->options.observer == NULL) {
        tolk_inference_weights_screen(translator->weights);
    }
    for (size_t b = 0; b < plan->batches; b++) {
        const bool blank = call->results[plan->order[plan->begin[b]]].source.pieces == 0;
        translator->lone += !blank && plan->begin[b + 1] - plan->begin[b] == 1;
    }
    if (translator->lone < 2 || translator->quick != NULL ||
        !tolk_inference_weights_draftable(translator->weights)) {
        return 0;
    }
    struct tolk_error short_of_memory;
    translator->quick =
        tolk_inference_weights_make_draft(translator->model, TOLK_PANELS_INT8, &short_of_memory);
    for (size_t i = 0; translator->quick != NULL && i < translator->worker_count; i++) {
        if (tolk_searcher_draft(translator->workers[i].searcher, translator->quick, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The lines, encoded, in batches. */
static int translate_all(struct call *call, struct tolk_error *error)
{
    struct tolk_translator *const translator = call->translator;
    const struct tolk_plan_limits limits = {
        .tokens = translator->options.batch_tokens,
        .items = TOLK_TRANSLATOR_BATCH_ROWS / translator->options.search.beam,
        .threads = tolk_jobs_threads(SIZE_MAX),
    };
    int status = -1;
    call->sequences = malloc((call->count + 1) * sizeof *call->sequences);
    size_t *const lengths = malloc((call->count + 1) * sizeof *lengths);
    if (call->sequences == NULL || lengths == NULL) {
        tolk_error_set(error, "out of memory for %zu lines", call->count);
        goto out;
    }
    for (size_t i = 0; i < call->count; i++) {
        call->sequences[i] = tolk_sentence_sequence(&call->results[i].source);
        lengths[i] = call->sequences[i].length;
    }
    if (tolk_plan_make(&call->plan, lengths, call->count, &limits, error) == 0) {
        const size_t threads = tolk_jobs_threads(call->plan.batches);
        if (prepare_weights(call, error) == 0 && reserve_workers(translator, threads, error) == 0) {
            status = tolk_jobs_run(call->plan.batches, threads, translate_batch, call, error);
        }
    }
out:
    tolk_plan_free(&call->plan);
    free(call->sequences);
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
    const struct tolk_reading_options wanted = {
        .batch_tokens = translator->options.batch_tokens,
        .choice = &translator->options.choice,
        .views = translator->options.views,
        .view_count = translator->options.view_count,
        .unit = translator->options.unit,
    };
    status = tolk_read_pairs(translator->forcer, pairs, n, &wanted, readings, error);
    n = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        for (size_t j = 0; results[i].source.pieces > 0 && j < results[i].count; j++, n++) {
            struct tolk_reading *const reading = &results[i].items[j].reading;
            reading->attention = readings[n].attention;
            reading->views = readings[n].views;
            reading->view_count = readings[n].view_count;
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
    struct call call = {translator, lines, count, results, NULL, {0}};
    memset(results, 0, count * sizeof *results);
    int status = tolk_jobs_run(count, tolk_jobs_threads(count / TOLK_JOBS_SENTENCES), encode_line,
                               &call, error);
    if (status == 0) {
        status = translate_all(&call, error);
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
