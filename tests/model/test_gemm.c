#include "tests/support/suite.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/gemm.h"
#include "model/isa.h"
#include "model/kernels/gemm.h"

#ifdef TOLK_REAL_DOUBLE
static const double EPSILON = DBL_EPSILON;
#else
static const double EPSILON = FLT_EPSILON;
#endif

/* A product with its operands in matrices wider than they are; the margins hold a value that must
 * not be touched, and must not be read into a sum. */
struct problem {
    enum tolk_gemm_layout layout;
    enum tolk_gemm_mode mode;
    size_t m, n, k, lda, ldb, ldc;
    real *a, *b, *bias, *c;
};

static const real MARGIN = (real)1e30;

/* Each test runs on every instruction set, and in each precision that it multiplies. */
static enum tolk_gemm_precision precision;

static const struct tolk_gemm_kernels *kernels_in_use(void)
{
    const struct tolk_isa *isa = tolk_isa();
    return precision == TOLK_BFLOAT16 ? isa->gemm_bfloat16 : isa->gemm;
}

/* An operand as it is multiplied: bfloat16 keeps the upper half of a float, rounded to nearest
 * even. */
static double operand(real x)
{
    if (precision == TOLK_REAL) {
        return x;
    }
    float value = (float)x;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static size_t rows_of_a(const struct problem *x)
{
    return x->layout == TOLK_TN ? x->k : x->m;
}

static size_t rows_of_b(const struct problem *x)
{
    return x->layout == TOLK_NT ? x->n : x->k;
}

static real *matrix(size_t rows, size_t columns, size_t step, uint64_t seed)
{
    real *x = malloc((rows * step + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < rows * step; i++) {
        uint64_t state = (seed * 1000003 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 29;
        x[i] = i % step < columns ? (real)((double)(state % 20011) / 10005.5 - 1) : MARGIN;
    }
    return x;
}

static struct problem problem(enum tolk_gemm_layout layout, enum tolk_gemm_mode mode, size_t m,
                              size_t n, size_t k, size_t margin, int biased)
{
    struct problem x = {.layout = layout, .mode = mode, .m = m, .n = n, .k = k};
    size_t columns_of_a = layout == TOLK_TN ? m : k, columns_of_b = layout == TOLK_NT ? k : n;
    x.lda = columns_of_a + margin, x.ldb = columns_of_b + margin, x.ldc = n + margin;
    x.a = matrix(rows_of_a(&x), columns_of_a, x.lda, 1);
    x.b = matrix(rows_of_b(&x), columns_of_b, x.ldb, 2);
    x.c = matrix(m, n, x.ldc, 3);
    x.bias = biased ? matrix(1, n, n, 4) : NULL;
    return x;
}

static void release(struct problem *x)
{
    free(x->a), free(x->b), free(x->c), free(x->bias);
}

static void multiply(const struct problem *x, real *c)
{
    tolk_gemm_in(precision, x->layout, x->mode, x->m, x->n, x->k, x->a, x->lda, x->b, x->ldb,
                 x->bias, c, x->ldc);
}

/* Element (i, j) in double precision, and the sum of magnitudes that its error is measured by. */
static double reference(const struct problem *x, size_t i, size_t j, double *magnitude)
{
    double sum = x->mode == TOLK_ACCUMULATE ? x->c[i * x->ldc + j] : x->bias ? x->bias[j] : 0;
    *magnitude = fabs(sum);
    for (size_t p = 0; p < x->k; p++) {
        double a = operand(x->layout == TOLK_TN ? x->a[p * x->lda + i] : x->a[i * x->lda + p]);
        double b = operand(x->layout == TOLK_NT ? x->b[j * x->ldb + p] : x->b[p * x->ldb + j]);
        sum += a * b;
        *magnitude += fabs(a * b);
    }
    return sum;
}

/* The rows below C are watched too: no sanitizer sees what stores a tile. */
static void check(const struct problem *x)
{
    size_t count = x->m * x->ldc, below = kernels_in_use()->rows * x->ldc;
    real *c = malloc((count + below + 1) * sizeof *c);
    ck_assert_ptr_nonnull(c);
    memcpy(c, x->c, count * sizeof *c);
    for (size_t i = 0; i < below; i++) {
        c[count + i] = MARGIN;
    }
    multiply(x, c);
    for (size_t i = 0; i < below; i++) {
        ck_assert_msg(c[count + i] == MARGIN, "%s: below the last row: written", tolk_isa()->name);
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = i / x->ldc, column = i % x->ldc;
        if (column >= x->n) {
            ck_assert_msg(c[i] == MARGIN, "%s: row %zu: margin written", tolk_isa()->name, row);
            continue;
        }
        double magnitude, expected = reference(x, row, column, &magnitude);
        double bound = EPSILON * magnitude * (2 + sqrt((double)x->k));
        ck_assert_msg(fabs(c[i] - expected) <= bound,
                      "%s%s: layout %d mode %d m %zu n %zu k %zu at %zu, %zu: %g, expected %g",
                      tolk_isa()->name, precision == TOLK_BFLOAT16 ? ", bfloat16" : "",
                      (int)x->layout, (int)x->mode, x->m, x->n, x->k, row, column, (double)c[i],
                      expected);
    }
    free(c);
}

/* In the three layouts: stored, stored on a bias, accumulated. */
static void check_shape(size_t m, size_t n, size_t k, size_t margin)
{
    for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
        for (int how = 0; how < 3; how++) {
            struct problem x =
                problem((enum tolk_gemm_layout)layout, how == 2 ? TOLK_ACCUMULATE : TOLK_STORE, m,
                        n, k, margin, how == 1);
            check(&x);
            release(&x);
        }
    }
}

static void on_each_isa(void (*test)(void))
{
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tolk_isa_choose(list[i]->name, NULL), 0);
        precision = TOLK_REAL;
        test();
        if (tolk_gemm_has_bfloat16()) {
            precision = TOLK_BFLOAT16;
            test();
        }
    }
}

