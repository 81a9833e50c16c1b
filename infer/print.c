#include "infer/print.h"

#include <stdlib.h>
#include <string.h>

/* Enough for a float; the shortest that keeps lines readable. */
enum { JSON_DIGITS = 7 };

void tolk_print_word_scores(const double *scores, size_t words, FILE *out)
{
    fputs(" ||| WordScores=", out);
    for (size_t w = 0; w <= words; w++) {
        fprintf(out, " %.5f", scores[w]);
    }
}

static int print_marian(const struct tolk_translation *translation,
                        const struct tolk_print_options *options, FILE *out,
                        struct tolk_error *error)
{
    fputs(translation->sentence.text, out);
    if (options->alignment.kind != TOLK_ALIGNMENT_NONE) {
        char *const text = tolk_alignment_text(&options->alignment, &translation->attention, error);
        if (text == NULL) {
            return -1;
        }
        fprintf(out, " ||| %s", text);
        free(text);
    }
    if (options->word_scores) {
        tolk_print_word_scores(translation->word_scores, translation->sentence.words.count, out);
    }
    return 0;
}

json_t *tolk_words_json(const struct tolk_sentence *sentence)
{
    json_t *const words = json_array();
    for (size_t w = 0; w < sentence->words.count; w++) {
        const size_t begin = sentence->words.begin[w];
        json_array_append_new(words,
                              json_stringn(sentence->text + begin, sentence->words.end[w] - begin));
    }
    return words;
}

json_t *tolk_numbers_json(const double *numbers, size_t count)
{
    json_t *const array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_real(numbers[i]));
    }
    return array;
}

int tolk_print_json(json_t *object, FILE *out, struct tolk_error *error)
{
    char *const text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(JSON_DIGITS));
    json_decref(object);
    if (text == NULL) {
        return tolk_error_set(error, "out of memory for a line of JSON");
    }
    fprintf(out, "%s\n", text);
    free(text);
    return 0;
}

static int describe(const struct tolk_translation *translation,
                    const struct tolk_print_options *options, json_t *object,
                    struct tolk_error *error)
{
    const struct tolk_sentence *const sentence = &translation->sentence;
    json_object_set_new(object, "translation", json_string(sentence->text));
    json_object_set_new(object, "score", json_real(translation->score));
    json_object_set_new(object, "normalised_score", json_real(translation->normalised_score));
    json_object_set_new(object, "words", tolk_words_json(sentence));
    json_object_set_new(object, "word_scores",
                        tolk_numbers_json(translation->word_scores, sentence->words.count + 1));
    if (options->alignment.kind == TOLK_ALIGNMENT_NONE) {
        return 0;
    }
    return tolk_alignment_json(&options->alignment, &translation->attention, object, error);
}

static int print_json(const struct tolk_translated *translated,
                      const struct tolk_print_options *options, FILE *out, struct tolk_error *error)
{
    json_t *const object = json_object();
    json_object_set_new(object, "source", json_string(translated->source.text));
    json_object_set_new(object, "source_words", tolk_words_json(&translated->source));
    if (translated->source.pieces < translated->source.all_pieces) {
        json_object_set_new(object, "truncated", json_true());
    }
    int status = describe(&translated->items[0], options, object, error);
    if (options->n_best && status == 0) {
        json_t *const all = json_array();
        for (size_t i = 0; status == 0 && i < translated->count; i++) {
            json_t *const item = json_object();
            status = describe(&translated->items[i], options, item, error);
            json_array_append_new(all, item);
        }
        json_object_set_new(object, "n_best", all);
    }
    if (status != 0) {
        json_decref(object);
        return -1;
    }
    return tolk_print_json(object, out, error);
}

int tolk_print_translated(const struct tolk_translated *translated, size_t line,
                          const struct tolk_print_options *options, FILE *out,
                          struct tolk_error *error)
{
    if (options->json) {
        return print_json(translated, options, out, error);
    }
    if (!options->n_best) {
        if (print_marian(&translated->items[0], options, out, error) != 0) {
            return -1;
        }
        fputc('\n', out);
        return 0;
    }
    for (size_t i = 0; i < translated->count; i++) {
        fprintf(out, "%zu ||| ", line);
        if (print_marian(&translated->items[i], options, out, error) != 0) {
            return -1;
        }
        fprintf(out, " ||| F0= %.5f ||| %.5f\n", translated->items[i].score,
                translated->items[i].normalised_score);
    }
    return 0;
}
