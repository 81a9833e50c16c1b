/* Drafted search of one sentence: several steps of it by one pass.
 *
 * A step for a few rows reads all weights of the decoder once, which takes much longer than the
 * arithmetic, and for a dozen rows hardly longer than for one. So the search is first run ahead
 * with the same weights in 8-bit integers, a quarter of the bytes, and then all rows that it went
 * through are evaluated by one pass in real numbers. The search proper goes its way over those
 * logits, and where it wants a row that the draft did not foresee, the draft goes on from there.
 *
 * Nothing of the draft is left in what is found: a row's logits depend on its past alone, so they
 * are to the bit those of step after step.
 *
 * References: Leviathan et al., Fast inference from transformers via speculative decoding (2023);
 * Chen et al., Accelerating large language model decoding with speculative sampling (2023). */
#ifndef TOLK_INFER_DRAFT_H
#define TOLK_INFER_DRAFT_H

#include <stdbool.h>

#include "base/error.h"
#include "infer/beams.h"
#include "model/batch.h"
#include "model/decoding.h"
#include "model/inference.h"

struct tolk_drafter;

/* Rows that one pass evaluates: some tiles of the products. More would make a row no cheaper, and
 * be lost together where the draft went wrong. No wider beam is drafted. */
enum { TOLK_DRAFT_ROWS = 56 };

/* `weights` are those of the decoding, `quick` those of its drafts
 * (tolk_inference_weights_make_draft); all are lent. */
struct tolk_drafter *tolk_drafter_create(struct tolk_decoding *decoding,
                                         const struct tolk_inference_weights *weights,
                                         const struct tolk_inference_weights *quick,
                                         struct tolk_error *error);
void tolk_drafter_free(struct tolk_drafter *drafter);

/* Runs the beam of the one sentence of `batch`, whose encoding is `memory`, to its end. Passes find
 * the `greatest` logits alone where those are enough and the weights have a screening. */
int tolk_drafter_search(struct tolk_drafter *drafter, const real *memory,
                        const struct tolk_batch *batch, struct tolk_beams *beams, bool greatest,
                        const struct tolk_search_observer *observer, struct tolk_error *error);

struct tolk_draft_counts tolk_drafter_counts(const struct tolk_drafter *drafter);

#endif
