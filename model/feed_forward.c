/* The position-wise feed-forward network (section 3.3 of the paper). */
#include "model/blocks.h"

#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/layers.h"

struct sizes {
    size_t n, d, f;
    size_t ldf; /* between rows of f */
};

static struct sizes sizes_of(const struct tolk_pass *pass, enum tolk_stack stack)
{
    const struct tolk_config *config = &pass->model->config;
    const bool encoder = stack == TOLK_ENCODER_STACK;
    const size_t f = encoder ? config->encoder_ffn_dim : config->decoder_ffn_dim;
    return (struct sizes){
        .n = encoder ? tolk_batch_source_rows(pass->batch) : tolk_batch_target_rows(pass->batch),
        .d = config->d_model,
        .f = f,
        .ldf = tolk_gemm_row_distance(f),
    };
}

/* The activation runs over what a product has just made. */
struct activation {
    enum tolk_activation function;
    struct tolk_dropout_mask mask;
    size_t ld;
    const real *x; /* [n, f], as the kernel wants it */
    real *y;       /* [n, f]; backward: dy, which becomes dx */
};

static void activate(const void *context, size_t row, size_t rows, size_t column, size_t columns)
{
    const struct activation *a = context;
    const size_t at = row * a->ld + column;
    tolk_isa()->rows->activation_forward(a->function, rows, columns, a->ld, at, a->mask, a->x + at,
                                         a->y + at);
}

static void activate_backward(const void *context, size_t row, size_t rows, size_t column,
                              size_t columns)
{
    const struct activation *a = context;
    const size_t at = row * a->ld + column;
    tolk_isa()->rows->activation_backward(a->function, rows, columns, a->ld, at, a->mask, a->x + at,
                                          a->y + at, a->y + at);
}

const real *tolk_feed_forward_forward(const struct tolk_pass *pass, struct tolk_site site,
                                      const struct tolk_feed_forward_weights *weights,
                                      struct tolk_feed_forward_tape *tape, const real *stream)
{
    const struct sizes s = sizes_of(pass, site.stack);
    const struct activation activation = {pass->model->config.activation_function,
                                          tolk_site_mask(pass, site, TOLK_DROP_ACTIVATION), s.ldf,
                                          tape->before, tape->hidden};
    const struct tolk_gemm_extras extras = {.finish = activate, .context = &activation};

    tape->input = tolk_sublayer_enter(pass, &weights->norm, &tape->sublayer, s.n, stream);
    tolk_linear_forward(&weights->fc1, pass->workspace->precision, s.n, s.d, s.f, tape->input, s.d,
                        tape->before, s.ldf, &extras);
    return tolk_sublayer_leave(pass, site, &weights->norm, &tape->sublayer, s.n, &weights->fc2, s.f,
                               tape->hidden, s.ldf);
}

void tolk_feed_forward_backward(const struct tolk_pass *pass, struct tolk_site site,
                                const struct tolk_feed_forward_weights *weights,
                                struct tolk_feed_forward_weights *gradient,
                                const struct tolk_feed_forward_tape *tape, real *dstream)
{
    const struct sizes s = sizes_of(pass, site.stack);
    const struct tolk_backward_room *room = &pass->workspace->backward;
    const struct activation activation = {pass->model->config.activation_function,
                                          tolk_site_mask(pass, site, TOLK_DROP_ACTIVATION), s.ldf,
                                          tape->before, room->hidden};
    const struct tolk_gemm_extras extras = {.finish = activate_backward, .context = &activation};

    const real *dbranch = tolk_sublayer_leave_backward(pass, site, &weights->norm, &gradient->norm,
                                                       &tape->sublayer, s.n, dstream);
    tolk_linear_backward(&weights->fc2, &gradient->fc2, pass->workspace->precision, s.n, s.f, s.d,
                         tape->hidden, s.ldf, dbranch, s.d, TOLK_STORE, room->hidden, &extras);
    tolk_linear_backward(&weights->fc1, &gradient->fc1, pass->workspace->precision, s.n, s.d, s.f,
                         tape->input, s.d, room->hidden, s.ldf, TOLK_STORE, room->input, NULL);
    tolk_sublayer_enter_backward(pass, &weights->norm, &gradient->norm, &tape->sublayer, s.n,
                                 room->input, dstream);
}
