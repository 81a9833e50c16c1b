/* The words or pieces along the sides of a map, and the columns that they take.
 *
 * Widths are those of the terminal: East Asian wide characters take two columns, combining marks
 * none. A character that would move the cursor (a control, a change of direction) is shown as one
 * that cannot be. */
#ifndef TOLK_INFER_LABELS_H
#define TOLK_INFER_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/sentence.h"

struct tolk_label {
    const char *text; /* UTF-8 */
    size_t size;      /* bytes */
    size_t width;     /* columns */
};

struct tolk_labels {
    struct tolk_label *items; /* [count] */
    size_t count;
    size_t widest;
};

/* The units of a sentence and "(end)", or, where they are what the decoder reads, "(start)" and the
 * units. The sentence must outlive them. */
int tolk_labels_make(struct tolk_labels *labels, const struct tolk_sentence *sentence,
                     enum tolk_unit unit, bool inputs, struct tolk_error *error);
void tolk_labels_free(struct tolk_labels *labels);

/* The columns that `size` bytes of UTF-8 take. */
size_t tolk_text_width(const char *text, size_t size);

/* Prints the label, cut to `room` columns where it is wider; returns the columns it took. */
size_t tolk_label_print(const struct tolk_label *label, size_t room, bool ascii, FILE *out);

/* The same, and spaces up to `room`. */
void tolk_label_print_padded(const struct tolk_label *label, size_t room, bool ascii, FILE *out);

#endif
