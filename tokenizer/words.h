/* From pieces to white-space words, by byte ranges: alignments and inspection speak of words. */
#ifndef TOLK_TOKENIZER_WORDS_H
#define TOLK_TOKENIZER_WORDS_H

#include <stddef.h>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

/* The words of a sentence: maximal runs of bytes that are not white space as tolk_utf8_is_space has
 * it, for gold alignments and those who read ours count words so. SentencePiece folds some other
 * signs into spaces too (U+200B, U+FEFF, …); they part pieces, not words. Word w covers bytes
 * [begin[w], end[w]). */
struct tolk_words {
    size_t *begin;
    size_t *end;
    size_t count;
    size_t capacity;
};

int tolk_words_split(const char *text, size_t size, struct tolk_words *words,
                     struct tolk_error *error);
void tolk_words_free(struct tolk_words *words);

/* word_of_piece[i] = the word that holds the most bytes of piece i (the first of equals); a piece
 * that covers no word's byte belongs to the word that follows it, at the end to the last word; with
 * no word at all, SIZE_MAX. The pieces come in order, as a tokenizer gives them; word_of_piece has
 * pieces->count entries. */
void tolk_words_of_pieces(const struct tolk_words *words, const struct tolk_pieces *pieces,
                          size_t *word_of_piece);

#endif