static void small_sizes(void)
{
    for (size_t m = 0; m < 5; m++) {
        for (size_t n = 0; n < 5; n++) {
            for (size_t k = 0; k < 5; k++) {
                check_shape(m, n, k, (m + n + k) % 3);
            }
        }
    }
}

static void tile_borders(void)
{
    const struct tolk_gemm_kernels *kernels = kernels_in_use();
    for (size_t m = 1; m <= 2 * kernels->rows + 1; m++) {
        check_shape(m, kernels->columns, 7, 0);
    }
    for (size_t n = 1; n <= 2 * kernels->columns + 1; n++) {
        check_shape(kernels->rows, n, 7, 3);
    }
    for (size_t k = 1; k <= 2 * kernels->lanes + 1; k++) {
        check_shape(kernels->rows + 1, kernels->columns + 1, k, 1);
    }
    const size_t deep = kernels->step;
    for (int off = -1; off <= 1; off++) {
        check_shape(kernels->rows - 1, kernels->columns - 1, 3 * deep + (size_t)off, 2);
    }
}

static void block_borders(void)
{
    const struct tolk_gemm_kernels *kernels = kernels_in_use();
    const size_t kc = kernels->kc, mc = kernels->mc;
    const size_t nc = kernels->b_words / tolk_gemm_words(kernels, kc);
    for (int off = -1; off <= 1; off++) {
        check_shape(3, 5, kc + (size_t)off, 0);
        check_shape(5, 3, 2 * kc + (size_t)off, 2);
        check_shape(mc + (size_t)off, 9, 33, 1);
        check_shape(9, nc + (size_t)off, kc, 1);
    }
    check_shape(2 * mc + 3, 17, kc + 3, 5);
    check_shape(3, 2 * nc + 3, kc + 3, 5);
}

START_TEST(small_sizes_equal_the_reference)
{
    on_each_isa(small_sizes);
}
END_TEST

START_TEST(sizes_around_a_tile_equal_the_reference)
{
    on_each_isa(tile_borders);
}
END_TEST

START_TEST(sizes_around_a_block_equal_the_reference)
{
    on_each_isa(block_borders);
}
END_TEST

static void same_bits(const struct problem *x, const real *expected, const real *found,
                      const char *what)
{
    for (size_t i = 0; i < x->m; i++) {
        ck_assert_msg(memcmp(expected + i * x->ldc, found + i * x->ldc, x->n * sizeof *found) == 0,
                      "%s: %s: m %zu n %zu k %zu: row %zu differs", tolk_isa()->name, what, x->m,
                      x->n, x->k, i);
    }
}

static void threads_agree(void)
{
    const size_t shapes[][3] = {{150, 130, 600}, {1, 3000, 100}, {2000, 5, 100},
                                {64, 64, 2100},  {31, 257, 77},  {96, 2100, 1100}};
    for (size_t s = 0; s < 3 * sizeof shapes / sizeof shapes[0]; s++) {
        const size_t *size = shapes[s / 3];
        struct problem x = problem((enum tolk_gemm_layout)(s % 3), TOLK_ACCUMULATE, size[0],
                                   size[1], size[2], 1, 0);
        real *one = matrix(x.m, x.n, x.ldc, 3);
        omp_set_num_threads(1);
        multiply(&x, one);
        for (int threads = 2; threads <= 6; threads++) {
            real *many = matrix(x.m, x.n, x.ldc, 3);
            omp_set_num_threads(threads);
            multiply(&x, many);
            same_bits(&x, one, many, "threads");
            free(many);
        }
        free(one);
        release(&x);
    }
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    on_each_isa(threads_agree);
}
END_TEST

