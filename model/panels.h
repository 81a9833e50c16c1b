/* The matrix of a linear layer, packed once for the micro-kernels and kept: y = x Wᵀ + b.
 *
 *     void *room = …;                                    // tolk_panels_bytes(…), 64-byte aligned
 *     struct tolk_panels panels;
 *     tolk_panels_pack(&panels, TOLK_PANELS_REAL, out, in, W, in, room);
 *     tolk_panels_multiply(&panels, rows, x, in, bias, false, y, out);
 *
 * A step of decoding multiplies a few rows by every matrix of the model: there packing W costs many
 * times the product, which needs to read W no more than once. Panels may be multiplied by several
 * threads at once.
 *
 * In real numbers the result is to the bit that of tolk_gemm(TOLK_NT, …), on AMX that of AVX-512:
 * panels of three terms would be half as large again, and a few rows wait for memory. In 8-bit
 * integers the rows of W and of x are each rounded to [-127, 127] times a scale of their own,
 * max|·| / 127; sums are exact, and so the same integers on every instruction set. In either a
 * row's result does not depend on the rows beside it nor on the number of threads. A number that is
 * none (NaN, infinite) spoils its row of x or its row of W, as it does in real numbers. */
#ifndef TOLK_MODEL_PANELS_H
#define TOLK_MODEL_PANELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

enum tolk_panels_format {
    TOLK_PANELS_REAL,
    TOLK_PANELS_INT8, /* in a build on doubles this means TOLK_PANELS_REAL */
};

struct tolk_gemm_kernels;
struct tolk_int8_kernels;

struct tolk_panels {
    size_t n, k;                          /* W [n, k] */
    const real *deferred;                 /* W, while it is not packed; else NULL */
    size_t ldw;                           /* of that */
    const struct tolk_gemm_kernels *gemm; /* that packed them; NULL: 8-bit integers */
    const struct tolk_int8_kernels *int8; /* that packed them; NULL: real numbers */
    real *words;                          /* blocks of k, in each panels of columns */
    int8_t *bytes;                        /* panels of columns, see kernels/int8.h */
    real *scales;                         /* [n], of the rows of W */
    int32_t *offsets;                     /* [n] */
};

/* The room that the panels of W [n, k] take. */
size_t tolk_panels_bytes(enum tolk_panels_format format, size_t n, size_t k);

/* Whether rows of k numbers are packed in 8-bit integers when that is asked, or in real ones. */
bool tolk_panels_packs_int8(size_t k);

/* Packs W [n, k], its rows ldw apart, for the instruction set in use. */
void tolk_panels_pack(struct tolk_panels *panels, enum tolk_panels_format format, size_t n,
                      size_t k, const real *w, size_t ldw, void *room);

/* Leaves W [n, k] where it lies: each product packs it anew, a panel at a time in the cache, to the
 * same bits as if it were kept. For a matrix that is multiplied once. Real numbers alone. */
void tolk_panels_defer(struct tolk_panels *panels, size_t n, size_t k, const real *w, size_t ldw);

/* y[rows, n] = x[rows, k] · Wᵀ + bias, negative numbers as zero when `relu`; `bias` [n] or NULL. x
 * and y do not overlap. */
void tolk_panels_multiply(const struct tolk_panels *panels, size_t rows, const real *x, size_t ldx,
                          const real *bias, bool relu, real *y, size_t ldy);

/* The same where most numbers of x are zero, as behind a ReLU: those are passed over where that
 * pays, to the same bits unless a number of W is none. */
void tolk_panels_multiply_sparse(const struct tolk_panels *panels, size_t rows, const real *x,
                                 size_t ldx, const real *bias, real *y, size_t ldy);

/* Columns of a panel, and panels. */
size_t tolk_panels_width(const struct tolk_panels *panels);
size_t tolk_panels_count(const struct tolk_panels *panels);

/* maxima[rows, panels], the greatest of each panel's columns of such a product, which is not
 * written down. Of panels in 8-bit integers. */
void tolk_panels_maxima(const struct tolk_panels *panels, size_t rows, const real *x, size_t ldx,
                        const real *bias, real *maxima);

/* Of one row x [k] the columns [begin, end) of y [n], on the calling thread; `begin` is the first
 * of a panel. */
void tolk_panels_multiply_columns(const struct tolk_panels *panels, size_t begin, size_t end,
                                  const real *x, const real *bias, real *y);

#endif
