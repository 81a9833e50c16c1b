#include "train/batches.h"

#include <stdlib.h>
#include <string.h>

/* A sentence on its way into a batch. */
struct place {
    size_t sentence;
    size_t rows; /* source and target */
    size_t rank; /* where the shuffle put it, which decides between equals */
};

static size_t source_rows(const struct tolk_examples *examples, size_t i)
{
    return examples->source_begin[i + 1] - examples->source_begin[i];
}

static size_t target_rows(const struct tolk_examples *examples, size_t i)
{
    return examples->target_begin[i + 1] - examples->target_begin[i];
}

static int by_length(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->rows != b->rows) {
        return a->rows < b->rows ? -1 : 1;
    }
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* The sentences that are short enough, shuffled, sorted within their pools. */
static size_t line_up(const struct tolk_examples *examples,
                      const struct tolk_batches_options *options, const struct tolk_random_key *key,
                      size_t *order, struct place *places)
{
    size_t count = 0;
    for (size_t i = 0; i < examples->count; i++) {
        const size_t source = source_rows(examples, i);
        const size_t target = target_rows(examples, i);
        if (source <= options->max_length && target <= options->max_length &&
            source + target <= options->budget) {
            order[count++] = i;
        }
    }
    if (key != NULL) {
        tolk_random_shuffle(*key, order, count);
    }
    for (size_t i = 0; i < count; i++) {
        const size_t rows = source_rows(examples, order[i]) + target_rows(examples, order[i]);
        places[i] = (struct place){order[i], rows, i};
    }
    if (key != NULL && options->pool > 1) {
        for (size_t i = 0; i < count; i += options->pool) {
            const size_t rest = count - i;
            qsort(places + i, rest < options->pool ? rest : options->pool, sizeof *places,
                  by_length);
        }
    }
    return count;
}

/* Cuts the line into batches; begin [batches + 1] are places. Returns the number of batches. */
static size_t cut(const struct place *places, size_t count, size_t budget, size_t *begin)
{
    size_t batches = 0;
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || rows + places[i].rows > budget) {
            begin[batches++] = i;
            rows = 0;
        }
        rows += places[i].rows;
    }
    begin[batches] = count;
    return batches;
}

/* Room for the rows of the largest batch. */
static int make_room(struct tolk_batches *batches, const struct tolk_examples *examples)
{
    size_t sentences = 0;
    size_t most_source = 0;
    size_t most_target = 0;
    for (size_t b = 0; b < batches->count; b++) {
        const size_t in_batch = batches->begin[b + 1] - batches->begin[b];
        const size_t target = tolk_batches_target_rows(batches, examples, b);
        size_t source = 0;
        for (size_t i = batches->begin[b]; i < batches->begin[b + 1]; i++) {
            source += source_rows(examples, batches->order[i]);
        }
        sentences = in_batch > sentences ? in_batch : sentences;
        most_source = source > most_source ? source : most_source;
        most_target = target > most_target ? target : most_target;
    }
    batches->source_begin = calloc(sentences + 1, sizeof *batches->source_begin);
    batches->target_begin = calloc(sentences + 1, sizeof *batches->target_begin);
    batches->source = calloc(most_source, sizeof *batches->source);
    batches->target_input = calloc(most_target, sizeof *batches->target_input);
    batches->target_output = calloc(most_target, sizeof *batches->target_output);
    return batches->source_begin == NULL || batches->target_begin == NULL ||
                   batches->source == NULL || batches->target_input == NULL ||
                   batches->target_output == NULL
               ? -1
               : 0;
}

int tolk_batches_plan(struct tolk_batches *batches, const struct tolk_examples *examples,
                      const struct tolk_batches_options *options, const struct tolk_random_key *key,
                      struct tolk_error *error)
{
    int result = -1;
    const size_t n = examples->count;
    tolk_batches_free(batches);
    size_t *line = calloc(n + 1, sizeof *line);
    size_t *cuts = calloc(n + 2, sizeof *cuts);
    struct place *places = calloc(n + 1, sizeof *places);
    batches->order = calloc(n + 1, sizeof *batches->order);
    batches->begin = calloc(n + 2, sizeof *batches->begin);
    batches->start_id = options->start_id;
    if (line == NULL || cuts == NULL || places == NULL || batches->order == NULL ||
        batches->begin == NULL) {
        tolk_error_set(error, "out of memory for the order of %zu sentences", n);
        goto out;
    }
    const size_t count = line_up(examples, options, key, line, places);
    batches->left_out = n - count;
    batches->count = cut(places, count, options->budget, cuts);
    if (batches->count == 0) {
        tolk_error_set(error,
                       "no sentence pair left: expected at most %zu pieces a side and %zu in both, "
                       "all %zu pairs are longer",
                       options->max_length, options->budget, n);
        goto out;
    }
    for (size_t b = 0; b < batches->count; b++) {
        line[b] = b;
    }
    if (key != NULL) {
        const struct tolk_random_key second = {key->low ^ UINT32_C(0x9e3779b9), key->high};
        tolk_random_shuffle(second, line, batches->count);
    }
    size_t filled = 0;
    for (size_t b = 0; b < batches->count; b++) {
        batches->begin[b] = filled;
        for (size_t i = cuts[line[b]]; i < cuts[line[b] + 1]; i++) {
            batches->order[filled++] = places[i].sentence;
        }
    }
    batches->begin[batches->count] = filled;
    if (make_room(batches, examples) != 0) {
        tolk_error_set(error, "out of memory for a batch of %zu tokens", options->budget);
        goto out;
    }
    result = 0;
out:
    if (result != 0) {
        tolk_batches_free(batches);
    }
    free(line);
    free(cuts);
    free(places);
    return result;
}

void tolk_batches_free(struct tolk_batches *batches)
{
    free(batches->begin);
    free(batches->order);
    free(batches->source_begin);
    free(batches->target_begin);
    free(batches->source);
    free(batches->target_input);
    free(batches->target_output);
    memset(batches, 0, sizeof *batches);
}

size_t tolk_batches_target_rows(const struct tolk_batches *batches,
                                const struct tolk_examples *examples, size_t b)
{
    size_t rows = 0;
    for (size_t i = batches->begin[b]; i < batches->begin[b + 1]; i++) {
        rows += target_rows(examples, batches->order[i]);
    }
    return rows;
}

struct tolk_batch tolk_batches_get(struct tolk_batches *batches,
                                   const struct tolk_examples *examples, size_t b)
{
    const size_t first = batches->begin[b];
    const size_t sentences = batches->begin[b + 1] - first;
    size_t source = 0;
    size_t target = 0;
    for (size_t s = 0; s < sentences; s++) {
        const size_t i = batches->order[first + s];
        const size_t n = source_rows(examples, i);
        const size_t m = target_rows(examples, i);
        const int32_t *output = examples->target + examples->target_begin[i];
        batches->source_begin[s] = source;
        batches->target_begin[s] = target;
        memcpy(batches->source + source, examples->source + examples->source_begin[i],
               n * sizeof(int32_t));
        memcpy(batches->target_output + target, output, m * sizeof(int32_t));
        batches->target_input[target] = batches->start_id;
        memcpy(batches->target_input + target + 1, output, (m - 1) * sizeof(int32_t));
        source += n;
        target += m;
    }
    batches->source_begin[sentences] = source;
    batches->target_begin[sentences] = target;
    return (struct tolk_batch){
        .sentences = sentences,
        .source_begin = batches->source_begin,
        .source = batches->source,
        .target_begin = batches->target_begin,
        .target_input = batches->target_input,
        .target_output = batches->target_output,
    };
}