/* What a sentence's row becomes must not depend on the rows that were batched with it. */
static void rows_agree(void)
{
    for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
        struct problem x = problem((enum tolk_gemm_layout)layout, TOLK_STORE, 40, 70, 600, 0, 1);
        multiply(&x, x.c);
        for (size_t i = 0; i < x.m; i++) {
            struct problem row = x;
            row.a += i * (layout == TOLK_TN ? 1 : x.lda);
            row.m = 1;
            real *c = matrix(1, x.n, x.ldc, 3);
            multiply(&row, c);
            same_bits(&row, x.c + i * x.ldc, c, "a row alone");
            free(c);
        }
        release(&x);
    }
}

START_TEST(a_row_alone_gives_the_same_bits)
{
    on_each_isa(rows_agree);
}
END_TEST

START_TEST(runs_inside_a_parallel_region)
{
    struct problem x = problem(TOLK_NT, TOLK_STORE, 70, 90, 110, 0, 0);
    real *outside = matrix(x.m, x.n, x.ldc, 3);
    multiply(&x, outside);
    omp_set_num_threads(3);
    int wrong = 0;
#pragma omp parallel reduction(+ : wrong)
    {
        real *inside = malloc(x.m * x.n * sizeof *inside);
        if (inside != NULL) {
            multiply(&x, inside);
        }
        wrong += inside == NULL || memcmp(inside, outside, x.m * x.n * sizeof *inside) != 0;
        free(inside);
    }
    ck_assert_int_eq(wrong, 0);
    free(outside);
    release(&x);
}
END_TEST

/* One number of A that is none spoils its row, one of B its column, and nothing else; 0 * NaN too.
 */
static void not_a_number_stays(void)
{
    const real bad[] = {(real)NAN, (real)INFINITY};
    for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
        for (size_t v = 0; v < 2; v++) {
            struct problem x = problem((enum tolk_gemm_layout)layout, TOLK_STORE, 17, 35, 21, 0, 0);
            memset(x.b, 0, x.n * x.k * sizeof *x.b);
            x.a[layout == TOLK_TN ? 20 * x.lda + 3 : 3 * x.lda + 20] = bad[v];
            multiply(&x, x.c);
            for (size_t i = 0; i < x.m * x.n; i++) {
                ck_assert_int_eq(isnan(x.c[i]) != 0, i / x.n == 3);
            }
            x.a[layout == TOLK_TN ? 20 * x.lda + 3 : 3 * x.lda + 20] = 0;
            x.b[layout == TOLK_NT ? 33 * x.ldb + 2 : 2 * x.ldb + 33] = bad[v];
            multiply(&x, x.c);
            for (size_t i = 0; i < x.m * x.n; i++) {
                ck_assert_int_eq(isfinite(x.c[i]) == 0, i % x.n == 33);
            }
            release(&x);
        }
    }
}

static void overflow_shows(void)
{
    const real most = precision == TOLK_REAL ? (real)0x1.fffffep127 : (real)0x1.fep127;
    real c;
    tolk_gemm_in(precision, TOLK_NT, TOLK_STORE, 1, 1, 1, &most, 1, &most, 1, NULL, &c, 1);
    ck_assert(sizeof(real) > sizeof(float) || !isfinite(c));
}

START_TEST(a_product_beyond_all_numbers_is_not_finite)
{
    on_each_isa(overflow_shows);
}
END_TEST

START_TEST(nan_and_infinity_reach_their_row_and_column)
{
    on_each_isa(not_a_number_stays);
}
END_TEST

static void once_a_number(void)
{
    static const real numbers[] = {1,
                                   (real)0x1.fffffep0,
                                   (real)-0x1.555556p-3,
                                   (real)0x1.00ffffp7,
                                   (real)0x1.010001p0,
                                   (real)0x1.fffffep-100,
                                   (real)0x1.fffffep127,
                                   (real)-0x1.7ffffep100};
    const real one = 1;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const real x = precision == TOLK_REAL ? numbers[i] : (real)operand(numbers[i]);
        for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
            real c[2];
            tolk_gemm_in(precision, (enum tolk_gemm_layout)layout, TOLK_STORE, 1, 1, 1, &x, 1, &one,
                         1, NULL, &c[0], 1);
            tolk_gemm_in(precision, (enum tolk_gemm_layout)layout, TOLK_STORE, 1, 1, 1, &one, 1, &x,
                         1, NULL, &c[1], 1);
            ck_assert_msg(c[0] == x && c[1] == x, "%s: %a became %a and %a", tolk_isa()->name,
                          (double)x, (double)c[0], (double)c[1]);
        }
    }
}

