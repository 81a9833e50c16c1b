/* A residual connection around each block: LayerNorm(x + Sublayer(x)) as the paper has it
 * (section 3.1), or x + Sublayer(LayerNorm(x)) where the norm stands before (Xiong et al. 2020). */
#include "model/blocks.h"

#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/layers.h"

enum { SITES_A_LAYER = 16, SITES_A_BLOCK = 4 };

struct tolk_dropout_mask tolk_site_mask(const struct tolk_pass *pass, struct tolk_site site,
                                        enum tolk_dropout_place place)
{
    const struct tolk_config *config = &pass->model->config;
    const double rates[] = {config->dropout, config->attention_dropout, config->activation_dropout};
    const uint64_t layer = (uint64_t)site.stack * TOLK_MAX_LAYERS + site.layer;
    const uint64_t index = layer * SITES_A_LAYER + (uint64_t)site.block * SITES_A_BLOCK + place;
    return tolk_dropout_mask(pass->dropout, index, rates[place]);
}

const real *tolk_sublayer_enter(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                                struct tolk_sublayer_tape *tape, size_t n, const real *stream)
{
    const struct tolk_config *config = &pass->model->config;
    tape->in = stream;
    if (!config->normalize_before) {
        return stream;
    }
    tolk_layer_norm_forward(norm, n, config->d_model, stream, tape->normed, tape->mean, tape->rstd);
    return tape->normed;
}

struct junction {
    struct tolk_dropout_mask mask;
    size_t d;
    const real *in; /* [n, d] */
    real *sum;      /* [n, d]: the branch, then in + dropout(branch) */
};

static void join(const void *context, size_t row, size_t rows, size_t column, size_t columns)
{
    const struct junction *junction = context;
    const size_t at = row * junction->d + column;
    real *sum = junction->sum + at;
    tolk_isa()->rows->residual(rows, columns, junction->d, at, junction->mask, junction->in + at,
                               sum, sum);
}

const real *tolk_sublayer_leave(const struct tolk_pass *pass, struct tolk_site site,
                                const struct tolk_layer_norm *norm, struct tolk_sublayer_tape *tape,
                                size_t n, const struct tolk_linear *out, size_t width,
                                const real *x, size_t ldx)
{
    const struct tolk_config *config = &pass->model->config;
    const size_t d = config->d_model;
    const struct junction junction = {tolk_site_mask(pass, site, TOLK_DROP_OUTPUT), d, tape->in,
                                      tape->sum};
    const struct tolk_gemm_extras extras = {.finish = join, .context = &junction};
    tolk_linear_forward(out, pass->workspace->precision, n, width, d, x, ldx, tape->sum, d,
                        &extras);
    if (config->normalize_before) {
        return tape->sum;
    }
    tolk_layer_norm_forward(norm, n, d, tape->sum, tape->normed, tape->mean, tape->rstd);
    return tape->normed;
}

const real *tolk_sublayer_leave_backward(const struct tolk_pass *pass, struct tolk_site site,
                                         const struct tolk_layer_norm *norm,
                                         struct tolk_layer_norm *gradient,
                                         const struct tolk_sublayer_tape *tape, size_t n,
                                         real *dstream)
{
    const struct tolk_config *config = &pass->model->config;
    const struct tolk_dropout_mask mask = tolk_site_mask(pass, site, TOLK_DROP_OUTPUT);
    real *dbranch = pass->workspace->backward.branch;
    if (!config->normalize_before) {
        tolk_layer_norm_backward(norm, gradient, n, config->d_model, tape->sum, tape->mean,
                                 tape->rstd, dstream, false, dstream,
                                 pass->workspace->backward.partial);
    }
    if (mask.threshold == 0) {
        return dstream;
    }
    tolk_dropout_apply(n, config->d_model, mask, dstream, dbranch);
    return dbranch;
}

void tolk_sublayer_enter_backward(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                                  struct tolk_layer_norm *gradient,
                                  const struct tolk_sublayer_tape *tape, size_t n,
                                  const real *dinput, real *dstream)
{
    const struct tolk_config *config = &pass->model->config;
    const struct tolk_dropout_mask none = {.threshold = 0, .scale = 1};
    if (config->normalize_before) {
        tolk_layer_norm_backward(norm, gradient, n, config->d_model, tape->in, tape->mean,
                                 tape->rstd, dinput, true, dstream,
                                 pass->workspace->backward.partial);
    } else {
        tolk_residual(n, config->d_model, none, dstream, dinput, dstream);
    }
}
