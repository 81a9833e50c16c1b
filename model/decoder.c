/* The decoder: embedding, N × (causal self-attention, cross-attention, feed-forward), and the last
 * norm of a pre-norm model. */
#include "model/stacks.h"

static struct tolk_site site_of(size_t layer, enum tolk_block block)
{
    return (struct tolk_site){TOLK_DECODER_STACK, layer, block};
}

const real *tolk_decoder_forward(const struct tolk_pass *pass, const real *memory)
{
    const struct tolk_weights *weights = &pass->model->weights;
    struct tolk_workspace *workspace = pass->workspace;
    const real *stream = workspace->decoder_embedded;
    tolk_embedding_forward(pass, TOLK_DECODER_STACK, pass->batch->target_input,
                           pass->batch->target_begin, workspace->decoder_embedded);
    for (size_t l = 0; l < pass->model->config.decoder_layers; l++) {
        const struct tolk_decoder_layer *layer = &weights->decoder[l];
        struct tolk_decoder_tape *tape = &workspace->decoder[l];
        stream = tolk_self_attention_forward(pass, site_of(l, TOLK_SELF_BLOCK), &layer->self,
                                             &tape->self, stream);
        stream = tolk_cross_attention_forward(pass, site_of(l, TOLK_CROSS_BLOCK), &layer->cross,
                                              &tape->cross, stream, memory);
        stream = tolk_feed_forward_forward(pass, site_of(l, TOLK_FEED_FORWARD_BLOCK),
                                           &layer->feed_forward, &tape->feed_forward, stream);
    }
    return tolk_final_norm_forward(pass, &weights->decoder_norm, &workspace->decoder_final,
                                   tolk_batch_target_rows(pass->batch), stream);
}

void tolk_decoder_backward(const struct tolk_pass *pass, const real *memory, real *dstream,
                           real *dmemory, struct tolk_weights *gradients)
{
    const struct tolk_weights *weights = &pass->model->weights;
    struct tolk_workspace *workspace = pass->workspace;
    tolk_final_norm_backward(pass, &weights->decoder_norm, &gradients->decoder_norm,
                             &workspace->decoder_final, tolk_batch_target_rows(pass->batch),
                             dstream);
    for (size_t l = pass->model->config.decoder_layers; l-- > 0;) {
        const struct tolk_decoder_layer *layer = &weights->decoder[l];
        struct tolk_decoder_layer *gradient = &gradients->decoder[l];
        const struct tolk_decoder_tape *tape = &workspace->decoder[l];
        tolk_feed_forward_backward(pass, site_of(l, TOLK_FEED_FORWARD_BLOCK), &layer->feed_forward,
                                   &gradient->feed_forward, &tape->feed_forward, dstream);
        tolk_cross_attention_backward(pass, site_of(l, TOLK_CROSS_BLOCK), &layer->cross,
                                      &gradient->cross, &tape->cross, dstream, memory, dmemory);
        tolk_self_attention_backward(pass, site_of(l, TOLK_SELF_BLOCK), &layer->self,
                                     &gradient->self, &tape->self, dstream);
    }
    tolk_embedding_backward(pass, TOLK_DECODER_STACK, pass->batch->target_input,
                            pass->batch->target_begin, dstream, gradients->shared);
}
