#include "tests/support/suite.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/gemm.h"
#include "model/isa.h"
#include "model/panels.h"

/* Rows of x, and W [n, k]; x and y have margins that must be neither read nor written. */
struct layer {
    size_t rows, n, k;
    real *x, *w, *bias;
};

enum { MARGIN = 5 };
static const real UNTOUCHED = (real)-77;

/* Numbers in (-1, 1), or whole ones from -127 to 127. */
static real *numbers(size_t count, uint64_t seed, bool whole)
{
    real *x = malloc((count + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++) {
        uint64_t state = (seed * 1000003 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 29;
        x[i] =
            whole ? (real)(int)(state % 255) - 127 : (real)((double)(state % 20011) / 10005.5 - 1);
    }
    return x;
}

static struct layer layer_of(size_t rows, size_t n, size_t k, bool whole)
{
    struct layer l = {rows, n, k, NULL, NULL, NULL};
    l.x = numbers(rows * (k + MARGIN), 1, whole);
    l.w = numbers(n * k, 2, whole);
    l.bias = numbers(n, 3, whole);
    /* Whole rows are quantised with a scale of 1. */
    for (size_t i = 0; whole && i < rows; i++) {
        l.x[i * (k + MARGIN)] = i % 2 == 0 ? 127 : -127;
    }
    for (size_t j = 0; whole && j < n; j++) {
        l.w[j * k + k - 1] = j % 2 == 0 ? 127 : -127;
    }
    return l;
}

static void layer_free(struct layer *l)
{
    free(l->x);
    free(l->w);
    free(l->bias);
}

struct packed {
    struct tolk_panels panels;
    void *room;
};

static struct packed pack(const struct layer *l, enum tolk_panels_format format)
{
    struct packed packed;
    const size_t bytes = tolk_panels_bytes(format, l->n, l->k);
    ck_assert_int_eq(posix_memalign(&packed.room, 64, bytes), 0);
    memset(packed.room, 0x55, bytes); /* panels must not count on zeros */
    tolk_panels_pack(&packed.panels, format, l->n, l->k, l->w, l->k, packed.room);
    return packed;
}

typedef void product(const struct packed *packed, const struct layer *l, const real *bias,
                     bool relu, real *y, size_t ldy);

static void densely(const struct packed *packed, const struct layer *l, const real *bias, bool relu,
                    real *y, size_t ldy)
{
    tolk_panels_multiply(&packed->panels, l->rows, l->x, l->k + MARGIN, bias, relu, y, ldy);
}

static void sparsely(const struct packed *packed, const struct layer *l, const real *bias,
                     bool relu, real *y, size_t ldy)
{
    ck_assert(!relu);
    tolk_panels_multiply_sparse(&packed->panels, l->rows, l->x, l->k + MARGIN, bias, y, ldy);
}

static real *multiply_by(product *multiplied, const struct packed *packed, const struct layer *l,
                         const real *bias, bool relu)
{
    const size_t ldy = l->n + MARGIN;
    real *y = malloc((l->rows * ldy + 1) * sizeof *y);
    ck_assert_ptr_nonnull(y);
    for (size_t i = 0; i < l->rows * ldy; i++) {
        y[i] = UNTOUCHED;
    }
    multiplied(packed, l, bias, relu, y, ldy);
    for (size_t i = 0; i < l->rows; i++) {
        for (size_t j = l->n; j < ldy; j++) {
            ck_assert(y[i * ldy + j] == UNTOUCHED);
        }
    }
    return y;
}

static real *multiply(const struct packed *packed, const struct layer *l, const real *bias,
                      bool relu)
{
    return multiply_by(densely, packed, l, bias, relu);
}

static void on_each_isa(void (*check)(void))
{
    const struct tolk_isa *const *list;
    const size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tolk_isa_choose(list[i]->name, NULL), 0);
        check();
    }
}

