/* The beams of a search, given logits from elsewhere. */
#include "tests/support/suite.h"

#include <omp.h>

#include "infer/beams.h"

enum { EOS, PAD, START, FIRST, VOCABULARY = 6 };

static const real rows[2][VOCABULARY] = {{0, 9, 0, 3, 2, 1}, {5, 9, 0, 1, 1, 0}};

/* What a logits' maker sees of the threads. */
struct seen {
    size_t step, asked;
    int level;
};

static const real *row_of(void *context, size_t row)
{
    struct seen *seen = context;
    (void)row;
    seen->asked++;
    seen->level = omp_get_level() > seen->level ? omp_get_level() : seen->level;
    return rows[seen->step > 0];
}

START_TEST(a_lone_sentence_leaves_the_threads_to_who_makes_its_logits)
{
    const struct tolk_config config = {.vocab_size = VOCABULARY,
                                       .eos_token_id = EOS,
                                       .pad_token_id = PAD,
                                       .decoder_start_token_id = START,
                                       .max_position_embeddings = 10};
    const struct tolk_search_options options = {
        .beam = 2, .n_best = 2, .max_length_factor = 2, .max_length_constant = 10, .scores = true};
    const size_t begin[] = {0, 3};
    const struct tolk_batch batch = {.sentences = 1, .source_begin = begin};
    struct seen seen = {0};
    const struct tolk_select_logits logits = {row_of, &seen, NULL};
    struct tolk_hypotheses found = {0};
    struct tolk_beams beams;
    struct tolk_error error;
    omp_set_num_threads(2);
    ck_assert_int_eq(tolk_beams_begin(&beams, &config, &options, &batch, &error), 0);
    for (; beams.count > 0; seen.step++) {
        ck_assert_int_eq(tolk_beams_step(&beams, &logits, NULL, &error), 0);
    }
    ck_assert_int_eq(seen.level, 0);
    ck_assert_uint_ge(seen.asked, 2);
    ck_assert_int_eq(tolk_beams_collect(&beams, 1, &found, &error), 0);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.items[0].length, 2);
    ck_assert_int_eq(found.items[0].ids[0], FIRST);
    ck_assert_int_eq(found.items[0].ids[1], EOS);
    ck_assert_int_eq(found.items[1].ids[0], FIRST + 1);
    tolk_hypotheses_free(&found);
    tolk_beams_free(&beams);
}
END_TEST

TOLK_SUITE("beams", a_lone_sentence_leaves_the_threads_to_who_makes_its_logits)
