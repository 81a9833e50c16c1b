/* What `tolk inspect` shows in a terminal: a pair of sentences, and the attention of one kind
 * between their words or pieces, as maps or in numbers. */
#ifndef TOLK_INFER_SUBJECT_H
#define TOLK_INFER_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/sentence.h"
#include "infer/terminal.h"
#include "infer/word_attention.h"
#include "model/model.h"

struct tolk_subject {
    const struct tolk_model *model;
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
    const struct tolk_terminal *terminal;
    enum tolk_attention_kind kind;
    struct tolk_attention_choice choice; /* of that kind */
    enum tolk_unit unit;
    bool all; /* maps of every head, those of the choice starred */
};

/* Both sentences, what is drawn, and one map or those of all heads. */
int tolk_subject_draw(const struct tolk_subject *subject, FILE *out, struct tolk_error *error);

/* The row of the model where a word, or piece, of the side that looks is read: that of its first
 * piece. -1 with an error where there is no such word. */
int tolk_subject_row(const struct tolk_subject *subject, size_t word, size_t *row,
                     struct tolk_error *error);

/* Both sentences, and the attention of a row in numbers, by the first head of the choice. */
int tolk_subject_walk(const struct tolk_subject *subject, size_t row, FILE *out,
                      struct tolk_error *error);

#endif
