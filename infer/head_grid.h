/* Every head of every layer of one kind of attention: small maps beside and below each other.
 *
 *     0 De  1 kat  2 zit …
 *
 *             layer 0 head 0   layer 0 head 1*
 *             0 1 2 3 4 5 6    0 1 2 3 4 5 6
 *     The     ▓▓░░               ██
 *     cat       ██             ▒▒▓▓                     * the alignment's */
#ifndef TOLK_INFER_HEAD_GRID_H
#define TOLK_INFER_HEAD_GRID_H

#include <stdio.h>

#include "infer/labels.h"
#include "infer/terminal.h"
#include "infer/word_attention.h"

struct tolk_head_grid {
    const struct tolk_labels *rows;
    const struct tolk_labels *columns;
    size_t layers, heads;
    const struct tolk_word_attention *maps; /* [layers, heads] */
    const struct tolk_head_set *marked;     /* heads that get a star; NULL: none */
};

/* As many heads beside each other as the width of the terminal holds; where not even one fits,
 * neighbouring columns share a cell, which shows the greatest of them. */
void tolk_head_grid_draw(const struct tolk_head_grid *grid, const struct tolk_terminal *terminal,
                         FILE *out);

#endif
