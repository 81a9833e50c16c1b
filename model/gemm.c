#include "model/gemm.h"

#include <assert.h>
#include <omp.h>

#include "model/isa.h"
#include "model/kernels/gemm.h"

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
};

/* Each thread packs what it multiplies, and shares nothing. */
static _Thread_local real a_words[TOLK_GEMM_A_WORDS] __attribute__((aligned(64)));
static _Thread_local real b_words[TOLK_GEMM_B_WORDS] __attribute__((aligned(64)));

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static const real *element(enum tolk_gemm_packing packing, const real *x, size_t ldx, size_t row,
                           size_t k)
{
    return packing == TOLK_ALONG ? x + row * ldx + k : x + k * ldx + row;
}

/* Rows of reals need no copy, unless they are so far apart that a tile of them falls into the same
 * sets of the first-level cache. */
static int can_read_in_place(const struct product *x)
{
    const size_t alias = 1024; /* numbers: a page, over which the sets repeat */
    return x->packing_of_a == TOLK_ALONG && x->kernels->pair == 1 && x->lda % alias != 0;
}

/* Rows [i0, i1) of the columns [j, j + n) and the steps [p, p + k) whose block of B is packed. */
static void multiply_rows(const struct product *x, size_t i0, size_t i1, size_t j, size_t n,
                          size_t p, size_t k)
{
    const struct tolk_gemm_kernels *kernels = x->kernels;
    size_t step = TOLK_GEMM_MC / kernels->rows * kernels->rows;
    for (size_t i = i0; i < i1; i += step) {
        size_t m = smaller(i1 - i, step);
        const struct tolk_gemm_target target = {
            .c = x->c + i * x->ldc + j,
            .ldc = x->ldc,
            .accumulate = x->mode == TOLK_ACCUMULATE || p > 0,
            .bias = x->bias == NULL ? NULL : x->bias + j,
        };
        const real *a = element(x->packing_of_a, x->a, x->lda, i, p);
        size_t a_step = x->lda;
        if (!can_read_in_place(x)) {
            kernels->pack_a[x->packing_of_a](m, k, a, x->lda, a_words);
            a = a_words;
            a_step = TOLK_GEMM_ROW_STEP;
        }
        size_t next = smaller(i1 - i - m, step);
        const struct tolk_gemm_ahead ahead = {
            .from = element(x->packing_of_a, x->a, x->lda, i + m, p),
            .rows = next == 0                       ? 0
                    : x->packing_of_a == TOLK_ALONG ? next
                                                    : k,
            .width = x->packing_of_a == TOLK_ALONG ? k : next,
            .step = x->lda,
        };
        kernels->multiply(x->packing_of_a, m, n, k, a, a_step, b_words, &target, &ahead);
    }
}

/* The width of a block of B, in whole panels: as wide as the buffer allows, blocks of n alike. */
static size_t width_of_block(size_t n, size_t words, size_t columns)
{
    size_t widest = TOLK_GEMM_B_WORDS / (words + 1) / columns * columns;
    size_t blocks = (n + widest - 1) / widest;
    return ((n + blocks - 1) / blocks + columns - 1) / columns * columns;
}

/* The rectangle [i0, i1) x [j0, j1) of C. Blocks of k begin at the same steps for any rectangle. */
static void multiply_rectangle(const struct product *x, size_t i0, size_t i1, size_t j0, size_t j1)
{
    const struct tolk_gemm_kernels *kernels = x->kernels;
    if (i0 == i1 || j0 == j1) {
        return; /* fewer strips of columns than threads */
    }
    size_t k_most = smaller(x->k, TOLK_GEMM_KC * kernels->pair);
    size_t step =
        width_of_block(j1 - j0, (k_most + kernels->pair - 1) / kernels->pair, kernels->columns);
    for (size_t j = j0; j < j1; j += step) {
        size_t n = smaller(j1 - j, step);
        size_t p = 0;
        do { /* once at least: k = 0 stores too */
            size_t k = smaller(x->k - p, k_most);
            kernels->pack_b[x->packing_of_b](n, k, element(x->packing_of_b, x->b, x->ldb, j, p),
                                             x->ldb, b_words);
            multiply_rows(x, i0, i1, j, n, p, k);
            p += k;
        } while (p < x->k);
    }
}

/* The grid of rectangles, as many as `threads`, that has the least work and packing in one of them.
 */
static size_t grid_rows(const struct product *x, size_t threads)
{
    size_t best = 1;
    double least = 0;
    for (size_t rows = 1; rows <= threads; rows++) {
        if (threads % rows != 0) {
            continue;
        }
        const size_t share_m = (x->m + rows - 1) / rows;
        const size_t share_n = (x->n * rows + threads - 1) / threads;
        const double m = (double)share_m;
        const double n = (double)share_n;
        const double pack = 4; /* packing one element, in multiplications of a vector's lane */
        double work = m * n + pack * (double)x->kernels->lanes * (m + n);
        if (rows == 1 || work < least) {
            best = rows, least = work;
        }
    }
    return best;
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

static void multiply_parallel(const struct product *x)
{
    size_t parts = threads_for(x);
    if (parts == 1) {
        multiply_rectangle(x, 0, x->m, 0, x->n);
        return;
    }
    size_t rows = grid_rows(x, parts), columns = parts / rows;
    size_t lanes = x->kernels->lanes, strips = (x->n + lanes - 1) / lanes;
#pragma omp parallel for schedule(static, 1)
    for (size_t part = 0; part < parts; part++) {
        size_t row = part / columns, column = part % columns;
        multiply_rectangle(x, x->m * row / rows, x->m * (row + 1) / rows,
                           strips * column / columns * lanes,
                           smaller(strips * (column + 1) / columns * lanes, x->n));
    }
}

int tolk_gemm_has_bfloat16(void)
{
    return tolk_isa()->gemm_bfloat16 != NULL;
}

void tolk_gemm_in(enum tolk_gemm_precision precision, enum tolk_gemm_layout layout,
                  enum tolk_gemm_mode mode, size_t m, size_t n, size_t k, const real *a, size_t lda,
                  const real *b, size_t ldb, const real *bias, real *c, size_t ldc)
{
    assert(bias == NULL || mode == TOLK_STORE);
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
    };
    multiply_parallel(&product);
}

void tolk_gemm(enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m, size_t n, size_t k,
               const real *a, size_t lda, const real *b, size_t ldb, const real *bias, real *c,
               size_t ldc)
{
    tolk_gemm_in(TOLK_REAL, layout, mode, m, n, k, a, lda, b, ldb, bias, c, ldc);
}
