/* The encoder: embedding, N × (self-attention, feed-forward), and the last norm of a pre-norm
 * model. */
#include "model/stacks.h"

#include "model/layers.h"

const real *tolk_final_norm_forward(const struct tolk_pass *pass,
                                    const struct tolk_layer_norm *norm,
                                    struct tolk_final_tape *tape, size_t n, const real *stream)
{
    tape->in = stream;
    tape->out = stream;
    if (pass->model->config.normalize_before) {
        tolk_layer_norm_forward(norm, n, pass->model->config.d_model, stream, tape->normed,
                                tape->mean, tape->rstd);
        tape->out = tape->normed;
    }
    return tape->out;
}

void tolk_final_norm_backward(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                              struct tolk_layer_norm *gradient, const struct tolk_final_tape *tape,
                              size_t n, real *dstream)
{
    if (pass->model->config.normalize_before) {
        tolk_layer_norm_backward(norm, gradient, n, pass->model->config.d_model, tape->in,
                                 tape->mean, tape->rstd, dstream, false, dstream,
                                 pass->workspace->backward.partial);
    }
}

static struct tolk_site site_of(size_t layer, enum tolk_block block)
{
    return (struct tolk_site){TOLK_ENCODER_STACK, layer, block};
}

const real *tolk_encoder_forward(const struct tolk_pass *pass)
{
    const struct tolk_weights *weights = &pass->model->weights;
    struct tolk_workspace *workspace = pass->workspace;
    const real *stream = workspace->encoder_embedded;
    tolk_embedding_forward(pass, TOLK_ENCODER_STACK, pass->batch->source, pass->batch->source_begin,
                           workspace->encoder_embedded);
    for (size_t l = 0; l < pass->model->config.encoder_layers; l++) {
        const struct tolk_encoder_layer *layer = &weights->encoder[l];
        struct tolk_encoder_tape *tape = &workspace->encoder[l];
        stream = tolk_self_attention_forward(pass, site_of(l, TOLK_SELF_BLOCK), &layer->self,
                                             &tape->self, stream);
        stream = tolk_feed_forward_forward(pass, site_of(l, TOLK_FEED_FORWARD_BLOCK),
                                           &layer->feed_forward, &tape->feed_forward, stream);
    }
    return tolk_final_norm_forward(pass, &weights->encoder_norm, &workspace->encoder_final,
                                   tolk_batch_source_rows(pass->batch), stream);
}

void tolk_encoder_backward(const struct tolk_pass *pass, real *dmemory,
                           struct tolk_weights *gradients)
{
    const struct tolk_weights *weights = &pass->model->weights;
    struct tolk_workspace *workspace = pass->workspace;
    tolk_final_norm_backward(pass, &weights->encoder_norm, &gradients->encoder_norm,
                             &workspace->encoder_final, tolk_batch_source_rows(pass->batch),
                             dmemory);
    for (size_t l = pass->model->config.encoder_layers; l-- > 0;) {
        const struct tolk_encoder_layer *layer = &weights->encoder[l];
        struct tolk_encoder_layer *gradient = &gradients->encoder[l];
        const struct tolk_encoder_tape *tape = &workspace->encoder[l];
        tolk_feed_forward_backward(pass, site_of(l, TOLK_FEED_FORWARD_BLOCK), &layer->feed_forward,
                                   &gradient->feed_forward, &tape->feed_forward, dmemory);
        tolk_self_attention_backward(pass, site_of(l, TOLK_SELF_BLOCK), &layer->self,
                                     &gradient->self, &tape->self, dmemory);
    }
    tolk_embedding_backward(pass, TOLK_ENCODER_STACK, pass->batch->source,
                            pass->batch->source_begin, dmemory, gradients->shared);
}
