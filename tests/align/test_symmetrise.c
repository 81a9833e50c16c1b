/* Drawn by hand and worked through by the definitions of Koehn, Och & Marcu 2003 (and the pseudo
 * code of grow-diag-final in Koehn et al. 2005): rows are source words, columns target words. */
#include "tests/support/suite.h"

#include <string.h>

#include "align/symmetrise.h"

enum { MOST_WORDS = 8 };

/* `f` forward alone, `b` backward alone, `B` both; of a result, `#` is a link. */
struct drawing {
    size_t sources, targets;
    const char *given;
    const char *expected[TOLK_SYMMETRISATIONS];
};

static void check(const struct drawing *drawing, enum tolk_symmetrisation symmetrisation)
{
    const size_t area = drawing->sources * drawing->targets;
    bool forward[MOST_WORDS * MOST_WORDS], backward[MOST_WORDS * MOST_WORDS];
    bool joint[MOST_WORDS * MOST_WORDS], covered[2 * MOST_WORDS];
    char found[MOST_WORDS * MOST_WORDS + 1] = "";
    ck_assert_uint_eq(strlen(drawing->given), area);
    ck_assert_uint_eq(strlen(drawing->expected[symmetrisation]), area);
    for (size_t at = 0; at < area; at++) {
        forward[at] = strchr("fB", drawing->given[at]) != NULL;
        backward[at] = strchr("bB", drawing->given[at]) != NULL;
    }
    /* What the arrays held before does not matter. */
    memset(joint, 1, sizeof joint);
    memset(covered, 1, sizeof covered);
    tolk_symmetrise(symmetrisation, forward, backward, drawing->sources, drawing->targets, covered,
                    joint);
    for (size_t at = 0; at < area; at++) {
        found[at] = joint[at] ? '#' : '.';
    }
    ck_assert_msg(strcmp(found, drawing->expected[symmetrisation]) == 0,
                  "%s: expected %s, found %s", tolk_symmetrisation_name(symmetrisation),
                  drawing->expected[symmetrisation], found);
}

static void check_all(const struct drawing *drawing)
{
    for (int s = 0; s < TOLK_SYMMETRISATIONS; s++) {
        check(drawing, (enum tolk_symmetrisation)s);
    }
}

/* All five differ. From 0-0 the corner 1-1 is reached, whose word is free on either side; from
 * there 1-2, for the target word is free. 0-2 touches 1-1 and 1-2, but by then both its words have
 * a link. 3-3 touches nothing; 4-3 has one free word, which is enough for `final` and not for
 * `final-and`. */
START_TEST(follows_each_definition)
{
    check_all(&(struct drawing){
        5,
        5,
        "B.b.."
        ".fb.."
        "....."
        "...f."
        "...fb",
        {
            "#...."
            "....."
            "....."
            "....."
            ".....",

            "#.#.."
            ".##.."
            "....."
            "...#."
            "...##",

            "#...."
            ".##.."
            "....."
            "....."
            ".....",

            "#...."
            ".##.."
            "....."
            "...#."
            "...##",

            "#...."
            ".##.."
            "....."
            "...#."
            "....#",
        },
    });
}
END_TEST

/* Up and to the left each point is behind the sweep: growing goes on until nothing is added. */
START_TEST(grows_until_nothing_is_added)
{
    check(
        &(struct drawing){
            4,
            4,
            "f..."
            ".f.."
            "..b."
            "...B",
            {[TOLK_GROW_DIAG] = "#..."
                                ".#.."
                                "..#."
                                "...#"},
        },
        TOLK_GROW_DIAG);
}
END_TEST

/* 0-3 and 2-0 have no neighbour; the end of a row is no neighbour of the next row's begin. */
START_TEST(does_not_jump_or_wrap_round)
{
    check(
        &(struct drawing){
            3,
            4,
            "...B"
            "...."
            "ff..",
            {[TOLK_GROW_DIAG] = "...#"
                                "...."
                                "...."},
        },
        TOLK_GROW_DIAG);
    check(
        &(struct drawing){
            2,
            3,
            "..B"
            "f..",
            {[TOLK_GROW_DIAG] = "..#"
                                "..."},
        },
        TOLK_GROW_DIAG);
}
END_TEST

/* Without an intersection nothing grows; the forward links come first and take the words. */
START_TEST(finishes_forward_first)
{
    check_all(&(struct drawing){
        2,
        3,
        "fb."
        "..b",
        {
            "..."
            "...",

            "##."
            "..#",

            "..."
            "...",

            "##."
            "..#",

            "#.."
            "..#",
        },
    });
}
END_TEST

START_TEST(has_the_usual_names)
{
    ck_assert_str_eq(tolk_symmetrisation_name(TOLK_INTERSECTION), "intersection");
    ck_assert_str_eq(tolk_symmetrisation_name(TOLK_UNION), "union");
    ck_assert_str_eq(tolk_symmetrisation_name(TOLK_GROW_DIAG), "grow-diag");
    ck_assert_str_eq(tolk_symmetrisation_name(TOLK_GROW_DIAG_FINAL), "grow-diag-final");
    ck_assert_str_eq(tolk_symmetrisation_name(TOLK_GROW_DIAG_FINAL_AND), "grow-diag-final-and");
}
END_TEST

TOLK_SUITE("symmetrise", follows_each_definition, grows_until_nothing_is_added,
           does_not_jump_or_wrap_round, finishes_forward_first, has_the_usual_names)
