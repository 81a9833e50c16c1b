#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "train/batches.h"

enum { SENTENCES = 500, START = 99, BUDGET = 64, MAX_LENGTH = 20 };

/* Sentence i has `lengths` that a hash says; its ids say whose they are. */
static struct tolk_examples make_examples(size_t count)
{
    const struct tolk_random_key key = tolk_random_key(3, 1, 4);
    struct tolk_examples examples = {.count = count};
    examples.source_begin = calloc(count + 1, sizeof(size_t));
    examples.target_begin = calloc(count + 1, sizeof(size_t));
    for (size_t i = 0; i < count; i++) {
        examples.source_begin[i + 1] =
            examples.source_begin[i] + 1 + tolk_random_below(key, (uint32_t)i, 15);
        examples.target_begin[i + 1] =
            examples.target_begin[i] + 1 + tolk_random_below(key, (uint32_t)(count + i), 15);
    }
    examples.source = calloc(examples.source_begin[count], sizeof(int32_t));
    examples.target = calloc(examples.target_begin[count], sizeof(int32_t));
    for (size_t i = 0; i < count; i++) {
        for (size_t j = examples.source_begin[i]; j + 1 < examples.source_begin[i + 1]; j++) {
            examples.source[j] = (int32_t)(1000 + i);
        }
        for (size_t j = examples.target_begin[i]; j + 1 < examples.target_begin[i + 1]; j++) {
            examples.target[j] = (int32_t)(2000 + i);
        }
    }
    return examples;
}

static const struct tolk_batches_options OPTIONS = {BUDGET, MAX_LENGTH, 100, START};

static void check_batch(const struct tolk_examples *examples, const struct tolk_batches *batches,
                        const struct tolk_batch *batch, size_t b, size_t *seen)
{
    ck_assert_uint_le(tolk_batch_source_rows(batch) + tolk_batch_target_rows(batch), BUDGET);
    ck_assert_uint_eq(tolk_batch_target_rows(batch),
                      tolk_batches_target_rows(batches, examples, b));
    for (size_t s = 0; s < batch->sentences; s++) {
        const size_t i = batches->order[batches->begin[b] + s];
        const size_t source = batch->source_begin[s];
        const size_t n = batch->source_begin[s + 1] - source;
        const size_t target = batch->target_begin[s];
        const size_t m = batch->target_begin[s + 1] - target;
        seen[i]++;
        ck_assert_uint_eq(n, examples->source_begin[i + 1] - examples->source_begin[i]);
        ck_assert_uint_eq(m, examples->target_begin[i + 1] - examples->target_begin[i]);
        ck_assert_mem_eq(batch->source + source, examples->source + examples->source_begin[i],
                         n * sizeof(int32_t));
        ck_assert_mem_eq(batch->target_output + target,
                         examples->target + examples->target_begin[i], m * sizeof(int32_t));
        ck_assert_int_eq(batch->target_input[target], START);
        for (size_t j = 1; j < m; j++) {
            ck_assert_int_eq(batch->target_input[target + j], batch->target_output[target + j - 1]);
        }
    }
}

START_TEST(each_sentence_once_within_the_budget)
{
    struct tolk_examples examples = make_examples(SENTENCES);
    struct tolk_batches batches = {0};
    struct tolk_error error;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        const struct tolk_random_key key = tolk_random_key(1, epoch, 0);
        size_t seen[SENTENCES] = {0};
        ck_assert_int_eq(tolk_batches_plan(&batches, &examples, &OPTIONS, &key, &error), 0);
        ck_assert_uint_eq(batches.left_out, 0);
        for (size_t b = 0; b < batches.count; b++) {
            const struct tolk_batch batch = tolk_batches_get(&batches, &examples, b);
            check_batch(&examples, &batches, &batch, b, seen);
        }
        for (size_t i = 0; i < SENTENCES; i++) {
            ck_assert_uint_eq(seen[i], 1);
        }
    }
    tolk_batches_free(&batches);
    tolk_examples_free(&examples);
}
END_TEST

