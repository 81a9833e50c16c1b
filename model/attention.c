#include "model/attention.h"

#include <omp.h>

#include "model/deal.h"
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

/* A pass over all blocks; what the two passes do not have is NULL. */
struct pass {
    const struct tolk_attention *attention;
    real *out;
    const real *dout;
    real *dq, *dk, *dv;
};

/* A block and the place of its rows: of the sentence, and the column of the head. */
struct place {
    struct tolk_attention_block block;
    size_t query, key, column;
};

static struct place place_of(const struct tolk_attention *attention, size_t i)
{
    const size_t sentence = i / attention->heads, head = i % attention->heads;
    return (struct place){
        .block = block_of(attention, sentence, head),
        .query = attention->query_begin[sentence],
        .key = attention->key_begin[sentence],
        .column = head * (attention->d_model / attention->heads),
    };
}

static void forward(const struct pass *pass, size_t i, real *scratch)
{
    const struct tolk_attention *attention = pass->attention;
    const size_t d = attention->d_model;
    struct place at = place_of(attention, i);
    look_ahead(attention, i, pass->out, NULL, NULL, NULL, &at.block);
    tolk_isa()->rows->attention_forward(&at.block, pass->out + at.query * d + at.column, d,
                                        scratch);
}

static void backward(const struct pass *pass, size_t i, real *scratch)
{
    const struct tolk_attention *attention = pass->attention;
    const size_t d = attention->d_model;
    struct place at = place_of(attention, i);
    look_ahead(attention, i, pass->dout, pass->dq, pass->dk, pass->dv, &at.block);
    tolk_isa()->rows->attention_backward(&at.block, pass->dout + at.query * d + at.column, d,
                                         pass->dq + at.query * attention->ldq + at.column,
                                         pass->dk + at.key * attention->ldk + at.column,
                                         pass->dv + at.key * attention->ldv + at.column, scratch);
}

/* Runs `work` for each block, on the thread that has its rows in the products too if it can. */
static void each_block(const struct pass *pass,
                       void (*work)(const struct pass *pass, size_t i, real *scratch))
{
    enum { TOGETHER = 8 };
    const struct tolk_attention *attention = pass->attention;
    const size_t blocks = attention->sentences * attention->heads;
    const size_t of_piece = blocks / TOLK_DEAL_PIECES + 1;
    const size_t pieces = (blocks + of_piece - 1) / of_piece;
    const size_t threads = worth_threads(attention) ? (size_t)omp_get_max_threads() : 1;
    struct tolk_deal deal;
    tolk_deal_begin(&deal, threads, pieces, pieces, TOGETHER);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        const size_t thread = (size_t)omp_get_thread_num();
        size_t empty = 0;
        struct tolk_deal_share share;
        while ((share = tolk_deal_next(&deal, thread, 0, &empty)).count > 0) {
            const size_t end = (share.first + share.count) * of_piece;
            for (size_t i = share.first * of_piece; i < end && i < blocks; i++) {
                work(pass, i, attention->scratch + thread * attention->scratch_size);
            }
        }
    }
}

void tolk_attention_forward(const struct tolk_attention *attention, real *out)
{
    each_block(&(struct pass){.attention = attention, .out = out}, forward);
}

void tolk_attention_backward(const struct tolk_attention *attention, const real *dout, real *dq,
                             real *dk, real *dv)
{
    each_block(&(struct pass){attention, NULL, dout, dq, dk, dv}, backward);
}
