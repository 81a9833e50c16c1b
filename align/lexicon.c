#include "align/lexicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a distribution is divided by. */
struct tolk_lexicon_total {
    uint64_t count;
    size_t cells;
    double log_sum; /* ψ(count + α · cells) */
};

static size_t cell_count(const struct tolk_lexicon *lexicon)
{
    return lexicon->begin[lexicon->rows];
}

/* Where each source unit stands: the pairs of unit u are pairs[begin[u] … begin[u + 1]). */
struct places {
    size_t *begin;
    uint32_t *pairs;
};

static int find_places(struct places *places, const struct tolk_bitext *bitext)
{
    const struct tolk_text_side *const side = &bitext->sides[TOLK_SOURCE_SIDE];
    places->begin = calloc(side->vocabulary + 2, sizeof *places->begin);
    places->pairs = calloc(side->unit_count + 1, sizeof *places->pairs);
    if (places->begin == NULL || places->pairs == NULL) {
        return -1;
    }
    for (size_t i = 0; i < side->unit_count; i++) {
        places->begin[side->units[i].id + 2]++;
    }
    for (size_t u = 0; u < side->vocabulary; u++) {
        places->begin[u + 2] += places->begin[u + 1];
    }
    for (size_t pair = 0; pair < bitext->pairs; pair++) {
        for (size_t i = side->begin[pair]; i < side->begin[pair + 1]; i++) {
            places->pairs[places->begin[side->units[i].id + 1]++] = (uint32_t)pair;
        }
    }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The columns of a row into `columns`, rising; `seen` [columns] holds the row that last saw each.
 */
static size_t meet(const struct tolk_bitext *bitext, const struct places *places, size_t row,
                   size_t *seen, uint32_t *columns)
{
    const struct tolk_text_side *const side = &bitext->sides[TOLK_TARGET_SIDE];
    size_t count = 0;
    for (size_t p = places->begin[row]; p < places->begin[row + 1]; p++) {
        const size_t pair = places->pairs[p];
        for (size_t j = side->begin[pair]; j < side->begin[pair + 1]; j++) {
            const uint32_t id = side->units[j].id;
            if (seen[id] != row + 1) {
                seen[id] = row + 1;
                columns[count++] = id;
            }
        }
    }
    qsort(columns, count, sizeof *columns, compare_ids);
    return count;
}

static int make_cells(struct tolk_lexicon *lexicon, const struct tolk_bitext *bitext)
{
    struct places places = {0};
    size_t *const seen = calloc(lexicon->columns + 1, sizeof *seen);
    size_t capacity = lexicon->columns + bitext->sides[TOLK_TARGET_SIDE].unit_count;
    int status = -1;
    lexicon->begin = calloc(lexicon->rows + 1, sizeof *lexicon->begin);
    lexicon->column = malloc((capacity + 1) * sizeof *lexicon->column);
    if (seen == NULL || lexicon->begin == NULL || lexicon->column == NULL ||
        find_places(&places, bitext) != 0) {
        goto out;
    }
    for (size_t row = 0; row < lexicon->rows; row++) {
        const size_t used = lexicon->begin[row];
        if (capacity - used < lexicon->columns) {
            capacity = 2 * capacity;
            uint32_t *const column = realloc(lexicon->column, capacity * sizeof *column);
            if (column == NULL) {
                goto out;
            }
            lexicon->column = column;
        }
        lexicon->begin[row + 1] = used + meet(bitext, &places, row, seen, lexicon->column + used);
    }
    status = 0;
out:
    free(places.begin);
    free(places.pairs);
    free(seen);
    return status;
}

static int make_direction(struct tolk_lexicon_direction *direction, size_t cells, size_t generated)
{
    direction->given = calloc(cells + 1, sizeof *direction->given);
    direction->null = calloc(generated + 1, sizeof *direction->null);
    direction->given_count = calloc(cells + 1, sizeof *direction->given_count);
    direction->null_count = calloc(generated + 1, sizeof *direction->null_count);
    return direction->given == NULL || direction->null == NULL || direction->given_count == NULL ||
                   direction->null_count == NULL
               ? -1
               : 0;
}

int tolk_lexicon_make(struct tolk_lexicon *lexicon, const struct tolk_bitext *bitext,
                      struct tolk_error *error)
{
    *lexicon = (struct tolk_lexicon){
        .rows = bitext->sides[TOLK_SOURCE_SIDE].vocabulary,
        .columns = bitext->sides[TOLK_TARGET_SIDE].vocabulary,
    };
    lexicon->column_totals = calloc(lexicon->columns + 1, sizeof *lexicon->column_totals);
    if (lexicon->column_totals == NULL || make_cells(lexicon, bitext) != 0 ||
        make_direction(&lexicon->directions[TOLK_SOURCE_SIDE], cell_count(lexicon),
                       lexicon->columns) != 0 ||
        make_direction(&lexicon->directions[TOLK_TARGET_SIDE], cell_count(lexicon),
                       lexicon->rows) != 0) {
        tolk_lexicon_free(lexicon);
        return tolk_error_set(error, "out of memory for a lexicon of %zu × %zu words",
                              lexicon->rows, lexicon->columns);
    }
    tolk_lexicon_estimate(lexicon, 1);
    return 0;
}

void tolk_lexicon_free(struct tolk_lexicon *lexicon)
{
    for (size_t d = 0; d < TOLK_SIDES; d++) {
        free(lexicon->directions[d].given);
        free(lexicon->directions[d].null);
        free(lexicon->directions[d].given_count);
        free(lexicon->directions[d].null_count);
    }
    free(lexicon->begin);
    free(lexicon->column);
    free(lexicon->column_totals);
    *lexicon = (struct tolk_lexicon){0};
}

size_t tolk_lexicon_cell(const struct tolk_lexicon *lexicon, uint32_t source, uint32_t target)
{
    size_t low = lexicon->begin[source], high = lexicon->begin[source + 1];
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (lexicon->column[middle] <= target) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void tolk_lexicon_forget_counts(struct tolk_lexicon *lexicon)
{
    const size_t generated[TOLK_SIDES] = {lexicon->columns, lexicon->rows};
    for (size_t d = 0; d < TOLK_SIDES; d++) {
        struct tolk_lexicon_direction *const direction = &lexicon->directions[d];
        memset(direction->given_count, 0, cell_count(lexicon) * sizeof *direction->given_count);
        memset(direction->null_count, 0, generated[d] * sizeof *direction->null_count);
    }
}

/* ψ(x), x > 0: the recurrence up to where the asymptotic series has twelve digits. */
static double digamma(double x)
{
    enum { LARGE = 7 };
    double sum = 0;
    for (; x < LARGE; x++) {
        sum -= 1 / x;
    }
    const double y = 1 / (x * x);
    return sum + log(x) - 0.5 / x -
           y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))));
}

