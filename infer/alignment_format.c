#include "infer/alignment_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

int tolk_alignment_format_parse(const char *text, struct tolk_alignment_format *format,
                                struct tolk_error *error)
{
    if (strcmp(text, "hard") == 0) {
        format->kind = TOLK_ALIGNMENT_HARD;
        return 0;
    }
    if (strcmp(text, "soft") == 0) {
        format->kind = TOLK_ALIGNMENT_SOFT;
        return 0;
    }
    format->kind = TOLK_ALIGNMENT_THRESHOLD;
    if (tolk_parse_double(text, 0, 1, "--alignment", &format->threshold, NULL) != 0) {
        return tolk_error_set(
            error, "--alignment: expected hard, soft or a threshold from 0 to 1, found \"%s\"",
            text);
    }
    return 0;
}

int tolk_alignment_links(const struct tolk_alignment_format *format,
                         const struct tolk_word_attention *attention, struct tolk_links *links,
                         struct tolk_error *error)
{
    const int status = format->kind == TOLK_ALIGNMENT_THRESHOLD
                           ? tolk_word_attention_above(attention, format->threshold, links)
                           : tolk_word_attention_hard(attention, links);
    return status == 0 ? 0 : tolk_error_set(error, "out of memory for the alignment");
}

static void write_soft(const struct tolk_word_attention *attention, FILE *stream)
{
    const size_t columns = attention->source_words + 1;
    for (size_t t = 0; attention->weights != NULL && t <= attention->target_words; t++) {
        for (size_t s = 0; s < columns; s++) {
            fprintf(stream, "%s%.6g", s > 0 ? "," : (t > 0 ? " " : ""),
                    (double)attention->weights[t * columns + s]);
        }
    }
}

static double weight_of(const struct tolk_word_attention *attention, const struct tolk_link *link)
{
    return (double)attention->weights[link->target * (attention->source_words + 1) + link->source];
}

static void write_links(const struct tolk_alignment_format *format,
                        const struct tolk_word_attention *attention, const struct tolk_links *links,
                        FILE *stream)
{
    for (size_t i = 0; i < links->count; i++) {
        fprintf(stream, "%s%" PRIu32 "-%" PRIu32, i > 0 ? " " : "", links->items[i].source,
                links->items[i].target);
    }
    if (format->link_scores) {
        fputs(" ||| LinkScores=", stream);
        for (size_t i = 0; i < links->count; i++) {
            fprintf(stream, " %.5f", weight_of(attention, &links->items[i]));
        }
    }
}

char *tolk_alignment_text(const struct tolk_alignment_format *format,
                          const struct tolk_word_attention *attention, struct tolk_error *error)
{
    struct tolk_links links = {0};
    char *text = NULL;
    size_t size = 0;
    if (format->kind != TOLK_ALIGNMENT_SOFT &&
        tolk_alignment_links(format, attention, &links, error) != 0) {
        tolk_links_free(&links);
        return NULL;
    }
    FILE *const stream = open_memstream(&text, &size);
    bool written = stream != NULL;
    if (written) {
        if (format->kind == TOLK_ALIGNMENT_SOFT) {
            write_soft(attention, stream);
        } else {
            write_links(format, attention, &links, stream);
        }
        written = fclose(stream) == 0;
    }
    tolk_links_free(&links);
    if (!written) {
        free(text);
        tolk_error_set(error, "out of memory for the alignment");
        return NULL;
    }
    return text;
}

json_t *tolk_attention_json(const struct tolk_word_attention *attention)
{
    json_t *const rows = json_array();
    const size_t columns = attention->source_words + 1;
    for (size_t t = 0; attention->weights != NULL && t <= attention->target_words; t++) {
        json_t *const row = json_array();
        for (size_t s = 0; s < columns; s++) {
            json_array_append_new(row, json_real((double)attention->weights[t * columns + s]));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

int tolk_alignment_json(const struct tolk_alignment_format *format,
                        const struct tolk_word_attention *attention, json_t *object,
                        struct tolk_error *error)
{
    if (format->kind == TOLK_ALIGNMENT_SOFT) {
        return json_object_set_new(object, "attention", tolk_attention_json(attention)) == 0
                   ? 0
                   : tolk_error_set(error, "out of memory for the alignment");
    }
    struct tolk_links links = {0};
    json_t *const pairs = json_array();
    json_t *const scores = json_array();
    int status = tolk_alignment_links(format, attention, &links, error);
    for (size_t i = 0; status == 0 && i < links.count; i++) {
        json_array_append_new(
            pairs, json_pack("[i, i]", (int)links.items[i].source, (int)links.items[i].target));
        json_array_append_new(scores, json_real(weight_of(attention, &links.items[i])));
    }
    tolk_links_free(&links);
    const bool kept = json_object_set_new(object, "alignment", pairs) == 0;
    if ((json_object_set_new(object, "link_scores", scores) != 0 || !kept) && status == 0) {
        status = tolk_error_set(error, "out of memory for the alignment");
    }
    return status;
}
