#include "infer/page_corpus.h"

#include <stdlib.h>

#include "infer/aer.h"
#include "infer/head_links.h"
#include "infer/page.h"
#include "infer/page_words.h"
#include "infer/pair_pass.h"

/* So many pairs, and so many weights of theirs, are embedded: the page stays a few megabytes. */
enum { MOST_PAIRS = 100, WORST_PAIRS = 20, MOST_WEIGHTS = 1 << 20 };

/* The error rates of one reading. */
struct rates {
    struct tolk_aer *of_heads; /* as tolk_head_links has them */
    struct tolk_aer alignment;
};

/* The gold of a pair; NULL where it has none. */
struct gold_of {
    const struct tolk_links *links;
};

struct gathering {
    const struct tolk_page_corpus *corpus;
    struct gold_of *gold; /* [pairs] */
    size_t golden;        /* pairs with gold */
    struct rates rates[TOLK_PAGE_READINGS];
    struct tolk_aer posterior;
    struct tolk_page_words words;
    double *aer;    /* [pairs]: of what aligns; 0 without gold */
    bool *wanted;   /* [pairs]: should be in the page */
    size_t *places; /* [pairs]: in the page, or TOLK_NOT_IN_PAGE */
    size_t *chosen; /* the pairs that the second pass visits */
    json_t *pairs;
    size_t weights; /* that are embedded */
};

static int find_gold(struct gathering *gathering, struct tolk_error *error)
{
    const struct tolk_page_corpus *const corpus = gathering->corpus;
    const size_t count = corpus->pairs->count;
    gathering->gold = calloc(count + 1, sizeof *gathering->gold);
    gathering->aer = calloc(count + 1, sizeof *gathering->aer);
    gathering->wanted = calloc(count + 1, sizeof *gathering->wanted);
    gathering->places = calloc(count + 1, sizeof *gathering->places);
    gathering->chosen = calloc(count + 1, sizeof *gathering->chosen);
    if (gathering->gold == NULL || gathering->aer == NULL || gathering->wanted == NULL ||
        gathering->places == NULL || gathering->chosen == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", count);
    }
    if (corpus->gold != NULL) {
        for (size_t i = 0; i < corpus->gold->count; i++) {
            gathering->gold[corpus->gold->items[i].pair].links = &corpus->gold->items[i].links;
        }
        gathering->golden = corpus->gold->count;
    } else if (corpus->pairs->aligned) {
        for (size_t i = 0; i < count; i++) {
            gathering->gold[i].links = &corpus->pairs->items[i].links;
        }
        gathering->golden = count;
    }
    return 0;
}

static void add_links(struct gathering *gathering, const struct tolk_page_links *links,
                      const struct tolk_links *gold)
{
    const size_t tables = tolk_head_links_count(links->layers, links->heads);
    for (size_t way = 0; way < TOLK_PAGE_READINGS; way++) {
        for (size_t i = 0; i < tables; i++) {
            tolk_aer_add(&gathering->rates[way].of_heads[i], &links->of_heads[way][i], gold);
        }
        tolk_aer_add(&gathering->rates[way].alignment, &links->alignment[way], gold);
    }
    tolk_aer_add(&gathering->posterior, &links->posterior, gold);
}

/* The links of what aligns, as the corpus' choice says. */
static const struct tolk_links *chosen_links(const struct tolk_page_links *links,
                                             const struct tolk_attention_choice *choice)
{
    return choice->posterior
               ? &links->posterior
               : &links->alignment[choice->shift ? TOLK_PAGE_INPUT : TOLK_PAGE_OUTPUT];
}

