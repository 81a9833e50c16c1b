/* The curves of a training as an SVG picture: loss above, BLEU and chrF below, over updates. It
 * follows the viewer's light or dark scheme. */
#ifndef TOLK_TRAIN_CURVES_H
#define TOLK_TRAIN_CURVES_H

#include "base/error.h"

/* Draws the records of the log at `log_path` (log.h) and writes `svg_path` atomically. */
int tolk_curves_draw(const char *log_path, const char *svg_path, struct tolk_error *error);

#endif
