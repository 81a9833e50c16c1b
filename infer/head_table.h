/* How well each head aligns: the alignment error rate (aer.h) of every head of the cross-attention
 * and of the mean of each layer's heads, read where a word is the decoder's output and where it is
 * its input (shift-attention, Chen et al. 2020).
 *
 *     struct tolk_head_table table;
 *     if (tolk_head_table_make(&table, &model.config, &error) != 0) …
 *     … for each pair, read with table.views as the views of struct tolk_reading_options:
 *         tolk_head_table_add(&table, reading.views, &gold, &error);
 *     tolk_head_table_print(&table, stdout);
 *     tolk_head_table_free(&table); */
#ifndef TOLK_INFER_HEAD_TABLE_H
#define TOLK_INFER_HEAD_TABLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "infer/aer.h"
#include "infer/reading.h"

struct tolk_head_table {
    size_t layers, heads;
    struct tolk_attention_view
        *views;           /* [2, layers, heads + 1]: output, input; the last the mean */
    struct tolk_aer *aer; /* likewise */
    size_t count;
};

int tolk_head_table_make(struct tolk_head_table *table, const struct tolk_config *config,
                         struct tolk_error *error);
void tolk_head_table_free(struct tolk_head_table *table);

/* Adds the hard links of a pair's attentions [count], as `views` names them. */
int tolk_head_table_add(struct tolk_head_table *table, const struct tolk_word_attention *attentions,
                        const struct tolk_links *gold, struct tolk_error *error);

/* The rates, the least starred. */
void tolk_head_table_print(const struct tolk_head_table *table, FILE *out);

/* [{"layer", "heads": [0, …], "shift", "aer", "precision", "recall"}, …]; NULL without memory. */
json_t *tolk_head_table_json(const struct tolk_head_table *table);

#endif
