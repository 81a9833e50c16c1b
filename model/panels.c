#include "model/panels.h"

#include <assert.h>
#include <omp.h>

#include "base/memory.h"
#include "model/isa.h"
#include "model/kernels/gemm.h"
#include "model/kernels/int8.h"
#include "model/kernels/rows.h"
#include "model/sparse.h"

enum {
    LINE = 64,
    A_ROWS = TOLK_GEMM_A_WORDS / TOLK_GEMM_ROW_STEP, /* rows of x packed at a time, at most */
    /* The same in integers; of what k leaves unused the system gives no pages. */
    A_BYTES = TOLK_INT8_ROWS * TOLK_INT8_K_MAX * TOLK_INT8_NUMBER_MAX,
    A_BYTE_ROWS = 256,
    COLUMNS_AT_ONCE = 256, /* of products of which the maxima alone are kept */
    /* From so many rows on the next panel is asked for: a few read as fast as memory gives. */
    AHEAD_ROWS = 4,
};

/* A thread is worth waking for at least this many multiplications: sleeping threads take tens of
 * microseconds to begin. */
static const double THREAD_WORK = 4e6;

static _Thread_local void *a_words; /* [TOLK_GEMM_A_WORDS] */
static _Thread_local void *a_bytes; /* [A_BYTES] */
static _Thread_local void *y_block; /* [A_BYTE_ROWS, COLUMNS_AT_ONCE and a line] */
static _Thread_local void *b_words; /* [TOLK_GEMM_COLUMNS_MAX * TOLK_GEMM_KC], a panel */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t rounded_up(size_t x, size_t grain)
{
    return (x + grain - 1) / grain * grain;
}

static const struct tolk_int8_kernels *int8_for(enum tolk_panels_format format, size_t k)
{
    return format == TOLK_PANELS_INT8 && k <= TOLK_INT8_K_MAX ? tolk_isa()->int8 : NULL;
}

bool tolk_panels_packs_int8(size_t k)
{
    return int8_for(TOLK_PANELS_INT8, k) != NULL;
}

size_t tolk_panels_bytes(enum tolk_panels_format format, size_t n, size_t k)
{
    const struct tolk_int8_kernels *int8 = int8_for(format, k);
    if (int8 == NULL) {
        const size_t columns = rounded_up(n, tolk_isa()->panels->columns);
        return rounded_up(columns * k * sizeof(real), LINE);
    }
    const size_t columns = rounded_up(n, int8->columns);
    return rounded_up(columns * tolk_int8_padded(k), LINE) +
           rounded_up(columns * sizeof(real), LINE) + rounded_up(columns * sizeof(int32_t), LINE);
}

static void pack_int8(struct tolk_panels *panels, const real *w, size_t ldw, void *room)
{
    const size_t columns = rounded_up(panels->n, panels->int8->columns);
    const size_t bytes = rounded_up(columns * tolk_int8_padded(panels->k), LINE);
    panels->bytes = room;
    panels->scales = (real *)(void *)(panels->bytes + bytes);
    panels->offsets =
        (int32_t *)(void *)(panels->bytes + bytes + rounded_up(columns * sizeof(real), LINE));
    panels->int8->pack(panels->n, panels->k, w, ldw, panels->bytes, panels->scales,
                       panels->offsets);
}

void tolk_panels_pack(struct tolk_panels *panels, enum tolk_panels_format format, size_t n,
                      size_t k, const real *w, size_t ldw, void *room)
{
    *panels = (struct tolk_panels){.n = n, .k = k, .int8 = int8_for(format, k)};
    if (panels->int8 != NULL) {
        pack_int8(panels, w, ldw, room);
        return;
    }
    panels->gemm = tolk_isa()->panels;
    panels->words = room;
    const size_t columns = rounded_up(n, panels->gemm->columns);
    for (size_t p = 0; p < k; p += TOLK_GEMM_KC) {
        panels->gemm->pack_b[TOLK_ALONG](n, smaller(k - p, TOLK_GEMM_KC), w + p, ldw,
                                         panels->words + columns * p);
    }
}

