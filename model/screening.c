#include "model/screening.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "model/isa.h"
#include "model/kernels/rows.h"

struct tolk_screening {
    const struct tolk_panels *exact; /* E [n, d] */
    const real *b;
    struct tolk_panels bytes; /* E in 8-bit integers */
    double length;            /* the greatest |ŵ| */
    double loss;              /* the greatest |w − ŵ| */
    double bias;              /* the greatest |b| that is finite */
};

/* A row for which more than one panel in so many had to be computed is done with by the whole
 * product, which reads a panel once for all rows. */
enum { WORTH = 16 };

/* Products round too, and integers are scaled in real numbers: each by fewer steps of the last
 * place of all magnitudes together. The last is for rows so small that their scale is zero. */
static const double LAST_PLACE = 0x1p-24;
static const double STEPS_BESIDE_K = 16;
static const double SMALLEST = 0x1p-60;

static double length_of(size_t k, const real *x)
{
    return sqrt(tolk_isa()->rows->sum_of_squares(k, x));
}

/* |x − x̂|: each number is off by half a scale at most; a little more, as scales are rounded. */
static double loss_of(size_t k, double scale)
{
    return 1.001 * sqrt((double)k) * scale / 2;
}

/* The greatest of all rows; infinite when one is no number, and then nothing is screened. */
static double greater(double most, double x)
{
    return !isfinite(x) ? INFINITY : x > most ? x : most;
}

static void take_measures(struct tolk_screening *screening, const real *e)
{
    const size_t k = screening->bytes.k;
    for (size_t j = 0; j < screening->bytes.n; j++) {
        const double loss = loss_of(k, (double)screening->bytes.scales[j]);
        screening->loss = greater(screening->loss, loss);
        screening->length = greater(screening->length, length_of(k, e + j * k) + loss);
        if (isfinite(screening->b[j])) { /* what shall never be written may have -INFINITY */
            screening->bias = greater(screening->bias, fabs((double)screening->b[j]));
        }
    }
}

size_t tolk_screening_bytes(size_t n, size_t d)
{
    return tolk_panels_packs_int8(d) ? tolk_panels_bytes(TOLK_PANELS_INT8, n, d) : 0;
}

struct tolk_screening *tolk_screening_make(const struct tolk_panels *projection, const real *e,
                                           const real *b, void *room, struct tolk_error *error)
{
    const size_t n = projection->n;
    const size_t d = projection->k;
    struct tolk_screening *const screening = calloc(1, sizeof *screening);
    assert(tolk_screening_bytes(n, d) > 0);
    if (screening == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    screening->exact = projection;
    screening->b = b;
    tolk_panels_pack(&screening->bytes, TOLK_PANELS_INT8, n, d, e, d, room);
    take_measures(screening, e);
    return screening;
}

void tolk_screening_free(struct tolk_screening *screening)
{
    free(screening);
}

/* A row that is searched. */
struct row {
    const struct tolk_screening *screening;
    const real *h;
    int32_t barred;
    real *logits;  /* [n], of 8-bit integers but where they were computed */
    size_t panels; /* that were */
    struct tolk_greatest greatest;
};

static const struct tolk_greatest NOTHING = {-1, -INFINITY};

static void consider(struct row *row, size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j++) {
        const real logit = row->logits[j];
        const int32_t id = (int32_t)j;
        const bool first = logit == row->greatest.logit && id < row->greatest.id;
        if ((logit > row->greatest.logit || first) && id != row->barred) {
            row->greatest = (struct tolk_greatest){id, logit};
        }
    }
}

static void compute_panel(struct row *row, size_t panel)
{
    const struct tolk_panels *const exact = row->screening->exact;
    const size_t width = tolk_panels_width(exact);
    const size_t begin = panel * width;
    const size_t end = begin + width < exact->n ? begin + width : exact->n;
    tolk_panels_multiply_columns(exact, begin, end, row->h, row->screening->b, row->logits);
    consider(row, begin, end);
    row->panels++;
}

/* How far a logit of 8-bit integers may be from the exact one. */
static double tolerance(const struct tolk_screening *screening, const real *h)
{
    const size_t k = screening->bytes.k;
    real magnitude = 0;
#pragma omp simd reduction(max : magnitude)
    for (size_t p = 0; p < k; p++) {
        const real x = h[p] < 0 ? -h[p] : h[p];
        magnitude = x > magnitude ? x : magnitude;
    }
    const double length = length_of(k, h); /* NaN where a number is */
    const double loss = loss_of(k, (double)magnitude / TOLK_PANELS_INT8_LARGEST);
    const double rounding = (STEPS_BESIDE_K + 2 * (double)k) * LAST_PLACE *
                            ((length + loss) * screening->length + screening->bias);
    return loss * screening->length + length * screening->loss + rounding + SMALLEST;
}

/* False when so many logits are near the greatest that the search was given up. */
static bool search(struct row *row)
{
    const struct tolk_screening *const screening = row->screening;
    const struct tolk_row_kernels *const kernels = tolk_isa()->rows;
    const size_t n = screening->exact->n;
    const size_t width = tolk_panels_width(screening->exact);
    const size_t most = 1 + n / width / WORTH;
    const double off = tolerance(screening, row->h);
    const real top = kernels->maximum(n, row->logits);
    if (!isfinite(off) || !isfinite(top)) {
        return false;
    }
    /* What seems the greatest comes first, and excludes most. */
    const real beside = top - (real)(off / 256);
    const size_t first = kernels->next_above(0, n, row->logits, beside) / width;
    compute_panel(row, first);
    for (size_t j = 0; row->panels <= most; j = (j / width + 1) * width) {
        const real bound = (real)((double)row->greatest.logit - off);
        j = kernels->next_above(j, n, row->logits, bound);
        if (j >= n) {
            return true;
        }
        if (j / width != first) {
            compute_panel(row, j / width);
        }
    }
    return false;
}

/* By the logits of all, which are computed unless `known`. */
static struct tolk_greatest among_all(struct row *row, bool known)
{
    const struct tolk_screening *const screening = row->screening;
    row->greatest = NOTHING;
    if (!known) {
        tolk_panels_multiply_columns(screening->exact, 0, screening->exact->n, row->h, screening->b,
                                     row->logits);
    }
    consider(row, 0, screening->exact->n);
    return row->greatest;
}

bool tolk_screening_find(const struct tolk_screening *screening, size_t rows, const real *h,
                         int32_t barred, real *logits, struct tolk_greatest *greatest)
{
    const size_t n = screening->exact->n;
    const size_t k = screening->exact->k;
    bool paid = true;
    tolk_panels_multiply(&screening->bytes, rows, h, k, screening->b, false, logits, n);
    for (size_t r = 0; r < rows; r++) {
        struct row row = {screening, h + r * k, barred, logits + r * n, 0, NOTHING};
        if (barred >= 0) {
            row.logits[barred] = -INFINITY;
        }
        const bool found = search(&row);
        greatest[r] = found ? row.greatest : among_all(&row, false);
        paid = paid && found;
    }
    return paid;
}

void tolk_screening_find_among_all(const struct tolk_screening *screening, size_t rows,
                                   const real *h, int32_t barred, real *logits,
                                   struct tolk_greatest *greatest)
{
    const size_t n = screening->exact->n;
    const size_t k = screening->exact->k;
    tolk_panels_multiply(screening->exact, rows, h, k, screening->b, false, logits, n);
    for (size_t r = 0; r < rows; r++) {
        struct row row = {screening, h + r * k, barred, logits + r * n, 0, NOTHING};
        greatest[r] = among_all(&row, true);
    }
}
