/* A pair and what the model read in it, as JSON. */
#include "infer/print.h"

static json_t *numbers_json(const double *numbers, size_t count)
{
    json_t *const array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_real(numbers[i]));
    }
    return array;
}

static json_t *ranges_json(const size_t *begin, const size_t *end, size_t count)
{
    json_t *const array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_pack("[I, I]", (json_int_t)begin[i], (json_int_t)end[i]));
    }
    return array;
}

static json_t *words_json(const struct tolk_sentence *sentence)
{
    json_t *const words = json_array();
    for (size_t w = 0; w < sentence->words.count; w++) {
        const size_t begin = sentence->words.begin[w];
        json_array_append_new(words,
                              json_stringn(sentence->text + begin, sentence->words.end[w] - begin));
    }
    return words;
}

static json_t *pieces_json(const struct tolk_sentence *sentence)
{
    json_t *const pieces = json_array();
    for (size_t i = 0; i < sentence->pieces; i++) {
        json_array_append_new(pieces, json_string(tolk_sentence_piece(sentence, i)));
    }
    return pieces;
}

/* Both sides have the same parts under names of their own. */
static const struct side {
    const char *text, *words, *word_bytes, *pieces, *piece_bytes;
} SOURCE = {"source", "source_words", "source_word_bytes", "source_pieces", "source_piece_bytes"},
  TARGET = {"translation", "words", "word_bytes", "pieces", "piece_bytes"};

static void describe_side(const struct tolk_sentence *sentence, const struct side *names,
                          json_t *object)
{
    const struct tolk_words *const words = &sentence->words;
    json_object_set_new(object, names->text, json_string(sentence->text));
    json_object_set_new(object, names->words, words_json(sentence));
    json_object_set_new(object, names->word_bytes,
                        ranges_json(words->begin, words->end, words->count));
    json_object_set_new(object, names->pieces, pieces_json(sentence));
    json_object_set_new(object, names->piece_bytes,
                        ranges_json(sentence->piece_begin, sentence->piece_end, sentence->pieces));
    if (sentence->pieces < sentence->all_pieces) {
        json_object_set_new(object, "truncated", json_true());
    }
}

static void describe_scores(const struct tolk_sentence *target, const struct tolk_reading *reading,
                            json_t *object)
{
    json_object_set_new(object, "score", json_real(reading->score));
    json_object_set_new(object, "word_scores",
                        numbers_json(reading->word_scores, target->words.count + 1));
    json_object_set_new(object, "piece_scores",
                        numbers_json(reading->piece_scores, target->pieces + 1));
}

/* Views come by kind, then layer, then head. */
static void describe_views(const struct tolk_reading *reading,
                           const struct tolk_attention_view *views, json_t *object)
{
    static const char *const names[TOLK_ATTENTION_KINDS] = {
        [TOLK_ENCODER_SELF] = "encoder_attentions",
        [TOLK_DECODER_SELF] = "decoder_attentions",
        [TOLK_CROSS] = "cross_attentions",
    };
    json_t *layers = NULL;
    json_t *heads = NULL;
    for (size_t i = 0; i < reading->view_count; i++) {
        if (i == 0 || views[i].kind != views[i - 1].kind) {
            layers = json_array();
            json_object_set_new(object, names[views[i].kind], layers);
            heads = NULL;
        }
        if (heads == NULL || views[i].choice.layer != views[i - 1].choice.layer) {
            heads = json_array();
            json_array_append_new(layers, heads);
        }
        json_array_append_new(heads, tolk_attention_json(&reading->views[i]));
    }
}

json_t *tolk_pair_json(const struct tolk_sentence *source, const struct tolk_sentence *target,
                       const struct tolk_reading *reading, const struct tolk_print_options *options,
                       struct tolk_error *error)
{
    json_t *const object = json_object();
    describe_side(source, &SOURCE, object);
    describe_side(target, &TARGET, object);
    if (reading->word_scores != NULL) {
        describe_scores(target, reading, object);
    }
    const bool aligned = options->alignment.kind != TOLK_ALIGNMENT_NONE;
    if (aligned || reading->view_count > 0) {
        json_object_set_new(object, "unit",
                            json_string(options->unit == TOLK_PIECES ? "pieces" : "words"));
    }
    if (aligned &&
        tolk_alignment_json(&options->alignment, &reading->attention, object, error) != 0) {
        json_decref(object);
        return NULL;
    }
    describe_views(reading, options->views, object);
    return object;
}
