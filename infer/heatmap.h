/* An attention as a picture for the terminal: a row for each word that looks, a column for each
 * word that is looked at, the darker the more.
 *
 *              De  kat zit …
 *     The     ▓▓▓
 *     cat         ███
 *
 * Where the words do not fit beside each other, each stands on a line of its own above its column;
 * where the columns do not fit either, the map goes on below in parts. */
#ifndef TOLK_INFER_HEATMAP_H
#define TOLK_INFER_HEATMAP_H

#include <stdio.h>

#include "infer/labels.h"
#include "infer/terminal.h"

struct tolk_heatmap {
    const struct tolk_labels *rows;
    const struct tolk_labels *columns;
    const float *weights; /* [rows, columns], 0 … 1 */
};

void tolk_heatmap_draw(const struct tolk_heatmap *map, const struct tolk_terminal *terminal,
                       FILE *out);

#endif