START_TEST(order_depends_on_the_key_alone)
{
    struct tolk_examples examples = make_examples(SENTENCES);
    struct tolk_batches first = {0};
    struct tolk_batches second = {0};
    struct tolk_error error;
    const struct tolk_random_key key = tolk_random_key(1, 0, 0);
    const struct tolk_random_key other = tolk_random_key(1, 1, 0);
    ck_assert_int_eq(tolk_batches_plan(&first, &examples, &OPTIONS, &key, &error), 0);
    ck_assert_int_eq(tolk_batches_plan(&second, &examples, &OPTIONS, &other, &error), 0);
    ck_assert_int_ne(memcmp(first.order, second.order, SENTENCES * sizeof(size_t)), 0);
    ck_assert_int_eq(tolk_batches_plan(&second, &examples, &OPTIONS, &key, &error), 0);
    ck_assert_uint_eq(first.count, second.count);
    ck_assert_mem_eq(first.order, second.order, SENTENCES * sizeof(size_t));
    ck_assert_mem_eq(first.begin, second.begin, (first.count + 1) * sizeof(size_t));
    tolk_batches_free(&first);
    tolk_batches_free(&second);
    tolk_examples_free(&examples);
}
END_TEST

/* Without a pool a batch holds sentences of all lengths, with one of about the same. */
START_TEST(lengths_stand_together)
{
    struct tolk_examples examples = make_examples(SENTENCES);
    struct tolk_batches batches = {0};
    struct tolk_error error;
    const struct tolk_random_key key = tolk_random_key(1, 0, 0);
    size_t spread[2] = {0, 0};
    for (size_t sorted = 0; sorted < 2; sorted++) {
        struct tolk_batches_options options = OPTIONS;
        options.pool = sorted ? SENTENCES : 1;
        ck_assert_int_eq(tolk_batches_plan(&batches, &examples, &options, &key, &error), 0);
        for (size_t b = 0; b < batches.count; b++) {
            const struct tolk_batch batch = tolk_batches_get(&batches, &examples, b);
            size_t least = SIZE_MAX;
            size_t most = 0;
            for (size_t s = 0; s < batch.sentences; s++) {
                const size_t rows = batch.source_begin[s + 1] - batch.source_begin[s] +
                                    batch.target_begin[s + 1] - batch.target_begin[s];
                least = rows < least ? rows : least;
                most = rows > most ? rows : most;
            }
            spread[sorted] += most - least;
        }
    }
    ck_assert_uint_lt(4 * spread[1], spread[0]);
    tolk_batches_free(&batches);
    tolk_examples_free(&examples);
}
END_TEST

START_TEST(leaves_out_what_is_too_long)
{
    struct tolk_examples examples = make_examples(SENTENCES);
    struct tolk_batches batches = {0};
    struct tolk_error error;
    struct tolk_batches_options options = OPTIONS;
    size_t longer = 0;
    options.max_length = 10;
    for (size_t i = 0; i < SENTENCES; i++) {
        longer += examples.source_begin[i + 1] - examples.source_begin[i] > 10 ||
                  examples.target_begin[i + 1] - examples.target_begin[i] > 10;
    }
    ck_assert_int_eq(tolk_batches_plan(&batches, &examples, &options, NULL, &error), 0);
    ck_assert_uint_eq(batches.left_out, longer);
    ck_assert_uint_eq(batches.begin[batches.count], SENTENCES - longer);
    for (size_t i = 1; i < SENTENCES - longer; i++) {
        ck_assert_uint_lt(batches.order[i - 1], batches.order[i]);
    }
    options.max_length = 0;
    ck_assert_int_eq(tolk_batches_plan(&batches, &examples, &options, NULL, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "all 500 pairs are longer"));
    tolk_batches_free(&batches);
    tolk_examples_free(&examples);
}
END_TEST

TOLK_SUITE("batches", each_sentence_once_within_the_budget, order_depends_on_the_key_alone,
           lengths_stand_together, leaves_out_what_is_too_long)