static double counted(uint64_t count)
{
    return (double)count * 0x1p-32;
}

/* Nothing is impossible: a pair whose every alignment had underflowed to 0 would divide by it. */
static const double LEAST = 1e-30;

static float estimate(uint64_t count, double alpha, const struct tolk_lexicon_total *total)
{
    return (float)fmax(exp(digamma(counted(count) + alpha) - total->log_sum), LEAST);
}

static void close_total(struct tolk_lexicon_total *total, double alpha)
{
    total->log_sum = digamma(counted(total->count) + alpha * (double)total->cells);
}

static void estimate_null(struct tolk_lexicon_direction *direction, size_t cells, double alpha)
{
    struct tolk_lexicon_total total = {0, cells, 0};
    for (size_t i = 0; i < cells; i++) {
        total.count += direction->null_count[i];
    }
    close_total(&total, alpha);
    for (size_t i = 0; i < cells; i++) {
        direction->null[i] = estimate(direction->null_count[i], alpha, &total);
    }
}

static void total_columns(struct tolk_lexicon *lexicon, double alpha)
{
    const struct tolk_lexicon_direction *const up = &lexicon->directions[TOLK_TARGET_SIDE];
    struct tolk_lexicon_total *const totals = lexicon->column_totals;
    memset(totals, 0, lexicon->columns * sizeof *totals);
    for (size_t cell = 0; cell < cell_count(lexicon); cell++) {
        /* Each cell's column was written as it was found. NOLINTNEXTLINE(clang-analyzer-core.*) */
        totals[lexicon->column[cell]].count += up->given_count[cell];
        totals[lexicon->column[cell]].cells++;
    }
    for (size_t column = 0; column < lexicon->columns; column++) {
        close_total(&totals[column], alpha);
    }
}

static void estimate_row(struct tolk_lexicon *lexicon, size_t row, double alpha)
{
    struct tolk_lexicon_direction *const down = &lexicon->directions[TOLK_SOURCE_SIDE];
    struct tolk_lexicon_direction *const up = &lexicon->directions[TOLK_TARGET_SIDE];
    const size_t begin = lexicon->begin[row], end = lexicon->begin[row + 1];
    struct tolk_lexicon_total total = {0, end - begin, 0};
    for (size_t cell = begin; cell < end; cell++) {
        total.count += down->given_count[cell];
    }
    close_total(&total, alpha);
    for (size_t cell = begin; cell < end; cell++) {
        down->given[cell] = estimate(down->given_count[cell], alpha, &total);
        up->given[cell] =
            estimate(up->given_count[cell], alpha, &lexicon->column_totals[lexicon->column[cell]]);
    }
}

void tolk_lexicon_estimate(struct tolk_lexicon *lexicon, double alpha)
{
    enum { ROWS_AT_ONCE = 64 };
    total_columns(lexicon, alpha);
#pragma omp parallel for schedule(dynamic, ROWS_AT_ONCE)
    for (size_t row = 0; row < lexicon->rows; row++) {
        estimate_row(lexicon, row, alpha);
    }
    estimate_null(&lexicon->directions[TOLK_SOURCE_SIDE], lexicon->columns, alpha);
    estimate_null(&lexicon->directions[TOLK_TARGET_SIDE], lexicon->rows, alpha);
}
