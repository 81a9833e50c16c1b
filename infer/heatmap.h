/* An attention between words as a picture for the terminal: a row for each target word, a column
 * for each source word, the darker the more. The end of the sentence is the last of both.
 *
 *              De  kat zit …
 *     The     ▓▓▓
 *     cat         ███
 *
 * Words keep their columns whatever their scripts: widths are those of the terminal (East Asian
 * wide characters take two columns, combining marks none). */
#ifndef TOLK_INFER_HEATMAP_H
#define TOLK_INFER_HEATMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"

struct tolk_heatmap_options {
    bool colour;  /* coloured cells with the weight in hundredths, else shades of blocks */
    size_t width; /* of the terminal in columns, 0: without end */
};

int tolk_heatmap_draw(const struct tolk_sentence *source, const struct tolk_sentence *target,
                      const struct tolk_word_attention *attention,
                      const struct tolk_heatmap_options *options, FILE *out,
                      struct tolk_error *error);

/* The columns that `size` bytes of UTF-8 take in a terminal. */
size_t tolk_text_width(const char *text, size_t size);

#endif