static const size_t shapes[][3] = {{1, 1, 1},     {1, 33, 7},    {2, 31, 64},   {3, 32, 513},
                                   {14, 65, 3},   {15, 97, 256}, {64, 40, 130}, {71, 17, 1030},
                                   {150, 70, 66}, {16, 64, 64},  {17, 32, 129}, {33, 100, 192},
                                   {290, 33, 65}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* The product by tolk_gemm with the kernels of the panels, which those of another instruction set
 * may be: on AMX tolk_gemm has its own. */
static real *by_gemm(const struct layer *l, const real *bias)
{
    real *y = malloc((l->rows * l->n + 1) * sizeof *y);
    ck_assert_ptr_nonnull(y);
    const struct tolk_isa *const in_use = tolk_isa(), *const * list;
    size_t i = tolk_isa_available(&list);
    while (i > 0 && list[i - 1]->gemm != in_use->panels) {
        i--;
    }
    ck_assert_uint_gt(i, 0);
    ck_assert_int_eq(tolk_isa_choose(list[i - 1]->name, NULL), 0);
    tolk_gemm(TOLK_NT, TOLK_STORE, l->rows, l->n, l->k, l->x, l->k + MARGIN, l->w, l->k, bias, y,
              l->n);
    ck_assert_int_eq(tolk_isa_choose(in_use->name, NULL), 0);
    return y;
}

/* Kept, or left where the matrix lies. */
static struct packed pack_or_defer(const struct layer *l, bool defer)
{
    if (!defer) {
        return pack(l, TOLK_PANELS_REAL);
    }
    struct packed packed = {.room = NULL};
    tolk_panels_defer(&packed.panels, l->n, l->k, l->w, l->k);
    return packed;
}

static void check_real(bool defer)
{
    for (size_t s = 0; s < SHAPES; s++) {
        struct layer l = layer_of(shapes[s][0], shapes[s][1], shapes[s][2], false);
        struct packed packed = pack_or_defer(&l, defer);
        for (int variant = 0; variant < 4; variant++) {
            const real *bias = variant % 2 == 0 ? NULL : l.bias;
            real *y = multiply(&packed, &l, bias, variant >= 2);
            real *expected = by_gemm(&l, bias);
            for (size_t i = 0; i < l.rows * l.n; i++) {
                const real e = variant >= 2 && expected[i] < 0 ? 0 : expected[i];
                const real found = y[i / l.n * (l.n + MARGIN) + i % l.n];
                ck_assert_msg(found == e, "%s, shape %zu: expected %a, found %a", tolk_isa()->name,
                              s, (double)e, (double)found);
            }
            free(expected);
            free(y);
        }
        free(packed.room);
        layer_free(&l);
    }
}

static void check_kept(void)
{
    check_real(false);
}

static void check_deferred(void)
{
    check_real(true);
}

START_TEST(real_panels_give_the_bits_of_gemm)
{
    on_each_isa(check_kept);
}
END_TEST

START_TEST(deferred_panels_give_the_bits_of_gemm)
{
    on_each_isa(check_deferred);
}
END_TEST

/* Of a hundred numbers of x all but so many become zero, negative ones alone or not. */
static void thin(struct layer *l, size_t kept, bool positive)
{
    for (size_t i = 0; i < l->rows * (l->k + MARGIN); i++) {
        uint64_t state = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 31;
        l->x[i] = state % 100 < kept ? (real)fabs((double)l->x[i]) : 0;
        if (!positive && state % 7 == 0) {
            l->x[i] = -l->x[i];
        }
    }
}

static void check_sparse(void)
{
    static const size_t kept[] = {0, 3, 10, 30, 100};
    for (size_t c = 0; c < SHAPES * 5 * 4; c++) {
        const size_t *const shape = shapes[c / 20];
        const enum tolk_panels_format format = c % 2 == 0 ? TOLK_PANELS_REAL : TOLK_PANELS_INT8;
        struct layer l = layer_of(shape[0], shape[1], shape[2], false);
        thin(&l, kept[c / 4 % 5], c / 2 % 2 == 0);
        struct packed packed = pack(&l, format);
        const real *const bias = c % 3 == 0 ? NULL : l.bias;
        real *const expected = multiply_by(densely, &packed, &l, bias, false);
        real *const found = multiply_by(sparsely, &packed, &l, bias, false);
        ck_assert_msg(memcmp(found, expected, l.rows * (l.n + MARGIN) * sizeof *found) == 0,
                      "%s, [%zu, %zu] x [%zu], %zu of a hundred, format %d", tolk_isa()->name,
                      l.rows, l.k, l.n, kept[c / 4 % 5], (int)format);
        free(found);
        free(expected);
        free(packed.room);
        layer_free(&l);
    }
}

START_TEST(passing_over_zeros_gives_the_same_bits)
{
    on_each_isa(check_sparse);
}
END_TEST

static void check_whole(void)
{
    for (size_t s = 0; s < SHAPES; s++) {
        struct layer l = layer_of(shapes[s][0], shapes[s][1], shapes[s][2], true);
        struct packed packed = pack(&l, TOLK_PANELS_INT8);
        for (int relu = 0; relu < 2; relu++) {
            real *y = multiply(&packed, &l, l.bias, relu != 0);
            for (size_t i = 0; i < l.rows * l.n; i++) {
                const size_t row = i / l.n;
                const size_t column = i % l.n;
                int64_t sum = (int64_t)l.bias[column];
                for (size_t p = 0; p < l.k; p++) {
                    sum += (int64_t)l.x[row * (l.k + MARGIN) + p] * (int64_t)l.w[column * l.k + p];
                }
                sum = relu != 0 && sum < 0 ? 0 : sum;
                const double found = (double)y[row * (l.n + MARGIN) + column];
                ck_assert_msg(found == (double)(float)sum,
                              "%s, shape %zu, row %zu, column %zu: expected %lld, found %g",
                              tolk_isa()->name, s, row, column, (long long)sum, found);
            }
            free(y);
        }
        free(packed.room);
        layer_free(&l);
    }
}

START_TEST(sums_of_8_bit_integers_are_exact)
{
    on_each_isa(check_whole);
}
END_TEST

/* What saturating arithmetic would spoil: every product 127² of one sign. */
static void check_extremes(void)
{
    struct layer l = layer_of(5, 35, 1024, true);
    for (size_t i = 0; i < l.rows * (l.k + MARGIN); i++) {
        l.x[i] = i / (l.k + MARGIN) % 2 == 0 ? 127 : -127;
    }
    for (size_t i = 0; i < l.n * l.k; i++) {
        l.w[i] = i / l.k % 2 == 0 ? 127 : -127;
    }
    struct packed packed = pack(&l, TOLK_PANELS_INT8);
    real *y = multiply(&packed, &l, NULL, false);
    for (size_t i = 0; i < l.rows; i++) {
        for (size_t j = 0; j < l.n; j++) {
            ck_assert_double_eq((double)y[i * (l.n + MARGIN) + j],
                                ((i + j) % 2 == 0 ? 1 : -1) * 127.0 * 127.0 * 1024);
        }
    }
    free(y);
    free(packed.room);
    layer_free(&l);
}

START_TEST(sums_of_8_bit_integers_do_not_saturate)
{
    on_each_isa(check_extremes);
}
END_TEST

static real *of_baseline;

static void check_alike(void)
{
    struct layer l = layer_of(33, 75, 301, false);
    struct packed packed = pack(&l, TOLK_PANELS_INT8);
    real *y = multiply(&packed, &l, NULL, false);
    if (of_baseline == NULL) {
        of_baseline = y;
    } else {
        ck_assert_msg(memcmp(y, of_baseline, l.rows * (l.n + MARGIN) * sizeof *y) == 0, "%s",
                      tolk_isa()->name);
        free(y);
    }
    free(packed.room);
    layer_free(&l);
}

START_TEST(every_instruction_set_gives_the_same_bits_from_8_bit_integers)
{
    on_each_isa(check_alike);
    free(of_baseline);
}
END_TEST

static real largest(const real *x, size_t count)
{
    real most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fabs((double)x[i]) > (double)most ? (real)fabs((double)x[i]) : most;
    }
    return most;
}

