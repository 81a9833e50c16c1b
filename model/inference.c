#include "model/inference.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/isa.h"
#include "model/vocabulary_cut.h"

/* Of the sentence that is translated: a matrix of the source's side multiplies it once, one of the
 * target's side in each step, and so does the output projection. */
enum side { SOURCE, TARGET, OUTPUT, SIDES };

/* Calls `visit` for each matrix of the weights: its panels, and W [n, k]. */
typedef void visitor(void *context, enum side side, struct tolk_panels *panels, size_t n, size_t k,
                     const real *w);

static void visit_layer(enum side side, struct tolk_layer_panels *layer,
                        const struct tolk_attention_weights *self,
                        const struct tolk_attention_weights *cross,
                        const struct tolk_feed_forward_weights *feed_forward, size_t d, size_t f,
                        visitor *visit, void *context)
{
    /* q, k and v lie one behind the other in the arena of the values (parameters.h). */
    visit(context, side, &layer->self.qkv, 3 * d, d, self->q.weight);
    visit(context, side, &layer->self.out, d, d, self->out.weight);
    if (side == TARGET) {
        visit(context, TARGET, &layer->cross.qkv, d, d, cross->q.weight);
        visit(context, SOURCE, &layer->cross.kv, 2 * d, d, cross->k.weight);
        visit(context, TARGET, &layer->cross.out, d, d, cross->out.weight);
    }
    visit(context, side, &layer->feed_forward.fc1, f, d, feed_forward->fc1.weight);
    visit(context, side, &layer->feed_forward.fc2, d, f, feed_forward->fc2.weight);
}

/* `rows` are those of the projection [outputs, d]. */
static void visit_all(struct tolk_inference_weights *weights, const real *rows, visitor *visit,
                      void *context)
{
    const struct tolk_config *config = &weights->model->config;
    const struct tolk_weights *values = &weights->model->weights;
    const size_t d = config->d_model;
    for (size_t l = 0; weights->encoder != NULL && l < config->encoder_layers; l++) {
        visit_layer(SOURCE, &weights->encoder[l], &values->encoder[l].self, NULL,
                    &values->encoder[l].feed_forward, d, config->encoder_ffn_dim, visit, context);
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        visit_layer(TARGET, &weights->decoder[l], &values->decoder[l].self,
                    &values->decoder[l].cross, &values->decoder[l].feed_forward, d,
                    config->decoder_ffn_dim, visit, context);
    }
    visit(context, OUTPUT, &weights->projection, weights->outputs, d, rows);
}

struct packing {
    const struct tolk_model *model;
    enum tolk_panels_format format;
    bool deferred[SIDES]; /* the sides whose matrices are packed later */
    bool rest;            /* those alone that were */
    char *room;           /* of the next matrix */
    size_t bytes;
};

static void count_bytes(void *context, enum side side, struct tolk_panels *panels, size_t n,
                        size_t k, const real *w)
{
    struct packing *packing = context;
    (void)side;
    (void)panels;
    (void)w;
    packing->bytes += tolk_panels_bytes(packing->format, n, k);
}

static void pack_one(void *context, enum side side, struct tolk_panels *panels, size_t n, size_t k,
                     const real *w)
{
    struct packing *packing = context;
    const struct tolk_model *model = packing->model;
    const enum tolk_panels_format format = packing->format;
    char *room = packing->room;
    packing->room += tolk_panels_bytes(format, n, k);
    if (packing->deferred[side]) {
        tolk_panels_defer(panels, n, k, w, k);
        return;
    }
    if (packing->rest && panels->deferred == NULL) {
        return;
    }
#pragma omp task firstprivate(panels, model, format, n, k, w, room)
    {
        tolk_panels_pack(panels, format, n, k, w, k, room);
        const bool mapped = w >= model->values && w < model->values + model->layout.size;
        if (mapped && model->unwritten && model->mapping.bytes != NULL) {
            tolk_file_forget(&model->mapping, w, n * k * sizeof *w);
        }
    }
}

static void pack(struct tolk_inference_weights *weights, const real *rows, struct packing packing)
{
    packing.model = weights->model;
    packing.format = weights->format;
    packing.room = weights->arena;
#pragma omp parallel
#pragma omp single
    visit_all(weights, rows, pack_one, &packing);
    weights->partly = packing.deferred[SOURCE];
}

void tolk_inference_weights_refresh(struct tolk_inference_weights *weights)
{
    assert(weights->output_ids == NULL);
    pack(weights, weights->model->weights.shared, (struct packing){.rest = false});
    if (weights->screening != NULL) {
        tolk_screening_free(weights->screening);
        weights->screening = NULL;
        tolk_inference_weights_screen(weights);
    }
}

void tolk_inference_weights_screen(struct tolk_inference_weights *weights)
{
    const bool bytes = weights->projection.int8 != NULL;
    if (weights->screening == NULL && (bytes || weights->screening_room != NULL)) {
        struct tolk_error unscreened; /* is slower, and no failure */
        weights->screening =
            tolk_screening_make(&weights->projection, weights->model->weights.shared,
                                weights->output_bias, weights->screening_room, &unscreened);
    }
}

void tolk_inference_weights_complete(struct tolk_inference_weights *weights)
{
    if (weights->partly) {
        pack(weights, weights->model->weights.shared, (struct packing){.rest = true});
    }
}

