#include "infer/page.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "infer/head_links.h"
#include "infer/print.h"

/* Vectors of a layer's attention are left out of a page that has so many bytes of them, as base64:
 * with 20 by 20 words it stays under a megabyte. */
enum { MOST_VECTOR_BYTES = 640 << 10 };

static const char *const KIND_KEYS[] = {
    [TOLK_ENCODER_SELF] = "encoder",
    [TOLK_DECODER_SELF] = "decoder",
    [TOLK_CROSS] = "cross",
};

/* Base64 of `count` numbers of 16 bits, little-endian. */
static json_t *numbers_json(const uint16_t *numbers, size_t count)
{
    unsigned char *const bytes = malloc(2 * count + 1);
    char *text = NULL;
    if (bytes != NULL) {
        for (size_t i = 0; i < count; i++) {
            bytes[2 * i] = (unsigned char)(numbers[i] & 0xFF);
            bytes[2 * i + 1] = (unsigned char)(numbers[i] >> 8);
        }
        text = tolk_base64_encode(bytes, 2 * count);
    }
    json_t *const json = text == NULL ? NULL : json_string(text);
    free(bytes);
    free(text);
    return json;
}

/* The weights of all layers and heads of a kind: [layers, heads, queries, keys]. */
static json_t *weights_json(const struct tolk_inspection *inspection, enum tolk_attention_kind kind)
{
    const struct tolk_model *const model = tolk_inspection_model(inspection);
    const size_t layers = tolk_inspection_layers(model, kind);
    const size_t heads = tolk_inspection_heads(model, kind);
    const struct tolk_attention_head first = tolk_inspection_head(inspection, kind, 0, 0);
    const size_t cells = first.queries * first.keys;
    uint16_t *const numbers = malloc(layers * heads * cells * sizeof *numbers);
    if (numbers == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < layers * heads; i++) {
        const struct tolk_attention_head head =
            tolk_inspection_head(inspection, kind, i / heads, i % heads);
        for (size_t c = 0; c < cells; c++) {
            numbers[i * cells + c] = (uint16_t)lround((double)head.weights[c] * UINT16_MAX);
        }
    }
    json_t *const json = numbers_json(numbers, layers * heads * cells);
    free(numbers);
    return json;
}

/* Which vectors of a head. */
enum vectors { QUERIES, KEYS, VALUES, VECTOR_KINDS };
static const char *const VECTOR_KEYS[] = {"q", "k", "v"};

struct rows {
    const real *x; /* [count, d_k], `stride` apart */
    size_t count;
    size_t stride;
};

static struct rows rows_of(const struct tolk_attention_head *head, enum vectors which)
{
    switch (which) {
    case QUERIES:
        return (struct rows){head->q, head->queries, head->ldq};
    case KEYS:
        return (struct rows){head->k, head->keys, head->ldk};
    default:
        return (struct rows){head->v, head->keys, head->ldv};
    }
}

static double largest_of(const struct rows *rows, size_t dim)
{
    double largest = 0;
    for (size_t r = 0; r < rows->count; r++) {
        for (size_t i = 0; i < dim; i++) {
            largest = fmax(largest, fabs((double)rows->x[r * rows->stride + i]));
        }
    }
    return largest;
}

/* q, k or v of all heads of a layer: {"scale": …, "values": [heads, rows, d_k]}. */
static json_t *vectors_json(const struct tolk_attention_head *heads, size_t count,
                            enum vectors which)
{
    const size_t dim = heads[0].dim;
    const size_t size = rows_of(&heads[0], which).count * dim;
    double largest = 0;
    for (size_t h = 0; h < count; h++) {
        const struct rows rows = rows_of(&heads[h], which);
        largest = fmax(largest, largest_of(&rows, dim));
    }
    const double scale = largest > 0 ? largest / INT16_MAX : 1;
    uint16_t *const numbers = malloc(count * size * sizeof *numbers);
    if (numbers == NULL) {
        return NULL;
    }
    for (size_t h = 0; h < count; h++) {
        const struct rows rows = rows_of(&heads[h], which);
        for (size_t i = 0; i < size; i++) {
            const double x = (double)rows.x[i / dim * rows.stride + i % dim];
            numbers[h * size + i] = (uint16_t)(int16_t)lround(x / scale);
        }
    }
    json_t *const values = numbers_json(numbers, count * size);
    free(numbers);
    return json_pack("{s:f, s:o}", "scale", scale, "values", values);
}

