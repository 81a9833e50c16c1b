#include "infer/alignment_format.h"

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

static char *soft_text(const struct tolk_word_attention *attention)
{
    char *text = NULL;
    size_t size = 0;
    FILE *const stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return NULL;
    }
    const size_t columns = attention->source_words + 1;
    for (size_t t = 0; attention->weights != NULL && t <= attention->target_words; t++) {
        for (size_t s = 0; s < columns; s++) {
            fprintf(stream, "%s%.6g", s > 0 ? "," : (t > 0 ? " " : ""),
                    (double)attention->weights[t * columns + s]);
        }
    }
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *tolk_alignment_text(const struct tolk_alignment_format *format,
                          const struct tolk_word_attention *attention, struct tolk_error *error)
{
    char *text = NULL;
    if (format->kind == TOLK_ALIGNMENT_SOFT) {
        text = soft_text(attention);
    } else {
        struct tolk_links links = {0};
        if (tolk_alignment_links(format, attention, &links, error) == 0) {
            text = tolk_links_format(&links);
        }
        tolk_links_free(&links);
    }
    if (text == NULL) {
        tolk_error_set(error, "out of memory for the alignment");
    }
    return text;
}

static json_t *soft_json(const struct tolk_word_attention *attention)
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
        return json_object_set_new(object, "attention", soft_json(attention)) == 0
                   ? 0
                   : tolk_error_set(error, "out of memory for the alignment");
    }
    struct tolk_links links = {0};
    json_t *const pairs = json_array();
    int status = tolk_alignment_links(format, attention, &links, error);
    for (size_t i = 0; status == 0 && i < links.count; i++) {
        json_array_append_new(
            pairs, json_pack("[i, i]", (int)links.items[i].source, (int)links.items[i].target));
    }
    tolk_links_free(&links);
    if (json_object_set_new(object, "alignment", pairs) != 0 && status == 0) {
        status = tolk_error_set(error, "out of memory for the alignment");
    }
    return status;
}
