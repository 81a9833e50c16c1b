#include "model/inference.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

/* Calls `visit` for each matrix of the weights: its panels, and W [n, k]. */
typedef void visitor(void *context, struct tolk_panels *panels, size_t n, size_t k, const real *w);

static void visit_layer(struct tolk_layer_panels *layer, const struct tolk_attention_weights *self,
                        const struct tolk_attention_weights *cross,
                        const struct tolk_feed_forward_weights *feed_forward, size_t d, size_t f,
                        visitor *visit, void *context)
{
    /* q, k and v lie one behind the other in the arena of the values (parameters.h). */
    visit(context, &layer->self.qkv, 3 * d, d, self->q.weight);
    visit(context, &layer->self.out, d, d, self->out.weight);
    if (cross != NULL) {
        visit(context, &layer->cross.qkv, d, d, cross->q.weight);
        visit(context, &layer->cross.kv, 2 * d, d, cross->k.weight);
        visit(context, &layer->cross.out, d, d, cross->out.weight);
    }
    visit(context, &layer->feed_forward.fc1, f, d, feed_forward->fc1.weight);
    visit(context, &layer->feed_forward.fc2, d, f, feed_forward->fc2.weight);
}

static void visit_all(struct tolk_inference_weights *weights, visitor *visit, void *context)
{
    const struct tolk_config *config = &weights->model->config;
    const struct tolk_weights *values = &weights->model->weights;
    const size_t d = config->d_model;
    for (size_t l = 0; l < config->encoder_layers; l++) {
        visit_layer(&weights->encoder[l], &values->encoder[l].self, NULL,
                    &values->encoder[l].feed_forward, d, config->encoder_ffn_dim, visit, context);
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        visit_layer(&weights->decoder[l], &values->decoder[l].self, &values->decoder[l].cross,
                    &values->decoder[l].feed_forward, d, config->decoder_ffn_dim, visit, context);
    }
    visit(context, &weights->projection, config->vocab_size, d, values->shared);
}

struct packing {
    const struct tolk_model *model;
    enum tolk_panels_format format;
    char *room; /* of the next matrix */
    size_t bytes;
};

static void count_bytes(void *context, struct tolk_panels *panels, size_t n, size_t k,
                        const real *w)
{
    struct packing *packing = context;
    (void)panels;
    (void)w;
    packing->bytes += tolk_panels_bytes(packing->format, n, k);
}

static void pack_one(void *context, struct tolk_panels *panels, size_t n, size_t k, const real *w)
{
    struct packing *packing = context;
    const struct tolk_model *model = packing->model;
    const enum tolk_panels_format format = packing->format;
    char *room = packing->room;
    packing->room += tolk_panels_bytes(format, n, k);
#pragma omp task firstprivate(panels, model, format, n, k, w, room)
    {
        tolk_panels_pack(panels, format, n, k, w, k, room);
        if (model->unwritten && model->mapping.bytes != NULL) {
            tolk_file_forget(&model->mapping, w, n * k * sizeof *w);
        }
    }
}

void tolk_inference_weights_refresh(struct tolk_inference_weights *weights)
{
    struct packing packing = {
        .model = weights->model, .format = weights->format, .room = weights->arena};
#pragma omp parallel
#pragma omp single
    visit_all(weights, pack_one, &packing);
}

struct tolk_inference_weights *tolk_inference_weights_make(const struct tolk_model *model,
                                                           enum tolk_panels_format format,
                                                           struct tolk_error *error)
{
    struct tolk_inference_weights *weights = calloc(1, sizeof *weights);
    struct packing packing = {.format = format};
    if (weights != NULL) {
        weights->model = model;
        weights->format = format;
        weights->encoder = calloc(model->config.encoder_layers + 1, sizeof *weights->encoder);
        weights->decoder = calloc(model->config.decoder_layers + 1, sizeof *weights->decoder);
    }
    if (weights != NULL && weights->encoder != NULL && weights->decoder != NULL) {
        visit_all(weights, count_bytes, &packing);
        weights->arena = tolk_memory_take(packing.bytes);
    }
    if (weights == NULL || weights->arena == NULL) {
        tolk_error_set(error, "out of memory for %zu bytes of packed weights", packing.bytes);
        tolk_inference_weights_free(weights);
        return NULL;
    }
    tolk_inference_weights_refresh(weights);
    return weights;
}

void tolk_inference_weights_free(struct tolk_inference_weights *weights)
{
    if (weights == NULL) {
        return;
    }
    free(weights->arena);
    free(weights->encoder);
    free(weights->decoder);
    free(weights);
}
