#include "model/screening.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "model/isa.h"
#include "model/kernels/int8.h"
#include "model/kernels/rows.h"

struct tolk_screening {
    const struct tolk_panels *exact; /* E [n, d] */
    const real *b;
    struct tolk_panels own;          /* E in 8-bit integers */
    const struct tolk_panels *bytes; /* those, or the exact ones where they are such */
    double length;                   /* the greatest |ŵ| */
    double loss;                     /* the greatest |w − ŵ| */
    double bias;                     /* the greatest |b| but -INFINITY */
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
    const size_t k = screening->exact->k;
    for (size_t j = 0; j < screening->exact->n; j++) {
        const double loss = loss_of(k, (double)screening->bytes->scales[j]);
        const double bias = (double)screening->b[j];
        screening->loss = greater(screening->loss, loss);
        /* Of 8-bit integers alone it does not matter how long they are. */
        const double length = e != NULL ? length_of(k, e + j * k) + loss : loss;
        screening->length = greater(screening->length, length);
        /* What shall never be written may have -INFINITY. */
        screening->bias = greater(screening->bias, bias == -INFINITY ? 0 : fabs(bias));
    }
}

size_t tolk_screening_bytes(size_t n, size_t d)
{
    return tolk_panels_packs_int8(d) ? tolk_panels_bytes(TOLK_PANELS_INT8, n, d) : 0;
}

struct tolk_screening *tolk_screening_make(const struct tolk_panels *projection, const real *e,
                                           const real *b, void *room, struct tolk_error *error)
{
    struct tolk_screening *const screening = calloc(1, sizeof *screening);
    if (screening == NULL) {
        tolk_error_set(error, "out of memory");
        return NULL;
    }
    screening->exact = projection;
    screening->b = b;
    screening->bytes = projection;
    if (projection->int8 == NULL) {
        assert(tolk_screening_bytes(projection->n, projection->k) > 0);
        screening->bytes = &screening->own;
        tolk_panels_pack(&screening->own, TOLK_PANELS_INT8, projection->n, projection->k, e,
                         projection->k, room);
    }
    take_measures(screening, projection->int8 == NULL ? e : NULL);
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
    const real *maxima; /* [panels], of 8-bit integers */
    real *logits;       /* [n], room */
    size_t panels;      /* computed */
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

static void compute(struct row *row, size_t begin, size_t end)
{
    const struct tolk_screening *const screening = row->screening;
    tolk_panels_multiply_columns(screening->exact, begin, end, row->h, screening->b, row->logits);
    consider(row, begin, end);
}

/* A panel of the 8-bit integers, whole panels of the exact ones, which may be wider. */
static void compute_panel(struct row *row, size_t panel)
{
    const struct tolk_panels *const exact = row->screening->exact;
    const size_t width = tolk_panels_width(row->screening->bytes);
    const size_t grain = tolk_panels_width(exact);
    const size_t begin = panel * width / grain * grain;
    const size_t end = ((panel + 1) * width + grain - 1) / grain * grain;
    compute(row, begin, end < exact->n ? end : exact->n);
    row->panels++;
}

/* How far a logit of 8-bit integers may be from the exact one. */
static double tolerance(const struct tolk_screening *screening, const real *h)
{
    const size_t k = screening->exact->k;
    real magnitude = 0;
    if (screening->bytes == screening->exact) {
        return isfinite(screening->length + screening->bias) ? SMALLEST : INFINITY;
    }
#pragma omp simd reduction(max : magnitude)
    for (size_t p = 0; p < k; p++) {
        const real x = h[p] < 0 ? -h[p] : h[p];
        magnitude = x > magnitude ? x : magnitude;
    }
    const double length = length_of(k, h); /* NaN where a number is */
    const double loss = loss_of(k, (double)magnitude / TOLK_INT8_LARGEST);
    const double rounding = (STEPS_BESIDE_K + 2 * (double)k) * LAST_PLACE *
                            ((length + loss) * screening->length + screening->bias);
    return loss * screening->length + length * screening->loss + rounding + SMALLEST;
}

/* No panel whose maximum is up to this has a logit as great. */
static real bound_for(const struct row *row, double off)
{
    const double bound = (double)row->greatest.logit - off;
    return (real)(bound - fabs(bound) * 2 * LAST_PLACE);
}

/* False when so many logits are near the greatest that the search was given up. */
static bool search(struct row *row)
{
    const struct tolk_screening *const screening = row->screening;
    const struct tolk_row_kernels *const kernels = tolk_isa()->rows;
    const size_t panels = tolk_panels_count(screening->bytes);
    const size_t most = 1 + panels / WORTH;
    const double off = tolerance(screening, row->h);
    const real top = kernels->maximum(panels, row->maxima);
    if (!isfinite(off) || !isfinite(top)) {
        return false;
    }
    /* What seems the greatest comes first, and excludes most. */
    const real beside = top - (real)(off / 256 + fabs((double)top) * 2 * LAST_PLACE);
    const size_t first = kernels->next_above(0, panels, row->maxima, beside);
    compute_panel(row, first);
    for (size_t panel = 0; row->panels <= most; panel++) {
        panel = kernels->next_above(panel, panels, row->maxima, bound_for(row, off));
        if (panel >= panels) {
            return true;
        }
        if (panel != first) {
            compute_panel(row, panel);
        }
    }
    return false;
}

/* By the logits of all, which are computed unless `known`. */
static struct tolk_greatest among_all(struct row *row, bool known)
{
    const size_t n = row->screening->exact->n;
    row->greatest = NOTHING;
    if (known) {
        consider(row, 0, n);
    } else {
        compute(row, 0, n);
    }
    return row->greatest;
}

bool tolk_screening_find(const struct tolk_screening *screening, size_t rows, const real *h,
                         int32_t barred, real *room, struct tolk_greatest *greatest)
{
    const size_t k = screening->exact->k;
    const size_t panels = tolk_panels_count(screening->bytes);
    real *const logits = room + rows * screening->exact->n;
    bool paid = true;
    tolk_panels_maxima(screening->bytes, rows, h, k, screening->b, room);
    for (size_t r = 0; r < rows; r++) {
        struct row row = {screening, h + r * k, barred, room + r * panels, logits, 0, NOTHING};
        const bool found = search(&row);
        greatest[r] = found ? row.greatest : among_all(&row, false);
        paid = paid && found;
    }
    return paid;
}

void tolk_screening_find_among_all(const struct tolk_screening *screening, size_t rows,
                                   const real *h, int32_t barred, real *room,
                                   struct tolk_greatest *greatest)
{
    const size_t n = screening->exact->n;
    const size_t k = screening->exact->k;
    tolk_panels_multiply(screening->exact, rows, h, k, screening->b, false, room, n);
    for (size_t r = 0; r < rows; r++) {
        struct row row = {screening, h + r * k, barred, NULL, room + r * n, 0, NOTHING};
        greatest[r] = among_all(&row, true);
    }
}
