/* The hard links of every head, of the mean over each layer's heads, and of the mean of each head
 * over the layers: what a table of heads compares. */
#ifndef TOLK_INFER_HEAD_LINKS_H
#define TOLK_INFER_HEAD_LINKS_H

#include <stddef.h>

#include "base/error.h"
#include "infer/word_attention.h"

/* A row for each layer and one for their mean, a column for each head and one for their mean. */
static inline size_t tolk_head_links_count(size_t layers, size_t heads)
{
    return (layers + 1) * (heads + 1);
}

/* From attention[layers, heads], all of one pair of sentences, into
 * links[tolk_head_links_count(layers, heads)], which begin empty and are the caller's to free, on
 * an error too. */
int tolk_head_links(const struct tolk_word_attention *attention, size_t layers, size_t heads,
                    struct tolk_links *links, struct tolk_error *error);
void tolk_head_links_free(struct tolk_links *links, size_t layers, size_t heads);

#endif
