/* Links of words become rows of pieces. */
#include "tests/support/suite.h"

#include "train/guidance.h"

/* A pair without links, then one: its first source word has two pieces, its second target word,
 * too; the last of each side is eos. The link 2-1 is possible alone; the last target word has none.
 */
static uint32_t source_words[] = {0, TOLK_NO_WORD, 0, 0, 1, 2, TOLK_NO_WORD};
static uint32_t target_words[] = {0, 1, TOLK_NO_WORD, 0, 1, 1, 2, 3, TOLK_NO_WORD};
static size_t source_begin[] = {0, 2, 7};
static size_t target_begin[] = {0, 3, 9};
static const struct tolk_examples examples = {
    .count = 2,
    .source_words = source_words,
    .target_words = target_words,
    .source_begin = source_begin,
    .target_begin = target_begin,
};
static struct tolk_link links[] = {{0, 0, false}, {0, 2, false}, {1, 2, false}, {2, 1, true}};
static struct tolk_pair items[] = {{.line = 1}, {.links = {links, 4, 4}, .line = 2}};
static const struct tolk_pairs pairs = {.items = items, .count = 2};

/* One batch of both, the second pair first; then one of the first pair alone. */
static size_t order[] = {1, 0, 0};
static size_t begin[] = {0, 2, 3};
static const struct tolk_batches batches = {.count = 2, .begin = begin, .order = order};

static void assert_guide(bool shift, const size_t *expected_begin, const uint32_t *expected_keys)
{
    enum { ROWS = 9 };
    struct tolk_guidance guidance = {.shift = shift};
    struct tolk_guide guide = {.layer = 3};
    struct tolk_error error;
    ck_assert_uint_eq(tolk_guidance_rows(&guidance, &pairs, &examples, &batches, 0), 3);
    ck_assert_uint_eq(tolk_guidance_rows(&guidance, &pairs, &examples, &batches, 1), 0);
    ck_assert_int_eq(tolk_guidance_map(&guidance, &pairs, &examples, &batches, 0, &guide, &error),
                     0);
    ck_assert_mem_eq(guide.begin, expected_begin, (ROWS + 1) * sizeof *guide.begin);
    ck_assert_mem_eq(guide.keys, expected_keys, guide.begin[ROWS] * sizeof *guide.keys);
    ck_assert_uint_eq(guide.layer, 3);
    ck_assert_int_eq(tolk_guidance_map(&guidance, &pairs, &examples, &batches, 1, &guide, &error),
                     0);
    ck_assert_uint_eq(guide.begin[3], 0);
    tolk_guidance_free(&guidance);
    ck_assert(guidance.shift == shift);
}

START_TEST(a_word_is_guided_where_it_is_the_input)
{
    const size_t expected_begin[] = {0, 0, 2, 2, 2, 5, 6, 6, 6, 6};
    const uint32_t expected_keys[] = {0, 1, 0, 1, 2, 4};
    assert_guide(true, expected_begin, expected_keys);
}
END_TEST

START_TEST(a_word_is_guided_where_it_is_the_output)
{
    const size_t expected_begin[] = {0, 2, 2, 2, 5, 6, 6, 6, 6, 6};
    const uint32_t expected_keys[] = {0, 1, 0, 1, 2, 4};
    assert_guide(false, expected_begin, expected_keys);
}
END_TEST

TOLK_SUITE("guidance", a_word_is_guided_where_it_is_the_input,
           a_word_is_guided_where_it_is_the_output)
