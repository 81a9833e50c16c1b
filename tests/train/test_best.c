#include "tests/support/suite.h"

#include <math.h>

#include "train/best.h"
#include "train/options.h"

static bool better(double loss, double bleu, size_t by)
{
    const struct tolk_cursor best = {.best_update = 50, .best_loss = 2, .best_bleu = 30};
    const struct tolk_validation_scores scores = {.loss = loss, .bleu = bleu};
    return tolk_is_best(&scores, &best, by);
}

START_TEST(judges_by_what_was_asked_for)
{
    ck_assert(better(3, 31, TOLK_BEST_BY_BLEU));
    ck_assert(!better(1, 29, TOLK_BEST_BY_BLEU));
    ck_assert(better(1, 29, TOLK_BEST_BY_LOSS));
    ck_assert(!better(3, 31, TOLK_BEST_BY_LOSS));
}
END_TEST

START_TEST(the_loss_breaks_a_tie)
{
    ck_assert(better(1, 30, TOLK_BEST_BY_BLEU));
    ck_assert(!better(2, 30, TOLK_BEST_BY_BLEU));
    ck_assert(!better(3, 30, TOLK_BEST_BY_BLEU));
}
END_TEST

START_TEST(the_first_is_the_best_where_it_is_finite)
{
    const struct tolk_cursor none = {.best_update = 0};
    struct tolk_validation_scores scores = {.loss = 9, .bleu = 0};
    ck_assert(tolk_is_best(&scores, &none, TOLK_BEST_BY_BLEU));
    scores.loss = (double)NAN;
    ck_assert(!tolk_is_best(&scores, &none, TOLK_BEST_BY_BLEU));
    ck_assert(!better((double)NAN, 99, TOLK_BEST_BY_BLEU));
}
END_TEST

TOLK_SUITE("best", judges_by_what_was_asked_for, the_loss_breaks_a_tie,
           the_first_is_the_best_where_it_is_finite)
