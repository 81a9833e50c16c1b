/* Embeddings with positions (sections 3.4 and 3.5 of the paper): x = √d · E[id] + P[position]. */
#include "model/blocks.h"

#include <assert.h>
#include <math.h>

#include "model/layers.h"
#include "model/parallel.h"

real tolk_embedding_scale(const struct tolk_config *config)
{
    return config->scale_embedding ? (real)sqrt((double)config->d_model) : 1;
}

static struct tolk_dropout_mask embedding_mask(const struct tolk_pass *pass, enum tolk_stack stack)
{
    return tolk_site_mask(pass, (struct tolk_site){stack, 0, TOLK_EMBEDDING_BLOCK},
                          TOLK_DROP_OUTPUT);
}

void tolk_embedding_forward(const struct tolk_pass *pass, enum tolk_stack stack, const int32_t *ids,
                            const size_t *begin, real *out)
{
    const struct tolk_config *config = &pass->model->config;
    const size_t d = config->d_model;
    const real scale = tolk_embedding_scale(config);
    const size_t sentences = pass->batch->sentences;
#pragma omp parallel for schedule(static) if (begin[sentences] * d >= TOLK_PARALLEL_NUMBERS)
    for (size_t s = 0; s < sentences; s++) {
        for (size_t row = begin[s]; row < begin[s + 1]; row++) {
            assert(ids[row] >= 0 && (size_t)ids[row] < config->vocab_size);
            const real *embedding = pass->model->weights.shared + (size_t)ids[row] * d;
            const real *position = pass->model->positions + (row - begin[s]) * d;
            real *x = out + row * d;
            for (size_t c = 0; c < d; c++) {
                x[c] = scale * embedding[c] + position[c];
            }
        }
    }
    if (pass->dropout != NULL) {
        tolk_dropout_apply(begin[sentences], d, embedding_mask(pass, stack), out, out);
    }
}

void tolk_embedding_backward(const struct tolk_pass *pass, enum tolk_stack stack,
                             const int32_t *ids, const size_t *begin, real *dout, real *dshared)
{
    const struct tolk_config *config = &pass->model->config;
    const size_t d = config->d_model;
    const size_t rows = begin[pass->batch->sentences];
    const real scale = tolk_embedding_scale(config);
    tolk_dropout_apply(rows, d, embedding_mask(pass, stack), dout, dout);
    /* Rows may name the same id, so the columns are what the threads divide. */
#pragma omp parallel if (rows * d >= TOLK_PARALLEL_NUMBERS)
    {
        size_t first, last;
        tolk_share(d, 64 / sizeof(real), &first, &last);
        for (size_t row = 0; row < rows; row++) {
            if (ids[row] == config->pad_token_id) {
                continue;
            }
            real *gradient = dshared + (size_t)ids[row] * d;
            for (size_t c = first; c < last; c++) {
                gradient[c] += scale * dout[row * d + c];
            }
        }
    }
}