/* Each factor is off by half of its scale at most. */
static void check_error(void)
{
    struct layer l = layer_of(9, 50, 300, false);
    struct packed packed = pack(&l, TOLK_PANELS_INT8);
    real *y = multiply(&packed, &l, l.bias, false);
    double worst = 0;
    for (size_t i = 0; i < l.rows; i++) {
        const real *x = l.x + i * (l.k + MARGIN);
        const double x_half = (double)largest(x, l.k) / 254;
        for (size_t j = 0; j < l.n; j++) {
            const real *w = l.w + j * l.k;
            const double w_half = (double)largest(w, l.k) / 254;
            double exact = (double)l.bias[j];
            double bound = 1e-4;
            for (size_t p = 0; p < l.k; p++) {
                exact += (double)x[p] * (double)w[p];
                bound +=
                    fabs((double)x[p]) * w_half + fabs((double)w[p]) * x_half + w_half * x_half;
            }
            const double off = fabs((double)y[i * (l.n + MARGIN) + j] - exact);
            ck_assert_double_le(off, bound);
            worst = off > worst ? off : worst;
        }
    }
    ck_assert_double_gt(worst, 1e-4); /* else nothing was rounded */
    ck_assert_double_lt(worst, 0.3);
    free(y);
    free(packed.room);
    layer_free(&l);
}