/* Calls `use` with a pair as the page has it, and its links. */
static int with_links(struct gathering *gathering, const struct tolk_pair_visit *visit,
                      size_t index,
                      void (*use)(struct gathering *, const struct tolk_page_pair *,
                                  const struct tolk_page_links *, size_t),
                      struct tolk_error *error)
{
    const struct tolk_page_corpus *const corpus = gathering->corpus;
    struct tolk_page_links links;
    struct tolk_inspection *const inspection =
        tolk_inspection_make(corpus->model, tolk_sentence_sequence(visit->source),
                             tolk_sentence_sequence(visit->target), error);
    if (inspection == NULL) {
        return -1;
    }
    tolk_inspection_posterior_of(inspection, corpus->choice);
    const int status = tolk_page_links_read(&links, inspection, visit->source, visit->target,
                                            corpus->choice, error);
    if (status == 0) {
        const struct tolk_page_pair pair = {.source = visit->source,
                                            .target = visit->target,
                                            .inspection = inspection,
                                            .codec = corpus->codec,
                                            .gold = gathering->gold[index].links,
                                            .given = true};
        use(gathering, &pair, &links, index);
        tolk_page_links_free(&links);
    }
    tolk_inspection_free(inspection);
    return status;
}

static void count_links(struct gathering *gathering, const struct tolk_page_pair *pair,
                        const struct tolk_page_links *links, size_t index)
{
    if (pair->gold != NULL) {
        struct tolk_aer own = {0};
        add_links(gathering, links, pair->gold);
        tolk_aer_add(&own, chosen_links(links, gathering->corpus->choice), pair->gold);
        gathering->aer[index] = tolk_aer_rate(&own);
    }
}

static int count_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    struct gathering *const gathering = context;
    return tolk_page_words_add(&gathering->words, visit->target, visit->reading, visit->index,
                               error) == 0
               ? with_links(gathering, visit, visit->index, count_links, error)
               : -1;
}

/* Into the page, as long as there is room. */
static void embed(struct gathering *gathering, const struct tolk_page_pair *pair,
                  const struct tolk_page_links *links, size_t index)
{
    const size_t weights =
        links->layers * links->heads * (pair->source->pieces + 1) * (pair->target->pieces + 1);
    if (gathering->weights + weights <= MOST_WEIGHTS) {
        gathering->weights += weights;
        gathering->places[index] = json_array_size(gathering->pairs);
        json_array_append_new(gathering->pairs, tolk_page_pair_json(pair, links));
    }
}

static int embed_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    struct gathering *const gathering = context;
    return with_links(gathering, visit, gathering->chosen[visit->index], embed, error);
}

/* The pair that aligns worst among those that are not yet wanted; `count` where none errs. */
static size_t worst_pair(const struct gathering *gathering, size_t count)
{
    size_t worst = count;
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        if (!gathering->wanted[i] && gathering->aer[i] > most) {
            worst = i;
            most = gathering->aer[i];
        }
    }
    return worst;
}