void tolk_panels_defer(struct tolk_panels *panels, size_t n, size_t k, const real *w, size_t ldw)
{
    *panels =
        (struct tolk_panels){.n = n, .k = k, .gemm = tolk_isa()->panels, .deferred = w, .ldw = ldw};
}

/* ---- products -----------------------------------------------------------------------------------
 */

struct product {
    const struct tolk_panels *panels;
    const real *x, *bias;
    size_t ldx;
    real *y;
    size_t ldy;
    bool relu;
    bool sparse; /* x is mostly zero */
    bool maxima; /* y is those of its panels alone, [rows, ldy] */
};

/* Column j and those after it, steps [p, p + k): where they are packed, or where W lies. */
static const real *columns_of(const struct tolk_panels *panels, size_t j, size_t p, size_t k)
{
    return panels->deferred != NULL
               ? panels->deferred + j * panels->ldw + p
               : panels->words + rounded_up(panels->n, panels->gemm->columns) * p + j * k;
}

/* The same of n columns, packed. */
static const real *packed_columns(const struct tolk_panels *panels, size_t j, size_t n, size_t p,
                                  size_t k)
{
    const real *columns = columns_of(panels, j, p, k);
    if (panels->deferred == NULL) {
        return columns;
    }
    real *const words = tolk_memory_of_thread(&b_words, (size_t)TOLK_GEMM_COLUMNS_MAX *
                                                            TOLK_GEMM_KC * sizeof *words);
    panels->gemm->pack_b[TOLK_ALONG](n, k, columns, panels->ldw, words);
    return words;
}

/* Columns [j0, j1) of the rows a [m, k], a_step apart, and steps [p, p + k). */
static void multiply_block(const struct product *x, size_t m, size_t p, size_t k, const real *a,
                           size_t a_step, real *y, size_t j0, size_t j1)
{
    const struct tolk_panels *panels = x->panels;
    const struct tolk_gemm_kernels *kernels = panels->gemm;
    const size_t tiles = (m + kernels->rows - 1) / kernels->rows;
    const bool all = tiles == 1 && m < AHEAD_ROWS && panels->deferred == NULL;
    const size_t step = all ? j1 - j0 : kernels->columns;
    for (size_t j = j0; j < j1; j += step) {
        const size_t n = smaller(j1 - j, step);
        const real *b = packed_columns(panels, j, n, p, k);
        const real *next = columns_of(panels, j + step, p, k);
        /* Tiles of like heights: a low one would leave the multipliers waiting for their sums. */
        for (size_t t = 0; t < tiles; t++) {
            const size_t begin = m * t / tiles;
            const size_t end = m * (t + 1) / tiles;
            const size_t share = step * k / tiles;
            const struct tolk_gemm_target target = {
                .c = y + begin * x->ldy + j,
                .ldc = x->ldy,
                .accumulate = p > 0,
                .bias = x->bias != NULL ? x->bias + j : NULL,
            };
            const bool asks = m >= AHEAD_ROWS && j + step < j1;
            const struct tolk_gemm_ahead ahead = {
                .from = next + t * share,
                .rows = asks,
                .width = share,
                .evenly = asks,
            };
            kernels->multiply(TOLK_ALONG, end - begin, n, k, a + begin * a_step, a_step, b, &target,
                              &ahead);
        }
    }
}

/* The same of rows x [m, k] that are mostly zero; false, and nothing done, when they are not. */
static bool multiply_sparse_block(const struct product *x, size_t m, size_t p, size_t k,
                                  const real *a, real *y, size_t j0, size_t j1)
{
    const struct tolk_gemm_target target = {
        .c = y + j0,
        .ldc = x->ldy,
        .accumulate = p > 0,
        .bias = x->bias != NULL ? x->bias + j0 : NULL,
    };
    return tolk_sparse_multiply(x->panels->gemm->sparse, m, j1 - j0, k, a, x->ldx,
                                columns_of(x->panels, j0, p, k), &target);
}

