/* Two alignments, one of each direction, made into one. */
#ifndef TOLK_ALIGN_SYMMETRISE_H
#define TOLK_ALIGN_SYMMETRISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Koehn, Och & Marcu 2003, "Statistical Phrase-Based Translation"; Koehn et al. 2005. */
enum tolk_symmetrisation {
    TOLK_INTERSECTION,
    TOLK_UNION,
    TOLK_GROW_DIAG,
    TOLK_GROW_DIAG_FINAL,
    TOLK_GROW_DIAG_FINAL_AND,
    TOLK_SYMMETRISATIONS,
};

/* "intersection", "union", "grow-diag", … */
const char *tolk_symmetrisation_name(enum tolk_symmetrisation symmetrisation);

/* `forward` and `backward` [sources][targets] say which words either direction links; `joint`, of
 * the same shape, is filled. `covered` [sources + targets] is room. */
void tolk_symmetrise(enum tolk_symmetrisation symmetrisation, const bool *forward,
                     const bool *backward, size_t sources, size_t targets, bool *covered,
                     bool *joint);

#endif
