/* The position-wise feed-forward network (section 3.3 of the paper). */
#include "model/blocks.h"

#include "model/layers.h"

struct sizes {
    size_t n, d, f;
};

static struct sizes sizes_of(const struct tolk_pass *pass, enum tolk_stack stack)
{
    const struct tolk_config *config = &pass->model->config;
    const bool encoder = stack == TOLK_ENCODER_STACK;
    return (struct sizes){
        .n = encoder ? tolk_batch_source_rows(pass->batch) : tolk_batch_target_rows(pass->batch),
        .d = config->d_model,
        .f = encoder ? config->encoder_ffn_dim : config->decoder_ffn_dim,
    };
}

const real *tolk_feed_forward_forward(const struct tolk_pass *pass, struct tolk_site site,
                                      const struct tolk_feed_forward_weights *weights,
                                      struct tolk_feed_forward_tape *tape, const real *stream)
{
    const struct sizes s = sizes_of(pass, site.stack);
    real *branch = pass->workspace->branch;

    tape->input = tolk_sublayer_enter(pass, &weights->norm, &tape->sublayer, s.n, stream);
    tolk_linear_forward(&weights->fc1, pass->workspace->precision, s.n, s.d, s.f, tape->input,
                        tape->before);
    tolk_activation_forward(pass->model->config.activation_function, s.n, s.f,
                            tolk_site_mask(pass, site, TOLK_DROP_ACTIVATION), tape->before,
                            tape->hidden);
    tolk_linear_forward(&weights->fc2, pass->workspace->precision, s.n, s.f, s.d, tape->hidden,
                        branch);
    return tolk_sublayer_leave(pass, site, &weights->norm, &tape->sublayer, s.n, branch);
}

void tolk_feed_forward_backward(const struct tolk_pass *pass, struct tolk_site site,
                                const struct tolk_feed_forward_weights *weights,
                                struct tolk_feed_forward_weights *gradient,
                                const struct tolk_feed_forward_tape *tape, real *dstream)
{
    const struct sizes s = sizes_of(pass, site.stack);
    const struct tolk_backward_room *room = &pass->workspace->backward;
    struct tolk_linear weight_only = {.weight = gradient->fc1.weight}; /* the bias comes earlier */

    tolk_sublayer_leave_backward(pass, site, &weights->norm, &gradient->norm, &tape->sublayer, s.n,
                                 dstream, room->branch);
    tolk_linear_backward(&weights->fc2, &gradient->fc2, pass->workspace->precision, s.n, s.f, s.d,
                         tape->hidden, room->branch, TOLK_STORE, room->hidden);
    tolk_activation_backward(pass->model->config.activation_function, s.n, s.f,
                             tolk_site_mask(pass, site, TOLK_DROP_ACTIVATION), tape->before,
                             room->hidden, room->hidden, room->partial, gradient->fc1.bias);
    tolk_linear_backward(&weights->fc1, &weight_only, pass->workspace->precision, s.n, s.d, s.f,
                         tape->input, room->hidden, TOLK_STORE, room->input);
    tolk_sublayer_enter_backward(pass, &weights->norm, &gradient->norm, &tape->sublayer, s.n,
                                 room->input, dstream);
}
