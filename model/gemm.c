#include "model/gemm.h"

#include <assert.h>
#include <omp.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "model/isa.h"
#include "model/kernels/gemm.h"
#include "model/kernels/rows.h"
#include "model/parallel.h"

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

/* A thread packs its own blocks of A; blocks of B lie with the thread that called. */
static _Thread_local void *a_words; /* [TOLK_GEMM_A_WORDS] */
static _Thread_local void *b_words; /* [TOLK_GEMM_B_WORDS] */

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
    return x->packing_of_a == TOLK_ALONG && x->kernels->pair == 1 && !tolk_gemm_rows_alias(x->lda);
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
        real *const words = tolk_memory_of_thread(&a_words, TOLK_GEMM_A_WORDS * sizeof *words);
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

/* The width of a block of B, in whole panels: as wide as the buffer allows, blocks of n alike. */
static size_t width_of_block(size_t n, size_t words, size_t columns)
{
    size_t widest = TOLK_GEMM_B_WORDS / (words + 1) / columns * columns;
    size_t blocks = (n + widest - 1) / widest;
    return ((n + blocks - 1) / blocks + columns - 1) / columns * columns;
}

/* How a block of C as wide as a block of B is cut into pieces of work. */
struct cut {
    size_t rows, columns;             /* of a piece */
    size_t row_pieces, column_pieces; /* how many */
};

/* Several pieces for each thread, so that none waits long for the others; a few rows are cut along
 * the columns too, though A is packed for each piece. Two tiles high at least, if they are low. */
static struct cut cut_block(const struct product *x, size_t n, size_t threads)
{
    const size_t tile = x->kernels->rows, panel = x->kernels->columns;
    const size_t wanted = threads > 1 ? threads * x->kernels->pieces : 1;
    const size_t highest = x->kernels->mc / tile * tile;
    const size_t lowest = smaller(highest, tile > TOLK_GEMM_ROWS_MAX ? tile : 2 * tile);
    const size_t tiles = (x->m + tile - 1) / tile;
    struct cut cut = {.rows = smaller(highest, (tiles + wanted - 1) / wanted * tile)};
    cut.rows = threads > 1 && cut.rows < lowest ? lowest : cut.rows;
    cut.row_pieces = (x->m + cut.rows - 1) / cut.rows;
    const size_t panels = (n + panel - 1) / panel;
    const size_t across = smaller(panels, (wanted + cut.row_pieces - 1) / cut.row_pieces);
    cut.columns = (panels + across - 1) / across * panel;
    cut.column_pieces = (n + cut.columns - 1) / cut.columns;
    return cut;
}

/* The thread's share of packing B [n columns from j, k steps from p], in whole panels. */
static void pack_share(const struct product *x, size_t j, size_t n, size_t p, size_t k,
                       real *packed_b)
{
    const size_t words = tolk_gemm_words(x->kernels, k);
    size_t begin, end;
    tolk_share(n, x->kernels->columns, &begin, &end);
    if (begin < end) {
        x->kernels->pack_b[x->packing_of_b](end - begin, k,
                                            element(x->packing_of_b, x->b, x->ldb, j + begin, p),
                                            x->ldb, packed_b + begin * words);
    }
}

/* The pieces of work of a team. Each thread has a range of its own, the same rows in one product
 * after another, which lie in its cache; who is through helps the others. */
enum { QUEUES_MAX = 64, QUEUE_BYTES = 64 };
struct queue {
    _Alignas(QUEUE_BYTES) atomic_size_t next;
};
struct team {
    real *packed_b;
    struct queue queues[QUEUES_MAX];
};

static size_t queues_of_team(void)
{
    return smaller((size_t)omp_get_num_threads(), QUEUES_MAX);
}

static void fill_queue(struct team *team, size_t pieces)
{
    const size_t count = queues_of_team(), mine = (size_t)omp_get_thread_num();
    if (mine < count) {
        atomic_store_explicit(&team->queues[mine].next, pieces * mine / count,
                              memory_order_relaxed);
    }
}

/* The next piece for this thread, or `pieces` when none is left. `behind` counts the queues that
 * it has found empty. */
static size_t next_piece(struct team *team, size_t pieces, size_t *behind)
{
    const size_t count = queues_of_team();
    for (; *behind < count; (*behind)++) {
        const size_t q = ((size_t)omp_get_thread_num() + *behind) % count;
        const size_t piece =
            atomic_fetch_add_explicit(&team->queues[q].next, 1, memory_order_relaxed);
        if (piece < pieces * (q + 1) / count) {
            return piece;
        }
    }
    return pieces;
}

/* Run by each thread of a team, or by one alone: B is packed together, then the pieces are dealt
 * out as threads become free. Blocks of k begin at the same steps for any number of threads. */
static void multiply_together(const struct product *x, struct team *team)
{
    const struct tolk_gemm_kernels *kernels = x->kernels;
    const size_t k_most = smaller(x->k, TOLK_GEMM_KC * kernels->pair);
    const size_t step = width_of_block(x->n, tolk_gemm_words(kernels, k_most), kernels->columns);
    for (size_t j = 0; j < x->n; j += step) {
        const size_t n = smaller(x->n - j, step);
        const struct cut cut = cut_block(x, n, (size_t)omp_get_num_threads());
        const size_t pieces = cut.row_pieces * cut.column_pieces;
        size_t p = 0;
        do { /* once at least: k = 0 stores too */
            const size_t k = smaller(x->k - p, k_most);
            const size_t words = tolk_gemm_words(kernels, k);
            size_t behind = 0, piece;
            pack_share(x, j, n, p, k, team->packed_b);
            fill_queue(team, pieces);
#pragma omp barrier
            while ((piece = next_piece(team, pieces, &behind)) < pieces) {
                const size_t i = piece / cut.column_pieces * cut.rows;
                const size_t c = piece % cut.column_pieces * cut.columns;
                multiply_block(x, i, smaller(x->m - i, cut.rows), j + c,
                               smaller(n - c, cut.columns), p, k, team->packed_b + c * words);
            }
            p += k;
            if (p < x->k || j + step < x->n) { /* the end of the region waits as well */
#pragma omp barrier
            }
        } while (p < x->k);
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
    /* The calling thread's, for the whole team. */
    struct team team = {.packed_b =
                            tolk_memory_of_thread(&b_words, TOLK_GEMM_B_WORDS * sizeof(real))};
    const size_t threads = threads_for(x);
    if (threads == 1 && omp_get_level() == 0) {
        multiply_together(x, &team); /* a team of one costs more than a small product */
        return;
    }
#pragma omp parallel num_threads(threads)
    multiply_together(x, &team);
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
