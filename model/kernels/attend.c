/* One step of decoding: the attention of one query over a cache, all heads, keys and values read
 * where they lie. */
#include "model/kernels/rows_internal.h"
#include "model/kernels/softmax.h"
#include "model/kernels/transpose.h"

static const real *row_of(const struct tolk_attend *a, const real *x, size_t j)
{
    return x + (a->key_rows != NULL ? (size_t)a->key_rows[j] : j) * a->ld;
}

/* Scores are made in squares: KEYS keys of as many heads as fill a vector with them. */
enum { KEYS = 4, HEADS = TOLK_LANES / KEYS > 0 ? TOLK_LANES / KEYS : 1 };

/* HEADS heads from head h on, of the keys in `rows`. */
static inline __attribute__((always_inline)) tolk_vector
square_of_scores(const struct tolk_attend *a, size_t dim, size_t h, const real *const rows[KEYS])
{
    tolk_vector sums[TOLK_LANES];
    TOLK_UNROLL
    for (size_t i = 0; i < TOLK_LANES; i++) {
        const size_t head = h + i / KEYS < a->heads ? h + i / KEYS : a->heads - 1;
        const real *q = a->q + head * dim;
        const real *k = rows[i % KEYS] + head * dim;
        sums[i] = tolk_load(q) * tolk_load(k);
        for (size_t c = TOLK_LANES; c < dim; c += TOLK_LANES) {
            sums[i] += tolk_load(q + c) * tolk_load(k + c);
        }
    }
    return tolk_sums_of_lanes(sums);
}

static void score_by_vectors(const struct tolk_attend *a)
{
    for (size_t j = 0; j < a->keys; j += KEYS) {
        const real *rows[KEYS];
        for (size_t i = 0; i < KEYS; i++) {
            rows[i] = row_of(a, a->k, j + i < a->keys ? j + i : a->keys - 1);
        }
        for (size_t h = 0; h < a->heads; h += HEADS) {
            /* dim 64 with its loop unrolled: the size of nearly every model */
            const tolk_vector scores = a->dim == 64 ? square_of_scores(a, 64, h, rows)
                                                    : square_of_scores(a, a->dim, h, rows);
            for (size_t i = 0; i < HEADS && h + i < a->heads; i++) {
                memcpy(a->weights + (h + i) * a->ldw + j, (const real *)&scores + i * KEYS,
                       KEYS * sizeof(real));
            }
        }
    }
}

static void score_by_numbers(const struct tolk_attend *a)
{
    for (size_t j = 0; j < a->keys; j++) {
        const real *row = row_of(a, a->k, j);
        for (size_t h = 0; h < a->heads; h++) {
            const real *q = a->q + h * a->dim;
            const real *k = row + h * a->dim;
            real sum = 0;
#pragma omp simd reduction(+ : sum)
            for (size_t c = 0; c < a->dim; c++) {
                sum += q[c] * k[c];
            }
            a->weights[h * a->ldw + j] = sum;
        }
    }
}

/* `vectors` vectors of out from column c on; a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void mix(const struct tolk_attend *a,
                                                      const real *weights, size_t c, size_t vectors)
{
    tolk_vector sums[4] = {{0}};
    for (size_t j = 0; j < a->keys; j++) {
        const real *v = row_of(a, a->v, j) + c;
        TOLK_UNROLL
        for (size_t i = 0; i < vectors; i++) {
            sums[i] += weights[j] * tolk_load(v + i * TOLK_LANES);
        }
    }
    TOLK_UNROLL
    for (size_t i = 0; i < vectors; i++) {
        tolk_store(a->out + c + i * TOLK_LANES, sums[i]);
    }
}

static void mix_by_vectors(const struct tolk_attend *a, size_t h)
{
    const real *weights = a->weights + h * a->ldw;
    size_t c = h * a->dim;
    const size_t end = c + a->dim;
    for (; c + (size_t)4 * TOLK_LANES <= end; c += (size_t)4 * TOLK_LANES) {
        mix(a, weights, c, 4);
    }
    for (; c < end; c += TOLK_LANES) {
        mix(a, weights, c, 1);
    }
}

static void mix_by_numbers(const struct tolk_attend *a, size_t h)
{
    real *out = a->out + h * a->dim;
    memset(out, 0, a->dim * sizeof *out);
    for (size_t j = 0; j < a->keys; j++) {
        const real weight = a->weights[h * a->ldw + j];
        const real *v = row_of(a, a->v, j) + h * a->dim;
#pragma omp simd
        for (size_t c = 0; c < a->dim; c++) {
            out[c] += weight * v[c];
        }
    }
}

void TOLK_KERNEL(tolk_attend)(const struct tolk_attend *a)
{
    const real scale = 1 / (real)sqrt((double)a->dim);
    const size_t width = (a->keys + TOLK_LANES - 1) / TOLK_LANES * TOLK_LANES;
    const bool vectors = a->dim % TOLK_LANES == 0 && TOLK_LANES % KEYS == 0;
    if (vectors) {
        score_by_vectors(a);
    } else {
        score_by_numbers(a);
    }
    tolk_softmax_rows(a->weights, a->ldw, width, a->heads, a->keys, 0, scale);
    for (size_t h = 0; h < a->heads; h++) {
        if (vectors) {
            mix_by_vectors(a, h);
        } else {
            mix_by_numbers(a, h);
        }
    }
}