static json_t *layer_vectors_json(const struct tolk_inspection *inspection,
                                  enum tolk_attention_kind kind, size_t layer, size_t *room)
{
    struct tolk_attention_head heads[TOLK_MAX_HEADS];
    const size_t count = tolk_inspection_heads(tolk_inspection_model(inspection), kind);
    for (size_t h = 0; h < count; h++) {
        heads[h] = tolk_inspection_head(inspection, kind, layer, h);
    }
    const size_t numbers = count * heads[0].dim * (heads[0].queries + 2 * heads[0].keys);
    const size_t bytes = numbers * sizeof(uint16_t) / 3 * 4;
    if (bytes > *room) {
        return json_null();
    }
    *room -= bytes;
    json_t *const json = json_object();
    for (size_t v = 0; v < VECTOR_KINDS; v++) {
        json_object_set_new(json, VECTOR_KEYS[v], vectors_json(heads, count, (enum vectors)v));
    }
    return json;
}

/* {"cross": [a layer's or null, …], …}. Where there is not room for all, the alignment layer comes
 * first, then the other layers of the cross-attention, then self-attention; high layers before low
 * ones. */
static json_t *all_vectors_json(const struct tolk_page_pair *pair)
{
    static const enum tolk_attention_kind ORDER[] = {TOLK_CROSS, TOLK_ENCODER_SELF,
                                                     TOLK_DECODER_SELF};
    const struct tolk_inspection *const inspection = pair->inspection;
    size_t room = MOST_VECTOR_BYTES;
    json_t *const all = json_object();
    for (size_t k = 0; k < sizeof ORDER / sizeof ORDER[0]; k++) {
        const size_t layers = tolk_inspection_layers(tolk_inspection_model(inspection), ORDER[k]);
        json_t *const list = json_array();
        for (size_t l = 0; l < layers; l++) {
            json_array_append_new(list, json_null());
        }
        if (ORDER[k] == TOLK_CROSS) {
            json_array_set_new(
                list, pair->choice->layer,
                layer_vectors_json(inspection, TOLK_CROSS, pair->choice->layer, &room));
        }
        for (size_t l = layers; l-- > 0;) {
            if (json_is_null(json_array_get(list, l))) {
                json_array_set_new(list, l, layer_vectors_json(inspection, ORDER[k], l, &room));
            }
        }
        json_object_set_new(all, KIND_KEYS[ORDER[k]], list);
    }
    return all;
}

/* Text, words, pieces, and the word of each piece. */
static json_t *side_json(const struct tolk_sentence *sentence, const struct tolk_codec *codec)
{
    json_t *const pieces = json_array();
    json_t *const words = json_array();
    for (size_t i = 0; i < sentence->pieces; i++) {
        const char *const piece = tolk_codec_piece(codec, sentence->ids[i]);
        const size_t word = sentence->word_of_piece[i];
        json_array_append_new(pieces, json_string(piece == NULL ? "" : piece));
        json_array_append_new(words, json_integer((json_int_t)(word < sentence->words.count
                                                                   ? word
                                                                   : sentence->words.count)));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "text", sentence->text, "words",
                     tolk_words_json(sentence), "pieces", pieces, "word_of_piece", words);
}

static json_t *links_json(const struct tolk_links *links)
{
    char *const text = tolk_links_format(links);
    json_t *const json = text == NULL ? NULL : json_string(text);
    free(text);
    return json;
}

/* The words' attention of one choice. */
static int read_choice(const struct tolk_page_pair *pair,
                       const struct tolk_attention_choice *choice,
                       struct tolk_word_attention *attention, struct tolk_error *error)
{
    const struct tolk_word_map source = tolk_sentence_map(pair->source);
    const struct tolk_word_map target = tolk_sentence_map(pair->target);
    return tolk_word_attention_read(attention, tolk_inspection_workspace(pair->inspection), 0,
                                    choice, &source, &target, error);
}

