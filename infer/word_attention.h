/* Attention between white-space words: what alignments and pictures are made of.
 *
 * The attention of pieces (Vaswani et al. 2017, eq. 1) becomes that of words: the weights of a
 * source word's pieces add up, the rows of a target word's pieces are averaged, so each row still
 * sums to 1. The end of the sentence stands behind the words of both sides; a target word that
 * looks there looks at no word (NULL). Where pieces themselves are asked for, each is a word of its
 * own. */
#ifndef TOLK_INFER_WORD_ATTENTION_H
#define TOLK_INFER_WORD_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "corpora/pharaoh.h"
#include "model/config.h"
#include "model/transformer.h"

/* Which attention is read: the average of some heads of one layer, of the cross-attention unless
 * another kind is said. */
struct tolk_attention_choice {
    size_t layer;
    size_t head_count;
    size_t heads[TOLK_MAX_HEADS];
    /* A target piece is read at the step where it is the decoder's input, not its output
     * (shift-attention, Chen et al. 2020). */
    bool shift;
    /* Or the posterior attention of `set` (model/posterior.h), of cross-attention alone: layer,
     * heads and shift do not count. */
    bool posterior;
    struct tolk_head_set set;
};

/* The config's alignment layer, heads and step where it names them, else all heads of the last
 * layer, read at the output step: on the toy language, with two and with three pre-norm layers, no
 * other layer and no shift aligns as well. */
struct tolk_attention_choice tolk_attention_choice_default(const struct tolk_config *config);

/* All heads of a layer. */
struct tolk_attention_choice tolk_attention_choice_layer(const struct tolk_config *config,
                                                         size_t layer);
/* The same of any kind of attention. */
struct tolk_attention_choice tolk_attention_choice_all(const struct tolk_config *config,
                                                       enum tolk_attention_kind kind, size_t layer);

/* Whether the model has that layer and those heads. */
int tolk_attention_choice_check(const struct tolk_attention_choice *choice,
                                const struct tolk_config *config, struct tolk_error *error);
int tolk_attention_choice_check_kind(const struct tolk_attention_choice *choice,
                                     enum tolk_attention_kind kind,
                                     const struct tolk_config *config, struct tolk_error *error);

/* weights[t, s], t ≤ target_words, s ≤ source_words: row target_words is the end of the target,
 * column source_words the end of the source.
 *
 * Of self-attention both sides are the same sentence: row t looks from a word, column s is what it
 * looks at. In the decoder a row is the word that is being written, while the columns are what was
 * written before: column 0 is the start, column s + 1 word s. */
struct tolk_word_attention {
    size_t source_words;
    size_t target_words;
    float *weights; /* [target_words + 1, source_words + 1] */
};

/* The words of a sentence's pieces, as tolk_words_of_pieces gives them. The rows of the model are
 * the pieces and then eos. */
struct tolk_word_map {
    const size_t *word_of_piece; /* [pieces]; NULL: each piece is a word */
    size_t pieces;
    size_t words;
};

/* The word that row `row` of one side stands for; the end of the sentence is the last. */
static inline size_t tolk_word_map_word(const struct tolk_word_map *map, size_t row)
{
    const size_t word =
        row < map->pieces && map->word_of_piece != NULL ? map->word_of_piece[row] : row;
    return row < map->pieces && word < map->words ? word : map->words;
}

/* Reads the cross-attention of sentence `sentence` of the last forward pass. */
int tolk_word_attention_read(struct tolk_word_attention *attention,
                             const struct tolk_workspace *workspace, size_t sentence,
                             const struct tolk_attention_choice *choice,
                             const struct tolk_word_map *source, const struct tolk_word_map *target,
                             struct tolk_error *error);
/* The same of any kind of attention. */
int tolk_word_attention_read_kind(struct tolk_word_attention *attention,
                                  const struct tolk_workspace *workspace,
                                  enum tolk_attention_kind kind, size_t sentence,
                                  const struct tolk_attention_choice *choice,
                                  const struct tolk_word_map *source,
                                  const struct tolk_word_map *target, struct tolk_error *error);
/* The same of the average of `count` heads from elsewhere, [target rows, source rows] over pieces;
 * `shift` as in the choice. */
int tolk_word_attention_average(struct tolk_word_attention *attention, const real *const *heads,
                                size_t count, bool shift, const struct tolk_word_map *source,
                                const struct tolk_word_map *target, struct tolk_error *error);
void tolk_word_attention_free(struct tolk_word_attention *attention);

/* Hard: each target word is linked to the source word that has more than half of its attention; to
 * none where no word has, for it then looks here and there for want of a counterpart. A source word
 * that is without a link gets one to the target word that looks at it most, the first of equals,
 * where it looks enough: a target word made from two (a verb and its particle) looks at both. */
int tolk_word_attention_hard(const struct tolk_word_attention *attention, struct tolk_links *links);

/* Every pair of words with a weight strictly above the threshold. */
int tolk_word_attention_above(const struct tolk_word_attention *attention, double threshold,
                              struct tolk_links *links);

#endif
