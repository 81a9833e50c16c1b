/* The attention of a sentence, or of a corpus, as one page that needs nothing else: no network, no
 * server. The page itself is infer/page/, embedded in the program; the numbers go into it as JSON.
 *
 *     const struct tolk_page_model about = {"model", &model.config, &choice};
 *     json_t *data = tolk_page_json(&about);
 *     json_array_append_new(json_object_get(data, "pairs"), tolk_page_pair_json(&pair, &links));
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
#include "infer/page_links.h"
#include "infer/search_record.h"
#include "infer/sentence.h"
#include "infer/word_attention.h"
#include "model/config.h"
#include "tokenizer/codec.h"

/* A pair of sentences under the glass. */
struct tolk_page_pair {
    const struct tolk_sentence *source;
    const struct tolk_sentence *target;
    const struct tolk_inspection *inspection; /* of the two */
    const struct tolk_codec *codec;
    size_t alignment_layer;        /* its vectors come first */
    const struct tolk_links *gold; /* NULL: none */
    bool given;                    /* the target was not the model's own */
    bool whole; /* self-attention and vectors too, as many as a page should have */
    const struct tolk_search_record *record;  /* the way to the target; NULL: not to be shown */
    const struct tolk_search_options *search; /* of the record, unless the target was given */
};

/* The model that a page is about. */
struct tolk_page_model {
    const char *name;
    const struct tolk_config *config;
    const struct tolk_attention_choice *choice; /* what the page calls the alignment */
};

/* What every page says of the model, and "pairs": [], to which those of the page are added. */
json_t *tolk_page_json(const struct tolk_page_model *about);

json_t *tolk_page_pair_json(const struct tolk_page_pair *pair, const struct tolk_page_links *links);

/* "search": the steps of a record, and "pieces": the texts of the ids in it. */
json_t *tolk_page_search_json(const struct tolk_page_pair *pair);
json_t *tolk_page_pieces_json(const struct tolk_search_record *record,
                              const struct tolk_codec *codec);

/* Writes the page with this data (which it releases), whole or not at all. */
int tolk_page_write(const char *path, json_t *data, struct tolk_error *error);

#endif
