/* The hard links that a page shows of a pair: those of every head and mean, of the heads that
 * align, and of posterior attention. */
#ifndef TOLK_INFER_PAGE_LINKS_H
#define TOLK_INFER_PAGE_LINKS_H

#include <stddef.h>

#include "base/error.h"
#include "infer/inspection.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"

/* Where a target word is read: at the step that writes it, or at the one that it enters (shift). */
enum tolk_page_reading { TOLK_PAGE_OUTPUT, TOLK_PAGE_INPUT, TOLK_PAGE_READINGS };

struct tolk_page_links {
    size_t layers;
    size_t heads;
    /* A row for each layer and their mean, a column for each head and their mean, as in
     * tolk_head_links. */
    struct tolk_links *of_heads[TOLK_PAGE_READINGS];
    struct tolk_links alignment[TOLK_PAGE_READINGS];
    struct tolk_links posterior; /* none in a post-norm model */
};

/* Reads the inspection of the two sentences. On an error nothing is left to free. */
int tolk_page_links_read(struct tolk_page_links *links, const struct tolk_inspection *inspection,
                         const struct tolk_sentence *source, const struct tolk_sentence *target,
                         const struct tolk_attention_choice *choice, struct tolk_error *error);
void tolk_page_links_free(struct tolk_page_links *links);

#endif
