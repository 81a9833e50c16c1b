#include "align/symmetrise.h"

#include <string.h>

static const char *const NAMES[TOLK_SYMMETRISATIONS] = {
    "intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and",
};

const char *tolk_symmetrisation_name(enum tolk_symmetrisation symmetrisation)
{
    return NAMES[symmetrisation];
}

struct grid {
    const bool *forward, *backward;
    size_t sources, targets;
    bool *source_covered, *target_covered;
    bool *joint;
};

static void put(const struct grid *grid, size_t i, size_t j)
{
    grid->joint[i * grid->targets + j] = true;
    grid->source_covered[i] = true;
    grid->target_covered[j] = true;
}

static bool in_union(const struct grid *grid, size_t i, size_t j)
{
    return grid->forward[i * grid->targets + j] || grid->backward[i * grid->targets + j];
}

/* Adds a neighbour of (i, j), in the order of the definition: those at the sides, then those at the
 * corners. True where one was added. */
static bool grow_from(const struct grid *grid, size_t i, size_t j)
{
    static const int neighbours[][2] = {{-1, 0},  {0, -1}, {1, 0},  {0, 1},
                                        {-1, -1}, {-1, 1}, {1, -1}, {1, 1}};
    bool grew = false;
    for (size_t n = 0; n < sizeof neighbours / sizeof neighbours[0]; n++) {
        /* Below 0 wraps round to far beyond the sentence. */
        const size_t row = i + (size_t)neighbours[n][0], column = j + (size_t)neighbours[n][1];
        if (row < grid->sources && column < grid->targets &&
            !grid->joint[row * grid->targets + column] && in_union(grid, row, column) &&
            (!grid->source_covered[row] || !grid->target_covered[column])) {
            put(grid, row, column);
            grew = true;
        }
    }
    return grew;
}

static void grow_diagonal(const struct grid *grid)
{
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i < grid->sources; i++) {
            for (size_t j = 0; j < grid->targets; j++) {
                if (grid->joint[i * grid->targets + j]) {
                    grew = grow_from(grid, i, j) || grew;
                }
            }
        }
    }
}

/* Links of one direction to words that have none: on either side, or on both. */
static void finish(const struct grid *grid, const bool *links, bool both)
{
    for (size_t i = 0; i < grid->sources; i++) {
        for (size_t j = 0; j < grid->targets; j++) {
            const bool source_free = !grid->source_covered[i];
            const bool target_free = !grid->target_covered[j];
            if (links[i * grid->targets + j] &&
                (both ? source_free && target_free : source_free || target_free)) {
                put(grid, i, j);
            }
        }
    }
}

void tolk_symmetrise(enum tolk_symmetrisation symmetrisation, const bool *forward,
                     const bool *backward, size_t sources, size_t targets, bool *covered,
                     bool *joint)
{
    const struct grid grid = {forward, backward,          sources, targets,
                              covered, covered + sources, joint};
    memset(covered, 0, (sources + targets) * sizeof *covered);
    memset(joint, 0, sources * targets * sizeof *joint);
    for (size_t i = 0; i < sources; i++) {
        for (size_t j = 0; j < targets; j++) {
            const size_t at = i * targets + j;
            if (symmetrisation == TOLK_UNION ? forward[at] || backward[at]
                                             : forward[at] && backward[at]) {
                put(&grid, i, j);
            }
        }
    }
    if (symmetrisation >= TOLK_GROW_DIAG) {
        grow_diagonal(&grid);
    }
    if (symmetrisation >= TOLK_GROW_DIAG_FINAL) {
        const bool both = symmetrisation == TOLK_GROW_DIAG_FINAL_AND;
        finish(&grid, forward, both);
        finish(&grid, backward, both);
    }
}
