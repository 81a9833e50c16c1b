#include "infer/page.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base64.h"
#include "model/decoding.h"

/* Vectors of a layer's attention are left out of a page that has so many bytes of them and of
 * weights, as base64: with 20 by 20 words it stays under a megabyte. */
enum { MOST_VECTOR_BYTES = 640 << 10, MOST_TABLE_BYTES = 800 << 10 };

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

/* Weights as fractions of 65535. */
static void to_fractions(const real *weights, size_t count, uint16_t *numbers)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint16_t)lround((double)weights[i] * UINT16_MAX);
    }
}

/* The weights of all layers and heads of a kind: [layers, heads, queries, keys]. */
static json_t *weights_json(const struct tolk_inspection *inspection, enum tolk_attention_kind kind)
{
    const struct tolk_model *const model = tolk_inspection_model(inspection);
    const size_t layers = tolk_inspection_layers(model, kind);
    const size_t heads = tolk_inspection_heads(model, kind);
    const struct tolk_attention_head first = tolk_inspection_head(inspection, kind, 0, 0);
    const size_t cells = first.queries * first.keys;
    uint16_t *const numbers = calloc(layers * heads * cells, sizeof *numbers);
    if (numbers == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < layers * heads; i++) {
        const struct tolk_attention_head head =
            tolk_inspection_head(inspection, kind, i / heads, i % heads);
        to_fractions(head.weights, cells, numbers + i * cells);
    }
    json_t *const json = numbers_json(numbers, layers * heads * cells);
    free(numbers);
    return json;
}

