/* From lines of text to translations: tokens → encoder → search over decoder steps → text.
 *
 *     struct tolk_translator_options options = tolk_translator_options_default(&model.config);
 *     struct tolk_translator *translator =
 *         tolk_translator_create(&model, codec, &options, &error);
 *     char *english[2] = {0};
 *     const char *const dutch[2] = {"De kat zit op de mat.", "Het regent."};
 *     if (translator == NULL || tolk_translator_best(translator, dutch, 2, english, &error) != 0) …
 *     tolk_translator_free(translator);
 *
 * Lines are sorted by length, translated in batches, whole batches to each thread, and given back
 * in order: a line's translation depends neither on the lines around it nor on the threads. A blank
 * line becomes an empty one. A line of more pieces than the model has positions is translated up to
 * there. */
#ifndef TOLK_INFER_TRANSLATOR_H
#define TOLK_INFER_TRANSLATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "infer/reading.h"
#include "infer/search.h"
#include "infer/sentence.h"
#include "model/inference.h"
#include "model/model.h"

struct tolk_translator;

/* Each hypothesis has a row of logits and a cache of its own, so a batch holds at most so many:
 * fewer sentences when the beam is wide, but always one. */
enum { TOLK_TRANSLATOR_BATCH_TOKENS = 512, TOLK_TRANSLATOR_BATCH_ROWS = 2048 };

struct tolk_translator_options {
    struct tolk_search_options search;
    enum tolk_panels_format precision; /* of the products; real numbers by default */
    /* The model's matrices packed in this precision, lent; NULL: the translator packs its own. */
    struct tolk_inference_weights *weights;
    const struct tolk_search_observer *observer; /* of the searches; NULL: none */
    size_t batch_tokens;                         /* source pieces in a batch */
    bool words;     /* fill in the words and the scores of words and pieces */
    bool attention; /* and the attention, as `choice` reads it, and more views (reading.h) */
    struct tolk_attention_choice choice;
    const struct tolk_attention_view *views; /* [view_count] */
    size_t view_count;
    enum tolk_unit unit;
};

/* Beam and length penalty as the model's config suggests them, no attention. */
struct tolk_translator_options tolk_translator_options_default(const struct tolk_config *config);

struct tolk_translation {
    struct tolk_sentence sentence; /* its words only where they are wanted */
    double normalised_score;       /* reading.score / pieces^length_penalty */
    struct tolk_reading reading;
};

/* What became of one line: the best translations, best first. A blank line has one, empty. */
struct tolk_translated {
    struct tolk_sentence source; /* sentence.pieces < sentence.all_pieces: it was cut */
    struct tolk_translation *items;
    size_t count;
};

/* The model and the codec are used, not copied, and must outlive the translator, which packs the
 * matrices of the model: tolk_translator_refresh after its values changed. NULL with an error when
 * there is no memory, the vocabulary does not fit the model (tolk_sentence_check_codec), or the
 * choice names a layer or head that the model lacks. */
struct tolk_translator *tolk_translator_create(const struct tolk_model *model,
                                               const struct tolk_codec *codec,
                                               const struct tolk_translator_options *options,
                                               struct tolk_error *error);
void tolk_translator_free(struct tolk_translator *translator);

/* Takes over the values of the model, which changed. */
void tolk_translator_refresh(struct tolk_translator *translator);

/* Translates `count` lines (UTF-8, no newline) into results[count]; on an error none is left to
 * free. */
int tolk_translator_run(struct tolk_translator *translator, const char *const *lines, size_t count,
                        struct tolk_translated *results, struct tolk_error *error);
void tolk_translated_free(struct tolk_translated *translated);

/* The best translation of each line alone, in fresh memory. On an error all are NULL. */
int tolk_translator_best(struct tolk_translator *translator, const char *const *lines, size_t count,
                         char **translations, struct tolk_error *error);

#endif