static void multiply_dense_block(const struct product *x, size_t m, size_t p, size_t k,
                                 const real *a, real *y, size_t j0, size_t j1)
{
    size_t a_step = x->ldx;
    if (m > 1 && tolk_gemm_rows_alias(x->ldx)) {
        real *const words = tolk_memory_of_thread(&a_words, TOLK_GEMM_A_WORDS * sizeof *words);
        x->panels->gemm->pack_a[TOLK_ALONG](m, k, a, x->ldx, words);
        a = words;
        a_step = TOLK_GEMM_ROW_STEP;
    }
    multiply_block(x, m, p, k, a, a_step, y, j0, j1);
}

static void multiply_real(const struct product *x, size_t i0, size_t i1, size_t j0, size_t j1)
{
    const struct tolk_panels *panels = x->panels;
    const bool sparse = x->sparse && panels->gemm->sparse != NULL && panels->deferred == NULL;
    const size_t height =
        sparse ? (size_t)TOLK_SPARSE_ROWS : A_ROWS / panels->gemm->rows * panels->gemm->rows;
    for (size_t i = i0; i < i1; i += height) {
        const size_t m = smaller(i1 - i, height);
        for (size_t p = 0; p < panels->k; p += TOLK_GEMM_KC) {
            const size_t k = smaller(panels->k - p, TOLK_GEMM_KC);
            const real *a = x->x + i * x->ldx + p;
            real *y = x->y + i * x->ldy;
            if (!sparse || !multiply_sparse_block(x, m, p, k, a, y, j0, j1)) {
                multiply_dense_block(x, m, p, k, a, y, j0, j1);
            }
        }
        for (size_t row = i; x->relu && row < i + m; row++) {
            real *y = x->y + row * x->ldy + j0;
            const struct tolk_dropout_mask none = {.threshold = 0, .scale = 1};
            tolk_isa()->rows->activation_forward(TOLK_RELU, 1, j1 - j0, x->ldy, 0, none, y, y);
        }
    }
}

/* The maxima of the panels, some columns at a time, which stay in the cache meanwhile. */
static void multiply_maxima(const struct tolk_panels *panels, struct tolk_int8_product product,
                            real *maxima, size_t ldm)
{
    const size_t width = panels->int8->columns;
    const size_t step = COLUMNS_AT_ONCE / width * width, n = product.n;
    const size_t ldy = COLUMNS_AT_ONCE + LINE / sizeof(real);
    real *const room = tolk_memory_of_thread(&y_block, A_BYTE_ROWS * ldy * sizeof *room);
    product.y = room;
    product.ldy = ldy;
    for (size_t j = 0; j < n; j += step, maxima += step / width) {
        product.n = smaller(n - j, step);
        panels->int8->multiply(&product);
        for (size_t i = 0; i < product.m; i++) {
            tolk_isa()->rows->maxima(product.n, width, room + i * ldy, maxima + i * ldm);
        }
        product.panels += step * tolk_int8_padded(product.k);
        product.scales += step;
        product.offsets += step;
        product.bias += product.bias != NULL ? step : 0;
    }
}

static void multiply_int8(const struct product *x, size_t i0, size_t i1, size_t j0, size_t j1)
{
    const struct tolk_panels *panels = x->panels;
    /* One cache line more, so that rows of a power of two fall into different cache sets. */
    const size_t row = tolk_int8_padded(panels->k) * panels->int8->number;
    const size_t lda = TOLK_INT8_ROWS * (row + LINE) <= A_BYTES ? row + LINE : row;
    const size_t height = smaller(A_BYTES / lda / TOLK_INT8_ROWS * TOLK_INT8_ROWS, A_BYTE_ROWS);
    int8_t *const a = tolk_memory_of_thread(&a_bytes, A_BYTES);
    for (size_t i = i0; i < i1; i += height) {
        real a_scales[A_BYTE_ROWS];
        const size_t m = smaller(i1 - i, height);
        panels->int8->quantize(m, panels->k, x->x + i * x->ldx, x->ldx, a, lda, a_scales);
        struct tolk_int8_product product = {
            .m = m,
            .n = j1 - j0,
            .k = panels->k,
            .a = a,
            .lda = lda,
            .a_scales = a_scales,
            .panels = panels->bytes + j0 * tolk_int8_padded(panels->k),
            .scales = panels->scales + j0,
            .offsets = panels->offsets + j0,
            .bias = x->bias != NULL ? x->bias + j0 : NULL,
            .relu = x->relu,
        };
        real *const y = x->y + i * x->ldy + (x->maxima ? j0 / panels->int8->columns : j0);
        product.y = y;
        product.ldy = x->ldy;
        if (x->maxima) {
            multiply_maxima(panels, product, y, x->ldy);
        } else if (x->sparse) {
            tolk_sparse_multiply_int8(panels->int8, &product);
        } else {
            panels->int8->multiply(&product);
        }
    }
}