START_TEST(a_number_once_is_that_number)
{
    on_each_isa(once_a_number);
}
END_TEST

/* The root of the mean square of the errors, each by the magnitude of its sum. */
static double error_of(size_t k)
{
    enum { SIDE = 40 };
    struct problem x = problem(TOLK_NT, TOLK_STORE, SIDE, SIDE, k, 0, 0);
    multiply(&x, x.c);
    double squares = 0;
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        double magnitude, expected = reference(&x, i / SIDE, i % SIDE, &magnitude);
        squares += pow((x.c[i] - expected) / magnitude, 2);
    }
    release(&x);
    return sqrt(squares) / SIDE;
}

/* A kernel may leave out the smallest products of terms, as long as it is no worse than the one
 * that multiplies real numbers and rounds each product and each sum. */
START_TEST(no_instruction_set_errs_more_than_the_baseline)
{
    static const size_t depths[] = {8, 16, 64, 256, 1024};
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    precision = TOLK_REAL;
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        double baseline = 0;
        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(tolk_isa_choose(list[i]->name, NULL), 0);
            const double error = error_of(depths[d]);
            baseline = i == 0 ? error : baseline;
            ck_assert_double_gt(error, 0);
            ck_assert_msg(error <= 1.1 * baseline, "%s, k %zu: %g, baseline %g", list[i]->name,
                          depths[d], error, baseline);
        }
    }
}
END_TEST

START_TEST(bfloat16_rounds_to_nearest_even)
{
    static const real cases[][2] = {
        {(real)0x1.01p0, (real)0x1.00p0}, /* halfway: down to even */
        {(real)0x1.03p0, (real)0x1.04p0}, /* halfway: up to even */
        {(real)0x1.0101p0, (real)0x1.02p0},
        {(real)-0x1.00ffp0, (real)-0x1.00p0},
    };
    if (!tolk_gemm_has_bfloat16()) {
        TOLK_SKIP("the processor has no products of bfloat16");
    }
    const real one = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int layout = TOLK_NN; layout <= TOLK_TN; layout++) {
            real c;
            tolk_gemm_in(TOLK_BFLOAT16, (enum tolk_gemm_layout)layout, TOLK_STORE, 1, 1, 1,
                         &cases[i][0], 1, &one, 1, NULL, &c, 1);
            ck_assert_msg(c == cases[i][1], "%a became %a", (double)cases[i][0], (double)c);
            tolk_gemm_in(TOLK_BFLOAT16, (enum tolk_gemm_layout)layout, TOLK_STORE, 1, 1, 1, &one, 1,
                         &cases[i][0], 1, NULL, &c, 1);
            ck_assert_msg(c == cases[i][1], "%a became %a", (double)cases[i][0], (double)c);
        }
    }
}
END_TEST

START_TEST(without_bfloat16_the_product_is_in_real)
{
    const struct tolk_isa *const *list;
    ck_assert_uint_ge(tolk_isa_available(&list), 1);
    ck_assert_int_eq(tolk_isa_choose(list[0]->name, NULL), 0); /* the slowest */
    struct problem x = problem(TOLK_NT, TOLK_STORE, 7, 9, 11, 0, 0);
    precision = TOLK_BFLOAT16;
    multiply(&x, x.c);
    real *c = matrix(x.m, x.n, x.ldc, 3);
    precision = TOLK_REAL;
    multiply(&x, c);
    same_bits(&x, c, x.c, "fallback");
    free(c);
    release(&x);
}
END_TEST

TOLK_SUITE("gemm", a_number_once_is_that_number, no_instruction_set_errs_more_than_the_baseline,
           bfloat16_rounds_to_nearest_even, without_bfloat16_the_product_is_in_real,
           small_sizes_equal_the_reference, sizes_around_a_tile_equal_the_reference,
           sizes_around_a_block_equal_the_reference, any_number_of_threads_gives_the_same_bits,
           a_row_alone_gives_the_same_bits, runs_inside_a_parallel_region,
           nan_and_infinity_reach_their_row_and_column, a_product_beyond_all_numbers_is_not_finite)
