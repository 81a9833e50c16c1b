#include "infer/posterior_choice.h"

#include <stdlib.h>
#include <string.h>

#include "infer/aer.h"
#include "infer/packing.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"
#include "model/posterior.h"
#include "model/transformer.h"

/* A pair as every head reads it. */
struct judged {
    struct tolk_sentence source, target;
    const struct tolk_links *gold;
    size_t rows, keys;
    real *priors;   /* [heads, rows, keys]: attention */
    real *evidence; /* the same: what each head adds to the logit of each row's token */
};

struct jury {
    const struct tolk_model *model;
    struct judged *pairs;
    size_t count;
    size_t layers, heads; /* of the decoder */
};

static void jury_free(struct jury *jury)
{
    for (size_t i = 0; i < jury->count; i++) {
        tolk_sentence_free(&jury->pairs[i].source);
        tolk_sentence_free(&jury->pairs[i].target);
        free(jury->pairs[i].priors);
    }
    free(jury->pairs);
}

/* ---- what the heads read ------------------------------------------------------------------------
 */

static int read_heads(const struct jury *jury, struct judged *pair,
                      struct tolk_workspace *workspace, const struct tolk_batch *batch)
{
    const size_t cells = pair->rows * pair->keys;
    pair->priors = malloc(2 * jury->layers * jury->heads * cells * sizeof *pair->priors);
    if (pair->priors == NULL) {
        return -1;
    }
    pair->evidence = pair->priors + jury->layers * jury->heads * cells;
    for (size_t i = 0; i < jury->layers * jury->heads; i++) {
        const size_t layer = i / jury->heads;
        const size_t head = i % jury->heads;
        struct tolk_head_set one = {{0}};
        tolk_head_set_add(&one, layer, head);
        tolk_transformer_posterior(jury->model, batch, &one, workspace);
        memcpy(pair->evidence + i * cells, tolk_workspace_evidence(workspace, 0),
               cells * sizeof *pair->evidence);
        memcpy(pair->priors + i * cells,
               tolk_workspace_attention(workspace, TOLK_CROSS, layer, 0, head),
               cells * sizeof *pair->priors);
    }
    return 0;
}

static int read_pair(const struct jury *jury, struct judged *pair, struct tolk_packed *packed,
                     struct tolk_workspace *workspace, struct tolk_error *error)
{
    const struct tolk_sequence source = tolk_sentence_sequence(&pair->source);
    const struct tolk_sequence target = tolk_sentence_sequence(&pair->target);
    const size_t first = 0;
    pair->rows = target.length;
    pair->keys = source.length;
    if (tolk_packed_fill(packed, &source, &target, &first, 1,
                         jury->model->config.decoder_start_token_id, error) != 0 ||
        tolk_workspace_reserve(workspace, &packed->batch, TOLK_ATTENTION, error) != 0) {
        return -1;
    }
    tolk_transformer_attend(jury->model, &packed->batch, workspace);
    return read_heads(jury, pair, workspace, &packed->batch) == 0
               ? 0
               : tolk_error_set(error, "out of memory for the attention of a pair");
}

/* Takes the pair in where it fits into the model. */
static int take_pair(struct jury *jury, const struct tolk_codec *codec,
                     const struct tolk_pair *from, struct tolk_packed *packed,
                     struct tolk_workspace *workspace, struct tolk_error *error)
{
    struct judged *const pair = &jury->pairs[jury->count++];
    const size_t longest = jury->model->config.max_position_embeddings;
    *pair = (struct judged){.gold = &from->links};
    if (tolk_sentence_encode(&pair->source, codec, TOLK_SOURCE, from->source, longest, error) !=
            0 ||
        tolk_sentence_encode(&pair->target, codec, TOLK_TARGET, from->target, longest, error) !=
            0) {
        return -1;
    }
    if (pair->source.pieces == pair->source.all_pieces &&
        pair->target.pieces == pair->target.all_pieces) {
        return read_pair(jury, pair, packed, workspace, error);
    }
    tolk_sentence_free(&pair->source);
    tolk_sentence_free(&pair->target);
    jury->count--;
    return 0;
}

