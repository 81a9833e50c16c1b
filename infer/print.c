#include "infer/print.h"

#include <stdlib.h>
#include <string.h>

/* Enough for a float; the shortest that keeps lines readable. */
enum { JSON_DIGITS = 7 };

void tolk_print_scores(const struct tolk_sentence *target, const struct tolk_reading *reading,
                       enum tolk_unit unit, FILE *out)
{
    const double *const scores = unit == TOLK_PIECES ? reading->piece_scores : reading->word_scores;
    fprintf(out, " ||| %s=", unit == TOLK_PIECES ? "PieceScores" : "WordScores");
    for (size_t i = 0; i <= tolk_sentence_units(target, unit); i++) {
        fprintf(out, " %.5f", scores[i]);
    }
}

static int print_marian(const struct tolk_translation *translation,
                        const struct tolk_print_options *options, FILE *out,
                        struct tolk_error *error)
{
    fputs(translation->sentence.text, out);
    if (options->alignment.kind != TOLK_ALIGNMENT_NONE) {
        char *const text =
            tolk_alignment_text(&options->alignment, &translation->reading.attention, error);
        if (text == NULL) {
            return -1;
        }
        fprintf(out, " ||| %s", text);
        free(text);
    }
    if (options->word_scores) {
        tolk_print_scores(&translation->sentence, &translation->reading, options->unit, out);
    }
    return 0;
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

static int describe(const struct tolk_translated *translated,
                    const struct tolk_translation *translation,
                    const struct tolk_print_options *options, json_t **object,
                    struct tolk_error *error)
{
    *object = tolk_pair_json(&translated->source, &translation->sentence, &translation->reading,
                             options, error);
    if (*object == NULL) {
        return -1;
    }
    json_object_set_new(*object, "normalised_score", json_real(translation->normalised_score));
    return 0;
}

static int print_json(const struct tolk_translated *translated,
                      const struct tolk_print_options *options, FILE *out, struct tolk_error *error)
{
    json_t *object = NULL;
    int status = describe(translated, &translated->items[0], options, &object, error);
    if (options->n_best && status == 0) {
        json_t *const all = json_array();
        for (size_t i = 0; status == 0 && i < translated->count; i++) {
            json_t *item = NULL;
            status = describe(translated, &translated->items[i], options, &item, error);
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
        fprintf(out, " ||| F0= %.5f ||| %.5f\n", translated->items[i].reading.score,
                translated->items[i].normalised_score);
    }
    return 0;
}
