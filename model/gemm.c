#include "model/gemm.h"

#include <assert.h>
#include <omp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "model/deal.h"
#include "model/gemm_team.h"
#include "model/isa.h"
#include "model/kernels/gemm.h"
#include "model/kernels/rows.h"

/* A thread is worth waking for at least this many multiplications. */
static const double THREAD_WORK = 100e3;

struct product {
    const struct tolk_gemm_kernels *kernels;
    enum tolk_gemm_packing packing_of_a, packing_of_b;
    enum tolk_gemm_mode mode;
    size_t m, n, k;
    const real *a, *b, *bias;
    size_t lda, ldb;
    real *c;
    size_t ldc;
    struct tolk_gemm_extras extras;
};

/* A thread packs the blocks that it multiplies. */
static _Thread_local void *a_words, *b_words;

static real *room_for_a(void)
{
    return tolk_memory_of_thread(&a_words, TOLK_GEMM_A_WORDS * sizeof(real));
}

static real *room_for_b(void)
{
    return tolk_memory_of_thread(&b_words, TOLK_GEMM_B_WORDS * sizeof(real));
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static const real *element(enum tolk_gemm_packing packing, const real *x, size_t ldx, size_t row,
                           size_t k)
{
    return packing == TOLK_ALONG ? x + row * ldx + k : x + k * ldx + row;
}

static bool can_read_in_place(const struct product *x)
{
    return x->packing_of_a == TOLK_ALONG && x->kernels->step == 1 && !tolk_gemm_rows_alias(x->lda);
}

/* A block of C: rows [i, i + m), columns [j, j + n), of the steps [p, p + k), whose part of B is
 * packed. */
static void multiply_block(const struct product *x, size_t i, size_t m, size_t j, size_t n,
                           size_t p, size_t k, const real *packed_b)
{
    const struct tolk_gemm_kernels *kernels = x->kernels;
    const struct tolk_gemm_target target = {
        .c = x->c + i * x->ldc + j,
        .ldc = x->ldc,
        .accumulate = x->mode == TOLK_ACCUMULATE || p > 0,
        .bias = x->bias == NULL ? NULL : x->bias + j,
    };
    const real *a = element(x->packing_of_a, x->a, x->lda, i, p);
    size_t a_step = x->lda;
    if (!can_read_in_place(x)) {
        real *const words = room_for_a();
        kernels->pack_a[x->packing_of_a](m, k, a, x->lda, words);
        a = words;
        a_step = TOLK_GEMM_ROW_STEP;
    }
    size_t next = smaller(x->m - i - m, m);
    const struct tolk_gemm_ahead ahead = {
        .from = element(x->packing_of_a, x->a, x->lda, i + m, p),
        .rows = next == 0                       ? 0
                : x->packing_of_a == TOLK_ALONG ? next
                                                : k,
        .width = x->packing_of_a == TOLK_ALONG ? k : next,
        .step = x->lda,
    };
    kernels->multiply(x->packing_of_a, m, n, k, a, a_step, packed_b, &target, &ahead);
    if (x->extras.sums != NULL && j == 0) {
        const real *rows = element(x->packing_of_a, x->a, x->lda, i, p);
        tolk_isa()->rows->column_sums(k, x->lda, 0, m, rows, 1, x->extras.sums + i);
    }
    if (x->extras.finish != NULL && p + k == x->k) {
        x->extras.finish(x->extras.context, i, m, j, n);
    }
}

/* Packs B, columns [j, j + n), steps [p, p + k). */
static void pack_b(const struct product *x, size_t j, size_t n, size_t p, size_t k, real *words)
{
    x->kernels->pack_b[x->packing_of_b](n, k, element(x->packing_of_b, x->b, x->ldb, j, p), x->ldb,
                                        words);
}

/* A round of a product: the blocks of columns from `block` on, in the steps [p, p + k). */
struct round {
    size_t number, block, p, k;
};

/* All that a thread does of a round. */
static void multiply_round(const struct product *x, const struct tolk_gemm_cut *cut,
                           const struct round *round, struct tolk_deal *deal, size_t thread)
{
    const size_t p = round->p, k = round->k,
                 height = x->kernels->mc / x->kernels->rows * x->kernels->rows;
    real *const b = room_for_b();
    size_t packed = SIZE_MAX, empty = 0;
    struct tolk_deal_share share;
    while ((share = tolk_deal_next(deal, thread, round->number, &empty)).count > 0) {
        const size_t group = share.first / cut->row_pieces;
        const size_t j = (round->block + group) * cut->columns;
        const size_t first = share.first % cut->row_pieces * cut->rows;
        const size_t end = smaller(first + share.count * cut->rows, x->m);
        const size_t n = j < x->n ? smaller(x->n - j, cut->columns) : 0;
        if (n > 0 && packed != group) {
            pack_b(x, j, n, p, k, b);
            packed = group;
        }
        for (size_t i = first; i < end && n > 0; i += height) {
            multiply_block(x, i, smaller(end - i, height), j, n, p, k, b);
        }
        tolk_deal_done(deal, share);
    }
}

/* Run by each thread of a team, or by one alone. Blocks of k begin at the same steps for any number
 * of threads. */
static void multiply_together(const struct product *x, const struct tolk_gemm_cut *cut,
                              struct tolk_deal *deal, size_t thread)
{
    const size_t blocks = cut->groups * cut->rounds;
    struct round round = {.number = 0};
    while (round.block < blocks) { /* k = 0 stores too */
        round.k = smaller(x->k - round.p, x->kernels->kc);
        multiply_round(x, cut, &round, deal, thread);
        round.number++;
        round.p += round.k;
        if (round.p == x->k) {
            round.p = 0;
            round.block += cut->groups;
        }
    }
}

static size_t threads_for(const struct product *x)
{
    if (omp_in_parallel()) {
        return 1;
    }
    double worth = (double)x->m * (double)x->n * (double)x->k / THREAD_WORK;
    size_t threads = (size_t)omp_get_max_threads();
    return worth < 2 ? 1 : worth < (double)threads ? (size_t)worth : threads;
}

static void multiply(const struct product *x)
{
    struct tolk_deal deal;
    const size_t threads = threads_for(x);
    const size_t words = tolk_gemm_words(x->kernels, smaller(x->k, x->kernels->kc));
    const struct tolk_gemm_cut cut = tolk_gemm_cut_for(x->kernels, x->m, x->n, words, threads);
    tolk_deal_begin(&deal, threads, cut.groups * cut.row_pieces, cut.row_pieces, cut.together);
    if (threads == 1) { /* a team of one costs more than a small product */
        multiply_together(x, &cut, &deal, 0);
        return;
    }
#pragma omp parallel num_threads(threads)
    multiply_together(x, &cut, &deal, (size_t)omp_get_thread_num());
}

size_t tolk_gemm_row_distance(size_t columns)
{
    return tolk_gemm_rows_alias(columns) ? columns + 64 / sizeof(real) : columns;
}

int tolk_gemm_has_bfloat16(void)
{
    return tolk_isa()->gemm_bfloat16 != NULL;
}

void tolk_gemm_with(const struct tolk_gemm_extras *extras, enum tolk_gemm_precision precision,
                    enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m, size_t n,
                    size_t k, const real *a, size_t lda, const real *b, size_t ldb,
                    const real *bias, real *c, size_t ldc)
{
    assert(bias == NULL || mode == TOLK_STORE);
    assert(extras == NULL || extras->sums == NULL || layout == TOLK_TN);
    if (m == 0 || n == 0 || (k == 0 && mode == TOLK_ACCUMULATE)) {
        return;
    }
    const struct tolk_isa *isa = tolk_isa();
    const struct product product = {
        .kernels = precision == TOLK_BFLOAT16 && isa->gemm_bfloat16 != NULL ? isa->gemm_bfloat16
                                                                            : isa->gemm,
        .packing_of_a = layout == TOLK_TN ? TOLK_ACROSS : TOLK_ALONG,
        .packing_of_b = layout == TOLK_NT ? TOLK_ALONG : TOLK_ACROSS,
        .mode = mode,
        .m = m,
        .n = n,
        .k = k,
        .a = a,
        .b = b,
        .bias = bias,
        .lda = lda,
        .ldb = ldb,
        .c = c,
        .ldc = ldc,
        .extras = extras != NULL ? *extras : (struct tolk_gemm_extras){.finish = NULL},
    };
    multiply(&product);
}

void tolk_gemm_in(enum tolk_gemm_precision precision, enum tolk_gemm_layout layout,
                  enum tolk_gemm_mode mode, size_t m, size_t n, size_t k, const real *a, size_t lda,
                  const real *b, size_t ldb, const real *bias, real *c, size_t ldc)
{
    tolk_gemm_with(NULL, precision, layout, mode, m, n, k, a, lda, b, ldb, bias, c, ldc);
}

void tolk_gemm(enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m, size_t n, size_t k,
               const real *a, size_t lda, const real *b, size_t ldb, const real *bias, real *c,
               size_t ldc)
{
    tolk_gemm_in(TOLK_REAL, layout, mode, m, n, k, a, lda, b, ldb, bias, c, ldc);
}
