/* Multi-head attention with its projections (section 3.2.2 of the paper), around the stack's own
 * rows or from the decoder to the encoder's output. */
#include "model/blocks.h"

#include "model/layers.h"

/* q, k and v lie one behind the other in the arena (parameters.h), so that they make one product.
 */
static struct tolk_linear qkv_of(const struct tolk_attention_weights *weights)
{
    return weights->q;
}

static struct tolk_linear kv_of(const struct tolk_attention_weights *weights)
{
    return weights->k;
}

static const size_t *rows_of(const struct tolk_pass *pass, enum tolk_stack stack)
{
    return stack == TOLK_ENCODER_STACK ? pass->batch->source_begin : pass->batch->target_begin;
}

/* What self- and cross-attention have in common. */
static struct tolk_attention attention_of(const struct tolk_pass *pass, struct tolk_site site,
                                          const struct tolk_attention_tape *tape)
{
    const struct tolk_config *config = &pass->model->config;
    return (struct tolk_attention){
        .d_model = config->d_model,
        .heads = site.stack == TOLK_ENCODER_STACK ? config->encoder_attention_heads
                                                  : config->decoder_attention_heads,
        .sentences = pass->batch->sentences,
        .query_begin = rows_of(pass, site.stack),
        .q = tape->q,
        .weights = tape->weights,
        .mask = tolk_site_mask(pass, site, TOLK_DROP_ATTENTION),
        .scratch = pass->workspace->scratch,
        .scratch_size = pass->workspace->scratch_size,
    };
}

static struct tolk_attention self_attention_of(const struct tolk_pass *pass, struct tolk_site site,
                                               const struct tolk_attention_tape *tape)
{
    const size_t d = pass->model->config.d_model;
    const bool encoder = site.stack == TOLK_ENCODER_STACK;
    struct tolk_attention attention = attention_of(pass, site, tape);
    attention.key_begin = attention.query_begin;
    attention.causal = !encoder;
    attention.k = tape->q + d;
    attention.v = tape->q + 2 * d;
    attention.ldq = attention.ldk = attention.ldv = 3 * d;
    attention.weight_begin =
        pass->workspace->weight_begin[encoder ? TOLK_ENCODER_SELF : TOLK_DECODER_SELF];
    return attention;
}

static struct tolk_attention cross_attention_of(const struct tolk_pass *pass, struct tolk_site site,
                                                const struct tolk_attention_tape *tape)
{
    const size_t d = pass->model->config.d_model;
    struct tolk_attention attention = attention_of(pass, site, tape);
    attention.key_begin = pass->batch->source_begin;
    attention.k = tape->kv;
    attention.v = tape->kv + d;
    attention.ldq = d;
    attention.ldk = attention.ldv = 2 * d;
    attention.weight_begin = pass->workspace->weight_begin[TOLK_CROSS];
    const struct tolk_guide *guide = pass->batch->guide;
    if (guide != NULL && guide->layer == site.layer && guide->scale != 0) {
        attention.guide = guide;
    }
    return attention;
}

const real *tolk_self_attention_forward(const struct tolk_pass *pass, struct tolk_site site,
                                        const struct tolk_attention_weights *weights,
                                        struct tolk_attention_tape *tape, const real *stream)
{
    const size_t d = pass->model->config.d_model;
    const size_t n = rows_of(pass, site.stack)[pass->batch->sentences];
    const struct tolk_linear qkv = qkv_of(weights);

    tape->input = tolk_sublayer_enter(pass, &weights->norm, &tape->sublayer, n, stream);
    tolk_linear_forward(&qkv, pass->workspace->precision, n, d, 3 * d, tape->input, d, tape->q,
                        3 * d, NULL);
    const struct tolk_attention attention = self_attention_of(pass, site, tape);
    tolk_attention_forward(&attention, tape->context);
    return tolk_sublayer_leave(pass, site, &weights->norm, &tape->sublayer, n, &weights->out, d,
                               tape->context, d);
}

