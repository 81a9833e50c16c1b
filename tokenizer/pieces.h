/* The pieces of one sentence: an array of ids that grows, each with the bytes it covers. */
#ifndef TOLK_TOKENIZER_PIECES_H
#define TOLK_TOKENIZER_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The two ids that every tokenizer of ours has: end of sentence, unknown. */
enum { TOLK_EOS = 0, TOLK_UNK = 1 };
#define TOLK_EOS_PIECE "</s>"
#define TOLK_UNK_PIECE "<unk>"

/* Piece i covers bytes [begin[i], end[i]) of the sentence as given (not as normalised). The ranges
 * follow one another without a gap; only white space at the sentence's two ends is outside them. A
 * character that normalisation makes into several (a ligature, an ellipsis) belongs to the last of
 * its pieces, so a piece may cover no byte at all. The arrays are reused by the next call; begin
 * with {0}. */
struct tolk_pieces {
    int32_t *ids;
    size_t *begin;
    size_t *end;
    size_t count;
    size_t capacity;
};

/* Makes room for `count` pieces in all; what the arrays hold stays. Error: out of memory. */
int tolk_pieces_reserve(struct tolk_pieces *pieces, size_t count, struct tolk_error *error);

/* Appends one piece, covering bytes [begin, end). Error: out of memory. */
int tolk_pieces_append(struct tolk_pieces *pieces, int32_t id, size_t begin, size_t end,
                       struct tolk_error *error);

void tolk_pieces_free(struct tolk_pieces *pieces);

#endif
