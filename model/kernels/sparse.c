/* Rows of which most numbers are zero, as a ReLU leaves them: those are passed over. */
#include "model/kernels/compress.h"
#include "model/kernels/target.h"
#include "model/kernels/tiles.h"

/* ---- what is not zero ---------------------------------------------------------------------------
 */

/* Of one vector, the first at step p; a NaN is no zero. */
static inline size_t gather_vector(size_t p, tolk_vector v, real *values, uint32_t *steps)
{
#if defined(__AVX512F__) && !defined(TOLK_REAL_DOUBLE)
    const uint32_t is = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    return tolk_compress_16(is, (__m512i)v, p, values, steps);
#elif defined(__AVX2__) && !defined(TOLK_REAL_DOUBLE)
    const int is = _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    return tolk_compress_8((uint32_t)is, (__m256i)v, p, values, steps);
#else
    size_t count = 0;
    TOLK_UNROLL
    for (size_t i = 0; i < TOLK_LANES; i++) { /* a branch would be foreseen badly */
        values[count] = v[i];
        steps[count] = (uint32_t)(p + i);
        count += v[i] != 0;
    }
    return count;
#endif
}

static size_t gather(size_t p, size_t k, const real *x, real *values, uint32_t *steps)
{
    const size_t end = p + k;
    size_t count = 0;
    for (; p + TOLK_LANES <= end; p += TOLK_LANES, x += TOLK_LANES) {
        count += gather_vector(p, tolk_load(x), values + count, steps + count);
    }
    if (p < end) {
        count += gather_vector(p, tolk_load_part(x, end - p), values + count, steps + count);
    }
    return count;
}

/* ---- the product --------------------------------------------------------------------------------
 */

enum {
    PANELS = TOLK_SPARSE_PANELS,
    WIDTH = PANELS * TOLK_PANEL_COLUMNS,
    CHUNK = TOLK_SPARSE_BYTES / sizeof(real) / WIDTH,
};

_Static_assert((int)CHUNK >= (int)TOLK_SPARSE_CHUNK_LEAST, "who gathers has room for the ends");

/* A row's sums on their way from chunk to chunk. */
typedef real row_sums[WIDTH];

/* What lies where: the numbers of a row in one chunk, and the panels of B, `step` words apart. */
struct piece {
    size_t count;
    const real *values;
    const uint32_t *steps;
    const real *b;
    size_t step;
};

/* Adds a piece to the sums, of which `panels` are used. */
static inline __attribute__((always_inline)) void add(size_t panels, const struct piece *piece,
                                                      real *sums)
{
    tolk_vector sum[PANELS][TOLK_PANEL_VECTORS];
    TOLK_UNROLL
    for (size_t j = 0; j < panels; j++) {
        TOLK_UNROLL
        for (size_t v = 0; v < TOLK_PANEL_VECTORS; v++) {
            sum[j][v] = tolk_load(sums + j * TOLK_PANEL_COLUMNS + v * TOLK_LANES);
        }
    }
    for (size_t i = 0; i < piece->count; i++) {
        const real value = piece->values[i];
        const real *row = piece->b + (size_t)piece->steps[i] * TOLK_PANEL_COLUMNS;
        TOLK_UNROLL
        for (size_t j = 0; j < panels; j++) {
            TOLK_UNROLL
            for (size_t v = 0; v < TOLK_PANEL_VECTORS; v++) {
                sum[j][v] += value * tolk_load(row + j * piece->step + v * TOLK_LANES);
            }
        }
    }
    TOLK_UNROLL
    for (size_t j = 0; j < panels; j++) {
        TOLK_UNROLL
        for (size_t v = 0; v < TOLK_PANEL_VECTORS; v++) {
            tolk_store(sums + j * TOLK_PANEL_COLUMNS + v * TOLK_LANES, sum[j][v]);
        }
    }
}

/* `panels` of B from b on, the columns of C from `column` on. */
static void multiply_panels(const struct tolk_sparse_rows *a, size_t panels, const real *b,
                            size_t column, size_t columns, const struct tolk_gemm_target *t)
{
    row_sums sums[TOLK_SPARSE_ROWS];
    memset(sums, 0, a->m * sizeof *sums);
    for (size_t chunk = 0; chunk < a->chunks; chunk++) {
        for (size_t i = 0; i < a->m; i++) {
            const size_t place = i * a->chunks + chunk;
            const size_t begin = place > 0 ? a->ends[place - 1] : 0;
            const struct piece piece = {a->ends[place] - begin, a->values + begin, a->steps + begin,
                                        b, TOLK_PANEL_COLUMNS * a->k};
#define ADD(count) add(count, &piece, sums[i])
            TOLK_OF_HEIGHT(panels, PANELS, ADD)
#undef ADD
        }
    }
    for (size_t i = 0; i < a->m; i++) {
        for (size_t c = 0; c < WIDTH; c += TOLK_LANES) {
            tolk_target_put_at(t, t->c + i * t->ldc + column, column, c, columns,
                               tolk_load(sums[i] + c));
        }
    }
}

static void multiply(const struct tolk_sparse_rows *a, size_t n, const real *b_words,
                     const struct tolk_gemm_target *target)
{
    for (size_t j = 0; j < n; j += WIDTH) {
        const size_t columns = n - j < WIDTH ? n - j : WIDTH;
        multiply_panels(a, (columns + TOLK_PANEL_COLUMNS - 1) / TOLK_PANEL_COLUMNS,
                        b_words + j * a->k, j, columns, target);
    }
}

const struct tolk_sparse_kernels TOLK_KERNEL(tolk_sparse_kernels) = {
    .chunk = CHUNK,
    .gather = gather,
    .multiply = multiply,
};
