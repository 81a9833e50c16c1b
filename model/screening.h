/* The greatest logit of each row, to the bit, without computing all of them.
 *
 *     struct tolk_screening *screening = tolk_screening_make(&projection, E, b, room, &error);
 *     tolk_screening_find(screening, rows, h, pad, scratch, greatest);   // [rows + 1, n]
 *     tolk_screening_free(screening);
 *
 * A greedy search wants of the logits h Eᵀ + b of a row the greatest alone. The same product in
 * 8-bit integers, a quarter of the bytes, tells nearly all that cannot be it. Let ĥ and ŵ be h and
 * a row w of E as they are quantised, each number off by at most half of its row's scale. Then
 *
 *     h·w − ĥ·ŵ = (h − ĥ)·ŵ + h·(w − ŵ),
 *
 * at most ε = |h − ĥ| |ŵ| + |h| |w − ŵ| (Cauchy–Schwarz), where |h − ĥ| ≤ √d · scale / 2 and |w −
 * ŵ| likewise. What is more than ε below a logit that is known exactly is not the greatest. The few
 * that are left are computed from the packed E, whose panels give the bits of the whole product. */
#ifndef TOLK_MODEL_SCREENING_H
#define TOLK_MODEL_SCREENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/panels.h"
#include "model/real.h"

struct tolk_screening;

/* The greatest logit of a row, of equal ones the lowest id; -1 and -INFINITY when no logit is a
 * number above that. */
struct tolk_greatest {
    int32_t id;
    real logit;
};

/* The room that the screening of E [n, d] takes; 0 where this build has no 8-bit integers for it.
 */
size_t tolk_screening_bytes(size_t n, size_t d);

/* Quantises E, whose rows lie behind one another, into the room (64-byte aligned); `projection` is
 * the same packed, or put off, in real numbers. Or it is of 8-bit integers itself: then it is the
 * screening, without room, and spares a search the logits alone. All and the bias b [n] are lent;
 * when they change a new screening is wanted. NULL when there is no memory. */
struct tolk_screening *tolk_screening_make(const struct tolk_panels *projection, const real *e,
                                           const real *b, void *room, struct tolk_error *error);
void tolk_screening_free(struct tolk_screening *screening);

/* greatest[r] of h [rows, d], the id `barred` (or -1) left out. `room` [rows + 1, n] holds
 * nothing of use afterwards. False when the rows had so many logits close to their greatest that
 * the whole product would have been faster. */
bool tolk_screening_find(const struct tolk_screening *screening, size_t rows, const real *h,
                         int32_t barred, real *room, struct tolk_greatest *greatest);

/* The same by the whole product; room [rows, n]. */
void tolk_screening_find_among_all(const struct tolk_screening *screening, size_t rows,
                                   const real *h, int32_t barred, real *room,
                                   struct tolk_greatest *greatest);

#endif
