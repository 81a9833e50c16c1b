/* What a page says of a corpus: the AER of each head, the words that look most and least certainly,
 * and some pairs themselves: where those words stand, the worst aligned, and the first. */
#ifndef TOLK_INFER_PAGE_CORPUS_H
#define TOLK_INFER_PAGE_CORPUS_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "corpora/gold.h"
#include "corpora/pairs.h"
#include "infer/word_attention.h"
#include "model/model.h"
#include "tokenizer/codec.h"

struct tolk_page_corpus {
    const char *name; /* a title */
    const struct tolk_model *model;
    const struct tolk_codec *codec;
    const struct tolk_attention_choice *choice;
    const struct tolk_pairs *pairs;
    const struct tolk_gold *gold; /* NULL: the pairs' own links, where every pair has some */
    size_t batch_tokens;
    FILE *log; /* names the pairs that were cut to the model's length */
};

/* Adds "corpus" to the data of a page, and to its "pairs" as many as a page should have. */
int tolk_page_corpus_json(const struct tolk_page_corpus *corpus, json_t *data,
                          struct tolk_error *error);

#endif
