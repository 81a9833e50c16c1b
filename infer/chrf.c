#include "infer/chrf.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "infer/ngrams.h"

_Static_assert((int)TOLK_CHRF_ORDER <= (int)TOLK_NGRAMS_LONGEST, "one sort serves all orders");

enum { BETA = 2 };

const char TOLK_CHRF_SIGNATURE[] = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0";

/* The code points that are not white space. A byte that is not UTF-8 becomes a unit that no code
 * point equals. */
static int split(const char *text, struct tolk_units *units)
{
    enum { BEYOND_UNICODE = 0x110000 };
    const size_t size = strlen(text);
    units->count = 0;
    units->items = malloc((size + 1) * sizeof *units->items);
    if (units->items == NULL) {
        return -1;
    }
    for (size_t at = 0; at < size;) {
        uint32_t point = 0;
        size_t length = tolk_utf8_decode(text + at, size - at, &point);
        if (length == 0) {
            point = BEYOND_UNICODE + (unsigned char)text[at];
            length = 1;
        }
        if (!tolk_utf8_is_space(point)) {
            units->items[units->count++] = point;
        }
        at += length;
    }
    return 0;
}

int tolk_chrf_add(struct tolk_chrf *chrf, const char *hypothesis, const char *reference,
                  struct tolk_error *error)
{
    struct tolk_units hypothesis_units = {0}, reference_units = {0};
    int result = -1;
    if (split(hypothesis, &hypothesis_units) != 0 || split(reference, &reference_units) != 0 ||
        tolk_ngrams_match(&hypothesis_units, &reference_units, TOLK_CHRF_ORDER, chrf->matches) !=
            0) {
        tolk_error_set(error, "chrF: out of memory");
        goto out;
    }
    for (size_t order = 1; order <= TOLK_CHRF_ORDER; order++) {
        const uint64_t in_reference = tolk_ngrams_total(reference_units.count, order);
        const uint64_t in_hypothesis = tolk_ngrams_total(hypothesis_units.count, order);
        chrf->reference_totals[order - 1] += in_reference;
        /* As sacreBLEU has it: a reference too short for an order has nothing to miss there. */
        chrf->hypothesis_totals[order - 1] += in_reference > 0 ? in_hypothesis : 0;
    }
    result = 0;
out:
    free(hypothesis_units.items);
    free(reference_units.items);
    return result;
}

double tolk_chrf_score(const struct tolk_chrf *chrf)
{
    double precision = 0, recall = 0;
    int orders = 0;
    for (size_t i = 0; i < TOLK_CHRF_ORDER; i++) {
        if (chrf->hypothesis_totals[i] > 0 && chrf->reference_totals[i] > 0) {
            precision += (double)chrf->matches[i] / (double)chrf->hypothesis_totals[i];
            recall += (double)chrf->matches[i] / (double)chrf->reference_totals[i];
            orders++;
        }
    }
    if (precision + recall == 0) {
        return 0;
    }
    precision /= orders;
    recall /= orders;
    return 100 * (1 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall);
}