static int take_all(struct jury *jury, const struct tolk_codec *codec,
                    const struct tolk_pairs *pairs, struct tolk_error *error)
{
    struct tolk_packed packed = {0};
    struct tolk_workspace *const workspace = tolk_workspace_create(jury->model, error);
    int status = workspace == NULL ? -1 : 0;
    jury->pairs = calloc(pairs->count + 1, sizeof *jury->pairs);
    if (jury->pairs == NULL) {
        tolk_workspace_free(workspace);
        return tolk_error_set(error, "out of memory for %zu pairs", pairs->count);
    }
    for (size_t i = 0; status == 0 && i < pairs->count; i++) {
        if (pairs->items[i].links.count > 0) {
            status = take_pair(jury, codec, &pairs->items[i], &packed, workspace, error);
        }
    }
    tolk_packed_free(&packed);
    tolk_workspace_free(workspace);
    return status;
}

/* ---- judging sets -------------------------------------------------------------------------------
 */

static int judge_pair(const struct jury *jury, const struct judged *pair,
                      const struct tolk_head_set *set, real *weights, struct tolk_aer *counts,
                      struct tolk_error *error)
{
    const size_t cells = pair->rows * pair->keys;
    real *const evidence = weights + cells;
    struct tolk_word_attention attention;
    struct tolk_links links = {0};
    memset(weights, 0, 2 * cells * sizeof *weights);
    for (size_t i = 0; i < jury->layers * jury->heads; i++) {
        for (size_t c = 0; tolk_head_set_has(set, i / jury->heads, i % jury->heads) && c < cells;
             c++) {
            weights[c] += pair->priors[i * cells + c];
            evidence[c] += pair->evidence[i * cells + c];
        }
    }
    tolk_posterior_weigh(pair->rows, pair->keys, weights, evidence);
    const struct tolk_word_map from = tolk_sentence_map(&pair->source, TOLK_WORDS);
    const struct tolk_word_map to = tolk_sentence_map(&pair->target, TOLK_WORDS);
    const real *const posterior = weights;
    if (tolk_word_attention_average(&attention, &posterior, 1, false, &from, &to, error) != 0) {
        return -1;
    }
    const int status = tolk_word_attention_hard(&attention, &links);
    tolk_aer_add(counts, &links, pair->gold);
    tolk_links_free(&links);
    tolk_word_attention_free(&attention);
    return status == 0 ? 0 : tolk_error_set(error, "out of memory for the links of a pair");
}

static int judge(const struct jury *jury, const struct tolk_head_set *set, double *aer,
                 struct tolk_error *error)
{
    const size_t longest = jury->model->config.max_position_embeddings;
    struct tolk_aer counts = {0};
    real *const weights = malloc(2 * longest * longest * sizeof *weights);
    int status = 0;
    if (weights == NULL) {
        return tolk_error_set(error, "out of memory for %zu pieces squared", longest);
    }
    for (size_t i = 0; status == 0 && i < jury->count; i++) {
        status = judge_pair(jury, &jury->pairs[i], set, weights, &counts, error);
    }
    free(weights);
    *aer = tolk_aer_rate(&counts);
    return status;
}

/* Takes away the head without which the rest is best; found: that makes it better. */
static int drop_one(const struct jury *jury, struct tolk_head_set *best, double *aer, bool *found,
                    struct tolk_error *error)
{
    const struct tolk_head_set before = *best;
    *found = false;
    for (size_t i = 0; i < jury->layers * jury->heads; i++) {
        struct tolk_head_set set = before;
        double rate = 0;
        tolk_head_set_remove(&set, i / jury->heads, i % jury->heads);
        if (!tolk_head_set_has(&before, i / jury->heads, i % jury->heads) ||
            tolk_head_set_is_empty(&set)) {
            continue;
        }
        if (judge(jury, &set, &rate, error) != 0) {
            return -1;
        }
        if (rate < *aer) {
            *aer = rate;
            *best = set;
            *found = true;
        }
    }
    return 0;
}

int tolk_posterior_choose(const struct tolk_model *model, const struct tolk_codec *codec,
                          const struct tolk_pairs *pairs, struct tolk_head_set *best, double *aer,
                          struct tolk_error *error)
{
    struct jury jury = {.model = model,
                        .layers = model->config.decoder_layers,
                        .heads = model->config.decoder_attention_heads};
    *best = (struct tolk_head_set){{0}};
    for (size_t i = 0; i < jury.layers * jury.heads; i++) {
        tolk_head_set_add(best, i / jury.heads, i % jury.heads);
    }
    int status = take_all(&jury, codec, pairs, error);
    bool found = status == 0;
    if (found) {
        status = judge(&jury, best, aer, error);
    }
    while (status == 0 && found) {
        status = drop_one(&jury, best, aer, &found, error);
    }
    jury_free(&jury);
    return status;
}