static json_t *choice_links_json(const struct tolk_page_pair *pair, bool shift,
                                 struct tolk_error *error)
{
    struct tolk_attention_choice choice = *pair->choice;
    struct tolk_word_attention attention;
    struct tolk_links links = {0};
    choice.shift = shift;
    if (read_choice(pair, &choice, &attention, error) != 0) {
        return NULL;
    }
    json_t *json = NULL;
    if (tolk_word_attention_hard(&attention, &links) == 0) {
        json = links_json(&links);
    }
    tolk_word_attention_free(&attention);
    tolk_links_free(&links);
    return json;
}

/* Tables [layers + 1][heads + 1] of the links of each head and of the means. */
static json_t *head_links_json(const struct tolk_page_pair *pair, bool shift,
                               struct tolk_error *error)
{
    const struct tolk_model *const model = tolk_inspection_model(pair->inspection);
    const size_t layers = tolk_inspection_layers(model, TOLK_CROSS);
    const size_t heads = tolk_inspection_heads(model, TOLK_CROSS);
    struct tolk_word_attention *const attention = calloc(layers * heads, sizeof *attention);
    struct tolk_links *const links = calloc(tolk_head_links_count(layers, heads), sizeof *links);
    json_t *table = NULL;
    if (attention == NULL || links == NULL) {
        tolk_error_set(error, "out of memory for the links of the heads");
        goto out;
    }
    for (size_t i = 0; i < layers * heads; i++) {
        const struct tolk_attention_choice choice = {
            .layer = i / heads, .head_count = 1, .heads = {i % heads}, .shift = shift};
        if (read_choice(pair, &choice, &attention[i], error) != 0) {
            goto out;
        }
    }
    if (tolk_head_links(attention, layers, heads, links, error) != 0) {
        goto out;
    }
    table = json_array();
    for (size_t layer = 0; layer <= layers; layer++) {
        json_t *const row = json_array();
        for (size_t head = 0; head <= heads; head++) {
            json_array_append_new(row, links_json(&links[layer * (heads + 1) + head]));
        }
        json_array_append_new(table, row);
    }
out:
    for (size_t i = 0; attention != NULL && i < layers * heads; i++) {
        tolk_word_attention_free(&attention[i]);
    }
    if (links != NULL) {
        tolk_head_links_free(links, layers, heads);
    }
    free(attention);
    free(links);
    return table;
}

/* {"output": …, "input": …}: read where a word is the decoder's output, or its input (shift). */
static json_t *all_links_json(const struct tolk_page_pair *pair, struct tolk_error *error)
{
    json_t *const all = json_object();
    for (int shift = 0; shift <= 1; shift++) {
        json_t *const heads = head_links_json(pair, shift == 1, error);
        json_t *const alignment = choice_links_json(pair, shift == 1, error);
        if (heads == NULL || alignment == NULL) {
            json_decref(heads);
            json_decref(alignment);
            json_decref(all);
            return NULL;
        }
        json_object_set_new(all, shift == 1 ? "input" : "output",
                            json_pack("{s:o, s:o}", "heads", heads, "alignment", alignment));
    }
    return all;
}

json_t *tolk_page_pair_json(const struct tolk_page_pair *pair, struct tolk_error *error)
{
    tolk_error_set(error, "out of memory for the page");
    json_t *const links = all_links_json(pair, error);
    if (links == NULL) {
        return NULL;
    }
    json_t *const weights = json_object();
    json_t *const json = json_object();
    json_object_set_new(weights, KIND_KEYS[TOLK_CROSS], weights_json(pair->inspection, TOLK_CROSS));
    if (pair->whole) {
        json_object_set_new(weights, KIND_KEYS[TOLK_ENCODER_SELF],
                            weights_json(pair->inspection, TOLK_ENCODER_SELF));
        json_object_set_new(weights, KIND_KEYS[TOLK_DECODER_SELF],
                            weights_json(pair->inspection, TOLK_DECODER_SELF));
        json_object_set_new(json, "vectors", all_vectors_json(pair));
    }
    json_object_set_new(json, "source", side_json(pair->source, pair->codec));
    json_object_set_new(json, "target", side_json(pair->target, pair->codec));
    json_object_set_new(json, "given", json_boolean(pair->given));
    json_object_set_new(json, "gold", pair->gold == NULL ? json_null() : links_json(pair->gold));
    json_object_set_new(json, "links", links);
    json_object_set_new(json, "weights", weights);
    if (pair->record != NULL) {
        json_object_set_new(json, "search", tolk_page_search_json(pair));
    }
    return json;
}
