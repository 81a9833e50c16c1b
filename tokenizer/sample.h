/* Drawing one segmentation of a sentence: subword regularisation (Kudo 2018, "Subword
 * Regularization", arXiv:1804.10959) and BPE-dropout (Provilkov et al. 2020, arXiv:1910.13267).
 *
 * SentencePiece draws from one hidden generator for each thread; here a draw depends on its key
 * alone. Everything works on characters as SentencePiece normalised them, each given as the id of
 * the piece that is this character alone, with the bytes it covers (struct tolk_pieces). Pieces
 * that hold a character which is no piece itself are never drawn; the trainer makes none. */
#ifndef TOLK_TOKENIZER_SAMPLE_H
#define TOLK_TOKENIZER_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "tokenizer/model_file.h"
#include "tokenizer/pair_map.h"
#include "tokenizer/tokenizer.h"

/* The pieces of a model as a trie over characters, and the merges of pairs of pieces. */
struct tolk_sampler {
    struct tolk_pair_map child; /* (node, id of a character) → node; the root is node 0 */
    struct tolk_pair_map merge; /* BPE: (left id, right id) → id of the two joined */
    int32_t *piece_of_node;     /* [nodes] id of the piece that ends here, or −1 */
    size_t nodes;
    float *scores;       /* [pieces] */
    float unknown_score; /* of a character that is no normal piece */
    int32_t unknown;     /* id */
};

int tolk_sampler_build(struct tolk_sampler *sampler, const struct tolk_model_file *model,
                       struct tolk_error *error);
void tolk_sampler_free(struct tolk_sampler *sampler);

/* One segmentation x drawn with probability ∝ P(x)^alpha, where P(x) is the product of the pieces'
 * probabilities: among the `nbest` most probable ones for nbest > 0 (at most TOLK_NBEST_MAX),
 * among all of them otherwise (Kudo 2018, section 3.3). Appends to `pieces`. */
int tolk_sample_unigram(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                        int nbest, double alpha, struct tolk_random_key key,
                        struct tolk_pieces *pieces, struct tolk_error *error);

/* Byte-pair merges from the best one on, each left out with probability `dropout`. Appends to
 * `pieces`. */
int tolk_sample_bpe(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                    double dropout, struct tolk_random_key key, struct tolk_pieces *pieces,
                    struct tolk_error *error);

/* Appends the piece that covers characters [begin, end). Neighbouring unknowns become one, as
 * SentencePiece has it. */
int tolk_sample_append(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                       int32_t id, size_t begin, size_t end, struct tolk_pieces *pieces,
                       struct tolk_error *error);

#endif