/* Where the listed words stand, then the worst aligned, then the first; how many. */
static int choose_pairs(struct gathering *gathering, size_t *chosen, struct tolk_error *error)
{
    const size_t count = gathering->corpus->pairs->count;
    size_t wanted = 0;
    if (tolk_page_words_mark(&gathering->words, gathering->wanted) != 0) {
        return tolk_error_set(error, "out of memory for the words of the corpus");
    }
    for (size_t n = 0; n < WORST_PAIRS; n++) {
        const size_t worst = worst_pair(gathering, count);
        if (worst < count) {
            gathering->wanted[worst] = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        wanted += gathering->wanted[i];
    }
    for (size_t i = 0; i < count && wanted < MOST_PAIRS; i++) {
        wanted += !gathering->wanted[i];
        gathering->wanted[i] = true;
    }
    *chosen = 0;
    for (size_t i = 0; i < count; i++) {
        gathering->places[i] = TOLK_NOT_IN_PAGE;
        if (gathering->wanted[i]) {
            gathering->chosen[(*chosen)++] = i;
        }
    }
    return 0;
}

/* A second time through the model, for those alone. */
static int embed_pairs(struct gathering *gathering, struct tolk_pair_pass pass,
                       struct tolk_error *error)
{
    size_t count = 0;
    if (choose_pairs(gathering, &count, error) != 0) {
        return -1;
    }
    struct tolk_pairs some = *gathering->corpus->pairs;
    some.items = calloc(count + 1, sizeof *some.items);
    if (some.items == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", count);
    }
    some.count = count;
    for (size_t i = 0; i < count; i++) {
        some.items[i] = gathering->corpus->pairs->items[gathering->chosen[i]];
    }
    pass.cut_log = NULL; /* the first pass has named them */
    pass.cuts = true;
    const int status = tolk_pair_pass_run(&pass, &some, embed_pair, gathering, error);
    free(some.items);
    return status;
}

static json_t *rate_json(const struct tolk_aer *aer)
{
    return json_real(tolk_aer_rate(aer));
}

/* {"heads": [layers + 1][heads + 1], "alignment": …} */
static json_t *rates_json(const struct gathering *gathering, enum tolk_page_reading reading)
{
    const struct tolk_model *const model = gathering->corpus->model;
    const size_t heads = tolk_inspection_heads(model, TOLK_CROSS);
    const struct rates *const rates = &gathering->rates[reading];
    json_t *const table = json_array();
    for (size_t layer = 0; layer <= tolk_inspection_layers(model, TOLK_CROSS); layer++) {
        json_t *const row = json_array();
        for (size_t head = 0; head <= heads; head++) {
            json_array_append_new(row, rate_json(&rates->of_heads[layer * (heads + 1) + head]));
        }
        json_array_append_new(table, row);
    }
    return json_pack("{s:o, s:o}", "heads", table, "alignment", rate_json(&rates->alignment));
}

static json_t *corpus_json(struct gathering *gathering)
{
    json_t *const json = tolk_page_words_json(&gathering->words, gathering->places);
    if (json == NULL) {
        return NULL;
    }
    json_object_set_new(json, "name", json_string(gathering->corpus->name));
    json_object_set_new(json, "pairs", json_integer((json_int_t)gathering->corpus->pairs->count));
    json_object_set_new(json, "gold", json_integer((json_int_t)gathering->golden));
    if (gathering->golden > 0) {
        json_t *const aer =
            json_pack("{s:o, s:o}", "output", rates_json(gathering, TOLK_PAGE_OUTPUT), "input",
                      rates_json(gathering, TOLK_PAGE_INPUT));
        if (gathering->corpus->model->config.normalize_before) {
            json_object_set_new(aer, "posterior", rate_json(&gathering->posterior));
        }
        json_object_set_new(json, "aer", aer);
    }
    return json;
}

int tolk_page_corpus_json(const struct tolk_page_corpus *corpus, json_t *data,
                          struct tolk_error *error)
{
    const size_t tables = tolk_head_links_count(tolk_inspection_layers(corpus->model, TOLK_CROSS),
                                                tolk_inspection_heads(corpus->model, TOLK_CROSS));
    struct gathering gathering = {.corpus = corpus, .pairs = json_object_get(data, "pairs")};
    int status = find_gold(&gathering, error);
    for (size_t way = 0; status == 0 && way < TOLK_PAGE_READINGS; way++) {
        gathering.rates[way].of_heads = calloc(tables, sizeof *gathering.rates[way].of_heads);
        if (gathering.rates[way].of_heads == NULL) {
            status = tolk_error_set(error, "out of memory for the table of heads");
        }
    }
    const struct tolk_pair_pass pass = {
        .model = corpus->model,
        .codec = corpus->codec,
        .reading = {.batch_tokens = corpus->batch_tokens, .scores = true, .choice = corpus->choice},
        .cut_log = corpus->log,
    };
    if (status == 0) {
        status = tolk_pair_pass_run(&pass, corpus->pairs, count_pair, &gathering, error);
    }
    if (status == 0) {
        status = embed_pairs(&gathering, pass, error);
    }
    if (status == 0) {
        json_object_set_new(data, "corpus", corpus_json(&gathering));
    }
    tolk_page_words_free(&gathering.words);
    for (size_t way = 0; way < TOLK_PAGE_READINGS; way++) {
        free(gathering.rates[way].of_heads);
    }
    free(gathering.gold);
    free(gathering.aer);
    free(gathering.wanted);
    free(gathering.places);
    free(gathering.chosen);
    return status;
}