void tolk_self_attention_backward(const struct tolk_pass *pass, struct tolk_site site,
                                  const struct tolk_attention_weights *weights,
                                  struct tolk_attention_weights *gradient,
                                  const struct tolk_attention_tape *tape, real *dstream)
{
    const size_t d = pass->model->config.d_model;
    const size_t n = rows_of(pass, site.stack)[pass->batch->sentences];
    const struct tolk_backward_room *room = &pass->workspace->backward;
    const struct tolk_linear qkv = qkv_of(weights);
    struct tolk_linear dqkv = qkv_of(gradient);

    const real *dbranch = tolk_sublayer_leave_backward(pass, site, &weights->norm, &gradient->norm,
                                                       &tape->sublayer, n, dstream);
    tolk_linear_backward(&weights->out, &gradient->out, pass->workspace->precision, n, d, d,
                         tape->context, d, dbranch, d, TOLK_STORE, room->context, NULL);
    const struct tolk_attention attention = self_attention_of(pass, site, tape);
    tolk_attention_backward(&attention, room->context, room->qkv, room->qkv + d, room->qkv + 2 * d);
    tolk_linear_backward(&qkv, &dqkv, pass->workspace->precision, n, d, 3 * d, tape->input, d,
                         room->qkv, 3 * d, TOLK_STORE, room->input, NULL);
    tolk_sublayer_enter_backward(pass, &weights->norm, &gradient->norm, &tape->sublayer, n,
                                 room->input, dstream);
}

const real *tolk_cross_attention_forward(const struct tolk_pass *pass, struct tolk_site site,
                                         const struct tolk_attention_weights *weights,
                                         struct tolk_attention_tape *tape, const real *stream,
                                         const real *memory)
{
    const size_t d = pass->model->config.d_model;
    const size_t n = tolk_batch_target_rows(pass->batch);
    const size_t source_rows = tolk_batch_source_rows(pass->batch);
    const struct tolk_linear kv = kv_of(weights);

    tape->input = tolk_sublayer_enter(pass, &weights->norm, &tape->sublayer, n, stream);
    tolk_linear_forward(&weights->q, pass->workspace->precision, n, d, d, tape->input, d, tape->q,
                        d, NULL);
    tolk_linear_forward(&kv, pass->workspace->precision, source_rows, d, 2 * d, memory, d, tape->kv,
                        2 * d, NULL);
    const struct tolk_attention attention = cross_attention_of(pass, site, tape);
    tolk_attention_forward(&attention, tape->context);
    return tolk_sublayer_leave(pass, site, &weights->norm, &tape->sublayer, n, &weights->out, d,
                               tape->context, d);
}

void tolk_cross_attention_backward(const struct tolk_pass *pass, struct tolk_site site,
                                   const struct tolk_attention_weights *weights,
                                   struct tolk_attention_weights *gradient,
                                   const struct tolk_attention_tape *tape, real *dstream,
                                   const real *memory, real *dmemory)
{
    const size_t d = pass->model->config.d_model;
    const size_t n = tolk_batch_target_rows(pass->batch);
    const size_t source_rows = tolk_batch_source_rows(pass->batch);
    const struct tolk_backward_room *room = &pass->workspace->backward;
    const struct tolk_linear kv = kv_of(weights);
    struct tolk_linear dkv = kv_of(gradient);
    real *dq = room->qkv; /* [n, d] of it */

    const real *dbranch = tolk_sublayer_leave_backward(pass, site, &weights->norm, &gradient->norm,
                                                       &tape->sublayer, n, dstream);
    tolk_linear_backward(&weights->out, &gradient->out, pass->workspace->precision, n, d, d,
                         tape->context, d, dbranch, d, TOLK_STORE, room->context, NULL);
    const struct tolk_attention attention = cross_attention_of(pass, site, tape);
    tolk_attention_backward(&attention, room->context, dq, room->kv, room->kv + d);
    tolk_linear_backward(&kv, &dkv, pass->workspace->precision, source_rows, d, 2 * d, memory, d,
                         room->kv, 2 * d, TOLK_ACCUMULATE, dmemory, NULL);
    tolk_linear_backward(&weights->q, &gradient->q, pass->workspace->precision, n, d, d,
                         tape->input, d, dq, d, TOLK_STORE, room->input, NULL);
    tolk_sublayer_enter_backward(pass, &weights->norm, &gradient->norm, &tape->sublayer, n,
                                 room->input, dstream);
}