/* The rectangle [i0, i1) x [j0, j1) of y; j0 is the first column of a panel. */
static void multiply_rectangle(const struct product *x, size_t i0, size_t i1, size_t j0, size_t j1)
{
    if (i0 == i1 || j0 == j1) {
        return;
    }
    if (x->panels->int8 != NULL) {
        multiply_int8(x, i0, i1, j0, j1);
    } else {
        multiply_real(x, i0, i1, j0, j1);
    }
}

static size_t threads_for(const struct tolk_panels *panels, size_t rows)
{
    const double work = (double)rows * (double)panels->n * (double)panels->k;
    if (work < 2 * THREAD_WORK || omp_in_parallel()) {
        return 1;
    }
    const double threads = (double)omp_get_max_threads();
    return (size_t)(work / THREAD_WORK < threads ? work / THREAD_WORK : threads);
}

static void multiply(const struct product *product, size_t rows)
{
    const struct tolk_panels *panels = product->panels;
    const size_t threads = threads_for(panels, rows);
    if (threads == 1) {
        multiply_rectangle(product, 0, rows, 0, panels->n);
        return;
    }
    const size_t columns = tolk_panels_width(panels), count = tolk_panels_count(panels);
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (size_t t = 0; t < threads; t++) {
        multiply_rectangle(product, 0, rows, count * t / threads * columns,
                           smaller(count * (t + 1) / threads * columns, panels->n));
    }
}

void tolk_panels_multiply(const struct tolk_panels *panels, size_t rows, const real *x, size_t ldx,
                          const real *bias, bool relu, real *y, size_t ldy)
{
    const struct product product = {
        .panels = panels, .x = x, .bias = bias, .ldx = ldx, .y = y, .ldy = ldy, .relu = relu};
    multiply(&product, rows);
}

void tolk_panels_multiply_sparse(const struct tolk_panels *panels, size_t rows, const real *x,
                                 size_t ldx, const real *bias, real *y, size_t ldy)
{
    const struct product product = {
        .panels = panels, .x = x, .bias = bias, .ldx = ldx, .y = y, .ldy = ldy, .sparse = true};
    multiply(&product, rows);
}

size_t tolk_panels_width(const struct tolk_panels *panels)
{
    return panels->int8 != NULL ? panels->int8->columns : panels->gemm->columns;
}

size_t tolk_panels_count(const struct tolk_panels *panels)
{
    const size_t width = tolk_panels_width(panels);
    return (panels->n + width - 1) / width;
}

void tolk_panels_maxima(const struct tolk_panels *panels, size_t rows, const real *x, size_t ldx,
                        const real *bias, real *maxima)
{
    const size_t count = tolk_panels_count(panels);
    const struct product product = {.panels = panels,
                                    .x = x,
                                    .bias = bias,
                                    .ldx = ldx,
                                    .y = maxima,
                                    .ldy = count,
                                    .maxima = true};
    assert(panels->int8 != NULL);
    multiply(&product, rows);
}

void tolk_panels_multiply_columns(const struct tolk_panels *panels, size_t begin, size_t end,
                                  const real *x, const real *bias, real *y)
{
    const struct product product = {
        .panels = panels, .x = x, .bias = bias, .ldx = panels->k, .y = y, .ldy = panels->n};
    multiply_rectangle(&product, 0, 1, begin, end);
}