/* Without panels yet; NULL when there is no memory. */
static struct tolk_inference_weights *weights_begin(const struct tolk_model *model,
                                                    enum tolk_panels_format format, bool encoder)
{
    struct tolk_inference_weights *weights = calloc(1, sizeof *weights);
    if (weights == NULL) {
        return NULL;
    }
    weights->model = model;
    weights->format = format;
    weights->output_bias = model->weights.final_logits_bias;
    weights->outputs = model->config.vocab_size;
    weights->decoder = calloc(model->config.decoder_layers + 1, sizeof *weights->decoder);
    if (encoder) {
        weights->encoder = calloc(model->config.encoder_layers + 1, sizeof *weights->encoder);
    }
    if (weights->decoder == NULL || (encoder && weights->encoder == NULL)) {
        tolk_inference_weights_free(weights);
        return NULL;
    }
    return weights;
}

/* Room behind the panels of real numbers, unless they are for drafts. Where nothing is screened it
 * is not touched, and the system gives no pages for it. */
static size_t screening_bytes(const struct tolk_inference_weights *weights)
{
    const bool screenable = weights->format == TOLK_PANELS_REAL && weights->output_ids == NULL;
    return screenable ? tolk_screening_bytes(weights->outputs, weights->model->config.d_model) : 0;
}

/* Takes the room of the panels, or frees the weights and gives NULL. */
static struct tolk_inference_weights *weights_take_room(struct tolk_inference_weights *weights,
                                                        const real *rows, struct tolk_error *error)
{
    struct packing packing = {0};
    if (weights != NULL) {
        packing.format = weights->format;
        visit_all(weights, rows, count_bytes, &packing);
        const size_t screening = screening_bytes(weights);
        char *const arena = tolk_memory_take(packing.bytes + screening);
        weights->arena = arena;
        weights->screening_room = arena != NULL && screening > 0 ? arena + packing.bytes : NULL;
    }
    if (weights == NULL || weights->arena == NULL) {
        tolk_error_set(error, "out of memory for %zu bytes of packed weights", packing.bytes);
        tolk_inference_weights_free(weights);
        return NULL;
    }
    return weights;
}

struct tolk_inference_weights *
tolk_inference_weights_make_partly(const struct tolk_model *model, enum tolk_panels_format format,
                                   enum tolk_inference_packing packed, struct tolk_error *error)
{
    const real *rows = model->weights.shared;
    const bool all = packed == TOLK_PACKED_ALL || format != TOLK_PANELS_REAL;
    struct tolk_inference_weights *weights =
        weights_take_room(weights_begin(model, format, true), rows, error);
    if (weights != NULL) {
        pack(weights, rows,
             (struct packing){.deferred = {[SOURCE] = !all,
                                           [TARGET] = !all && packed == TOLK_PACKED_NONE,
                                           [OUTPUT] = !all && packed != TOLK_PACKED_TARGET}});
    }
    return weights;
}

struct tolk_inference_weights *tolk_inference_weights_make(const struct tolk_model *model,
                                                           enum tolk_panels_format format,
                                                           struct tolk_error *error)
{
    return tolk_inference_weights_make_partly(model, format, TOLK_PACKED_ALL, error);
}

/* Cuts the vocabulary; the rows of the embedding that are left, or NULL. */
static real *cut_outputs(struct tolk_inference_weights *weights)
{
    const struct tolk_model *model = weights->model;
    const size_t d = model->config.d_model;
    const real *bias = model->weights.final_logits_bias;
    weights->output_ids = malloc(weights->outputs * sizeof *weights->output_ids);
    if (weights->output_ids == NULL) {
        return NULL;
    }
    const size_t kept = tolk_vocabulary_cut(bias, weights->outputs, model->config.eos_token_id,
                                            weights->output_ids);
    weights->outputs = kept;
    weights->output_bias = weights->draft_bias = malloc(kept * sizeof *weights->draft_bias);
    real *rows = tolk_memory_take(kept * d * sizeof *rows);
    if (weights->draft_bias == NULL || rows == NULL) {
        free(rows);
        return NULL;
    }
    for (size_t i = 0; i < kept; i++) {
        const size_t id = (size_t)weights->output_ids[i];
        memcpy(rows + i * d, model->weights.shared + id * d, d * sizeof *rows);
        weights->draft_bias[i] = bias[id];
    }
    return rows;
}

struct tolk_inference_weights *tolk_inference_weights_make_draft(const struct tolk_model *model,
                                                                 enum tolk_panels_format format,
                                                                 struct tolk_error *error)
{
    struct tolk_inference_weights *weights = weights_begin(model, format, false);
    real *rows = weights != NULL ? cut_outputs(weights) : NULL;
    if (rows == NULL) {
        tolk_inference_weights_free(weights);
        tolk_error_set(error, "out of memory for the vocabulary of drafts");
        return NULL;
    }
    weights = weights_take_room(weights, rows, error);
    if (weights != NULL) {
        pack(weights, rows, (struct packing){.rest = false});
    }
    free(rows);
    return weights;
}

bool tolk_inference_weights_draftable(const struct tolk_inference_weights *weights)
{
    /* Twice what a core's second-level cache holds today; reckoned, not measured. */
    enum { LEAST_BYTES = 4 << 20 };
    const struct tolk_config *config = &weights->model->config;
    const size_t d = config->d_model;
    const size_t numbers = config->decoder_layers * (6 * d * d + 2 * d * config->decoder_ffn_dim) +
                           config->vocab_size * d;
    return weights->format == TOLK_PANELS_REAL && tolk_isa()->int8 != NULL &&
           numbers * sizeof(real) >= LEAST_BYTES;
}

void tolk_inference_weights_free(struct tolk_inference_weights *weights)
{
    if (weights == NULL) {
        return;
    }
    tolk_screening_free(weights->screening);
    free(weights->arena);
    free(weights->encoder);
    free(weights->decoder);
    free(weights->output_ids);
    free(weights->draft_bias);
    free(weights);
}
