#include "model/attention.h"

#include <omp.h>

#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/parallel.h"

size_t tolk_attention_scratch_size(size_t queries, size_t keys, size_t head_dim)
{
    const size_t widest = 64 / sizeof(real); /* lanes of the widest vector */
    const size_t width = (keys + widest - 1) / widest * widest;
    return head_dim * width + 2 * queries * width;
}

static struct tolk_attention_block block_of(const struct tolk_attention *attention, size_t sentence,
                                            size_t head)
{
    const size_t dim = attention->d_model / attention->heads;
    const size_t query = attention->query_begin[sentence];
    const size_t key = attention->key_begin[sentence];
    const size_t queries = attention->query_begin[sentence + 1] - query;
    const size_t keys = attention->key_begin[sentence + 1] - key;
    const size_t weight =
        attention->heads * attention->weight_begin[sentence] + head * queries * keys;
    struct tolk_attention_block block = {
        .queries = queries,
        .keys = keys,
        .dim = dim,
        .causal = attention->causal,
        .q = attention->q + query * attention->ldq + head * dim,
        .k = attention->k + key * attention->ldk + head * dim,
        .v = attention->v + key * attention->ldv + head * dim,
        .ldq = attention->ldq,
        .ldk = attention->ldk,
        .ldv = attention->ldv,
        .weights = attention->weights + weight,
        .mask = attention->mask,
        .mask_index = (uint32_t)weight,
    };
    if (attention->guide != NULL && attention->guide->head == head) {
        block.guide = (struct tolk_guide_rows){
            attention->guide->begin + query, attention->guide->keys, (real)attention->guide->scale};
    }
    return block;
}

/* What the block after block i reads and writes: out, or dout, [query rows, d_model], and in the
 * backward pass dq, dk and dv, else NULL. */
static void look_ahead(const struct tolk_attention *attention, size_t i, const real *out,
                       const real *dq, const real *dk, const real *dv,
                       struct tolk_attention_block *block)
{
    const size_t sentence = (i + 1) / attention->heads;
    const size_t column = (i + 1) % attention->heads * block->dim;
    if (sentence >= attention->sentences) {
        return;
    }
    const size_t query = attention->query_begin[sentence], key = attention->key_begin[sentence];
    const size_t queries = attention->query_begin[sentence + 1] - query;
    const size_t keys = attention->key_begin[sentence + 1] - key;
    const size_t d = attention->d_model, ldq = attention->ldq;
    const size_t ldk = attention->ldk, ldv = attention->ldv;
    struct tolk_rows_ahead *ahead = block->ahead;
    *ahead++ = (struct tolk_rows_ahead){attention->k + key * ldk + column, keys, ldk};
    *ahead++ = (struct tolk_rows_ahead){attention->q + query * ldq + column, queries, ldq};
    *ahead++ = (struct tolk_rows_ahead){attention->v + key * ldv + column, keys, ldv};
    *ahead++ = (struct tolk_rows_ahead){out + query * d + column, queries, d};
    if (dq != NULL) {
        *ahead++ = (struct tolk_rows_ahead){dv + key * ldv + column, keys, ldv};
        *ahead++ = (struct tolk_rows_ahead){dq + query * ldq + column, queries, ldq};
        *ahead++ = (struct tolk_rows_ahead){dk + key * ldk + column, keys, ldk};
    }
    block->ahead_count = (size_t)(ahead - block->ahead);
}

static int worth_threads(const struct tolk_attention *attention)
{
    return attention->query_begin[attention->sentences] * attention->d_model >=
           TOLK_PARALLEL_NUMBERS;
}

void tolk_attention_forward(const struct tolk_attention *attention, real *out)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
    const size_t dim = attention->d_model / attention->heads;
    const size_t blocks = attention->sentences * attention->heads;
#pragma omp parallel for schedule(dynamic, 8) if (worth_threads(attention))
    for (size_t i = 0; i < blocks; i++) {
        const size_t sentence = i / attention->heads;
        const size_t head = i % attention->heads;
        struct tolk_attention_block block = block_of(attention, sentence, head);
        look_ahead(attention, i, out, NULL, NULL, NULL, &block);
        const size_t row = attention->query_begin[sentence];
        kernels->attention_forward(
            &block, out + row * attention->d_model + head * dim, attention->d_model,
            attention->scratch + (size_t)omp_get_thread_num() * attention->scratch_size);
    }
}

void tolk_attention_backward(const struct tolk_attention *attention, const real *dout, real *dq,
                             real *dk, real *dv)
{
    const struct tolk_row_kernels *kernels = tolk_isa()->rows;
    const size_t dim = attention->d_model / attention->heads;
    const size_t blocks = attention->sentences * attention->heads;
#pragma omp parallel for schedule(dynamic, 8) if (worth_threads(attention))
    for (size_t i = 0; i < blocks; i++) {
        const size_t sentence = i / attention->heads;
        const size_t head = i % attention->heads;
        struct tolk_attention_block block = block_of(attention, sentence, head);
        look_ahead(attention, i, dout, dq, dk, dv, &block);
        const size_t query = attention->query_begin[sentence];
        const size_t key = attention->key_begin[sentence];
        kernels->attention_backward(
            &block, dout + query * attention->d_model + head * dim, attention->d_model,
            dq + query * attention->ldq + head * dim, dk + key * attention->ldk + head * dim,
            dv + key * attention->ldv + head * dim,
            attention->scratch + (size_t)omp_get_thread_num() * attention->scratch_size);
    }
}
