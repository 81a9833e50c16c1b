/* The attention of a sentence, or of a corpus, as one page that needs nothing else: no network, no
 * server. The page itself is infer/page/, embedded in the program; the numbers go into it as JSON.
 *
 *     json_t *pairs = json_array();
 *     json_array_append_new(pairs, tolk_page_pair_json(&pair, &error));
 *     json_t *data = tolk_page_json(&page, pairs);
 *     if (tolk_page_write("cat.html", data, &error) != 0) …
 *
 * Tables of weights are 16-bit fractions of 1, vectors 16-bit multiples of a scale; both as base64
 * of little-endian bytes. */
#ifndef TOLK_INFER_PAGE_H
#define TOLK_INFER_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "infer/inspection.h"
#include "infer/search_record.h"
#include "infer/sentence.h"
#include "infer/translator.h"
#include "infer/word_attention.h"
#include "tokenizer/codec.h"

/* A pair of sentences under the glass. */
struct tolk_page_pair {
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
    const struct tolk_inspection *inspection; /* of the two */
    const struct tolk_codec *codec;
    const struct tolk_attention_choice *choice;
    const struct tolk_links *gold; /* NULL: none */
    bool given;                    /* the target was not the model's own */
    bool whole; /* self-attention and vectors too, as many as a page should have */
    const struct tolk_search_record *record;  /* the way to the target; NULL: not to be shown */
    const struct tolk_search_options *search; /* of the record, unless the target was given */
};

/* NULL with an error when there is no memory. */
json_t *tolk_page_pair_json(const struct tolk_page_pair *pair, struct tolk_error *error);

/* "search": the steps of a record, and "pieces": the texts of the ids in it. */
json_t *tolk_page_search_json(const struct tolk_page_pair *pair);
json_t *tolk_page_pieces_json(const struct tolk_search_record *record,
                              const struct tolk_codec *codec);

/* Writes the page with this data (which it releases), whole or not at all. */
int tolk_page_write(const char *path, json_t *data, struct tolk_error *error);

#endif