START_TEST(rounding_to_8_bits_errs_by_half_a_step_at_most)
{
    on_each_isa(check_error);
}
END_TEST

/* The same bits for a row alone, and for any number of threads. */
static void check_independence(void)
{
    for (int format = TOLK_PANELS_REAL; format <= TOLK_PANELS_INT8; format++) {
        struct layer l = layer_of(200, 700, 90, false);
        struct packed packed = pack(&l, (enum tolk_panels_format)format);
        omp_set_num_threads(1);
        real *one = multiply(&packed, &l, l.bias, false);
        omp_set_num_threads(3);
        real *three = multiply(&packed, &l, l.bias, false);
        ck_assert_mem_eq(one, three, l.rows * (l.n + MARGIN) * sizeof *one);
        for (size_t i = 0; i < l.rows; i += 7) {
            struct layer row = l;
            row.rows = 1;
            row.x += i * (l.k + MARGIN);
            real *alone = multiply(&packed, &row, l.bias, false);
            ck_assert_mem_eq(alone, one + i * (l.n + MARGIN), l.n * sizeof *alone);
            free(alone);
        }
        free(one);
        free(three);
        free(packed.room);
        layer_free(&l);
    }
}

START_TEST(a_row_depends_neither_on_other_rows_nor_on_threads)
{
    on_each_isa(check_independence);
}
END_TEST

static void check_spoilt(void)
{
    const real bad[] = {(real)NAN, (real)INFINITY};
    for (int format = TOLK_PANELS_REAL; format <= TOLK_PANELS_INT8; format++) {
        for (size_t b = 0; b < 2; b++) {
            struct layer l = layer_of(6, 40, 21, false);
            l.x[2 * (l.k + MARGIN) + 20] = bad[b];
            l.w[33 * l.k + 3] = bad[b];
            struct packed packed = pack(&l, (enum tolk_panels_format)format);
            real *y = multiply(&packed, &l, l.bias, false);
            for (size_t i = 0; i < l.rows; i++) {
                for (size_t j = 0; j < l.n; j++) {
                    ck_assert_int_eq(isfinite(y[i * (l.n + MARGIN) + j]) == 0, i == 2 || j == 33);
                }
            }
            free(y);
            free(packed.room);
            layer_free(&l);
        }
    }
}

START_TEST(nan_and_infinity_reach_their_row_and_column)
{
    on_each_isa(check_spoilt);
}
END_TEST

START_TEST(rows_of_zeros_give_the_bias)
{
    struct layer l = layer_of(3, 9, 12, false);
    memset(l.x, 0, l.rows * (l.k + MARGIN) * sizeof *l.x);
    struct packed packed = pack(&l, TOLK_PANELS_INT8);
    real *y = multiply(&packed, &l, l.bias, false);
    for (size_t i = 0; i < l.rows; i++) {
        ck_assert_mem_eq(y + i * (l.n + MARGIN), l.bias, l.n * sizeof *y);
    }
    free(y);
    free(packed.room);
    layer_free(&l);
}
END_TEST

TOLK_SUITE("panels", passing_over_zeros_gives_the_same_bits, real_panels_give_the_bits_of_gemm,
           deferred_panels_give_the_bits_of_gemm, sums_of_8_bit_integers_are_exact,
           sums_of_8_bit_integers_do_not_saturate,
           every_instruction_set_gives_the_same_bits_from_8_bit_integers,
           rounding_to_8_bits_errs_by_half_a_step_at_most,
           a_row_depends_neither_on_other_rows_nor_on_threads,
           nan_and_infinity_reach_their_row_and_column, rows_of_zeros_give_the_bias)