/* The posterior of all heads: [target rows, source rows]. */
static json_t *posterior_json(const struct tolk_page_pair *pair)
{
    const size_t cells = (pair->target->pieces + 1) * (pair->source->pieces + 1);
    uint16_t *const numbers = calloc(cells, sizeof *numbers);
    if (numbers == NULL) {
        return NULL;
    }
    to_fractions(tolk_inspection_posterior_weights(pair->inspection), cells, numbers);
    json_t *const json = numbers_json(numbers, cells);
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
    uint16_t *const numbers = calloc(count * size, sizeof *numbers);
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
    struct tolk_attention_head heads[TOLK_MAX_HEADS] = {{0}};
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
static json_t *all_vectors_json(const struct tolk_page_pair *pair, size_t weight_bytes)
{
    static const enum tolk_attention_kind ORDER[] = {TOLK_CROSS, TOLK_ENCODER_SELF,
                                                     TOLK_DECODER_SELF};
    const struct tolk_inspection *const inspection = pair->inspection;
    const size_t left = weight_bytes < MOST_TABLE_BYTES ? MOST_TABLE_BYTES - weight_bytes : 0;
    size_t room = left < MOST_VECTOR_BYTES ? left : MOST_VECTOR_BYTES;
    json_t *const all = json_object();
    for (size_t k = 0; k < sizeof ORDER / sizeof ORDER[0]; k++) {
        const size_t layers = tolk_inspection_layers(tolk_inspection_model(inspection), ORDER[k]);
        json_t *const list = json_array();
        for (size_t l = 0; l < layers; l++) {
            json_array_append_new(list, json_null());
        }
        if (ORDER[k] == TOLK_CROSS) {
            json_array_set_new(
                list, pair->alignment_layer,
                layer_vectors_json(inspection, TOLK_CROSS, pair->alignment_layer, &room));
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
    json_t *const texts = json_array();
    json_t *const pieces = json_array();
    json_t *const words = json_array();
    for (size_t i = 0; i < sentence->words.count; i++) {
        const size_t begin = sentence->words.begin[i];
        json_array_append_new(texts,
                              json_stringn(sentence->text + begin, sentence->words.end[i] - begin));
    }
    for (size_t i = 0; i < sentence->pieces; i++) {
        const char *const piece = tolk_codec_piece(codec, sentence->ids[i]);
        const size_t word = sentence->word_of_piece[i];
        json_array_append_new(pieces, json_string(piece == NULL ? "" : piece));
        json_array_append_new(
            words, json_integer(
                       (json_int_t)(word < sentence->words.count ? word : sentence->words.count)));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "text", sentence->text, "words", texts, "pieces",
                     pieces, "word_of_piece", words);
}

static json_t *links_json(const struct tolk_links *links)
{
    char *const text = tolk_links_format(links);
    json_t *const json = text == NULL ? NULL : json_string(text);
    free(text);
    return json;
}

/* {"heads": tables [layers + 1][heads + 1], "alignment": …} of one reading. */
static json_t *reading_json(const struct tolk_page_links *links, enum tolk_page_reading reading)
{
    json_t *const table = json_array();
    for (size_t layer = 0; layer <= links->layers; layer++) {
        json_t *const row = json_array();
        for (size_t head = 0; head <= links->heads; head++) {
            json_array_append_new(
                row, links_json(&links->of_heads[reading][layer * (links->heads + 1) + head]));
        }
        json_array_append_new(table, row);
    }
    return json_pack("{s:o, s:o}", "heads", table, "alignment",
                     links_json(&links->alignment[reading]));
}

static json_t *all_links_json(const struct tolk_page_links *links)
{
    return json_pack("{s:o, s:o, s:o}", "output", reading_json(links, TOLK_PAGE_OUTPUT), "input",
                     reading_json(links, TOLK_PAGE_INPUT), "posterior",
                     links_json(&links->posterior));
}

/* Of tables of weights, as base64. */
static size_t bytes_of(json_t *weights)
{
    const char *key = NULL;
    json_t *table = NULL;
    size_t bytes = 0;
    json_object_foreach((json_t *)weights, key, table)
    {
        bytes += json_string_length(table);
    }
    return bytes;
}

/* log p of the target, its end among them. */
static double score(const struct tolk_page_pair *pair)
{
    const size_t size = tolk_inspection_model(pair->inspection)->config.vocab_size;
    double sum = 0;
    for (size_t t = 0; t <= pair->target->pieces; t++) {
        const real *const logits = tolk_inspection_logits(pair->inspection, t);
        sum += (double)logits[pair->target->ids[t]] - tolk_log_sum_exp(logits, size);
    }
    return sum;
}

json_t *tolk_page_pair_json(const struct tolk_page_pair *pair, const struct tolk_page_links *links)
{
    json_t *const weights = json_object();
    json_t *const json = json_object();
    json_object_set_new(weights, KIND_KEYS[TOLK_CROSS], weights_json(pair->inspection, TOLK_CROSS));
    if (tolk_inspection_model(pair->inspection)->config.normalize_before) {
        json_object_set_new(weights, "posterior", posterior_json(pair));
    }
    if (pair->whole) {
        json_object_set_new(weights, KIND_KEYS[TOLK_ENCODER_SELF],
                            weights_json(pair->inspection, TOLK_ENCODER_SELF));
        json_object_set_new(weights, KIND_KEYS[TOLK_DECODER_SELF],
                            weights_json(pair->inspection, TOLK_DECODER_SELF));
        json_object_set_new(json, "vectors", all_vectors_json(pair, bytes_of(weights)));
    }
    json_object_set_new(json, "source", side_json(pair->source, pair->codec));
    json_object_set_new(json, "target", side_json(pair->target, pair->codec));
    json_object_set_new(json, "given", json_boolean(pair->given));
    json_object_set_new(json, "score", json_real(score(pair)));
    json_object_set_new(json, "gold", pair->gold == NULL ? json_null() : links_json(pair->gold));
    json_object_set_new(json, "links", all_links_json(links));
    json_object_set_new(json, "weights", weights);
    if (pair->record != NULL) {
        json_object_set_new(json, "search", tolk_page_search_json(pair));
    }
    return json;
}
