/* The tables that drawing works from: see sample.h. */
#include "tokenizer/sample.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { ROOT = 0, NO_PIECE = -1, FIRST_NODES = 1024, PIECE_CHARACTERS_MAX = 512 };

/* SentencePiece's penalty for an unknown character, below the lowest score of the pieces. */
#define UNKNOWN_PENALTY 10.0F

/* The first half of the pairs that map code points to ids: no id of a piece is as large. */
enum { CODE_POINTS = INT32_MAX };

static bool is_drawn(const struct tolk_piece *piece)
{
    return piece->type == TOLK_PIECE_NORMAL;
}

/* The ids of the characters that are pieces which may be joined into others. */
static int map_characters(struct tolk_pair_map *characters, const struct tolk_model_file *model)
{
    for (size_t id = 0; id < model->count; id++) {
        const struct tolk_piece *const piece = &model->pieces[id];
        const bool joins = is_drawn(piece) || piece->type == TOLK_PIECE_UNUSED;
        uint32_t point;
        if (joins && tolk_utf8_decode(piece->text, piece->size, &point) == piece->size &&
            tolk_pair_map_set(characters, CODE_POINTS, (int32_t)point, (int32_t)id) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The ids of a piece's characters; their number, 0 where one has none or they are too many. */
static size_t spell(const struct tolk_pair_map *characters, const struct tolk_piece *piece,
                    int32_t *ids)
{
    size_t count = 0;
    for (size_t at = 0; at < piece->size; count++) {
        uint32_t point;
        at += tolk_utf8_decode(piece->text + at, piece->size - at, &point);
        const int32_t id = tolk_pair_map_get(characters, CODE_POINTS, (int32_t)point);
        if (id == TOLK_PAIR_MAP_ABSENT || count == PIECE_CHARACTERS_MAX) {
            return 0;
        }
        ids[count] = id;
    }
    return count;
}

/* A node below `node`, made where there is none; -1 when memory is out. */
static int32_t descend(struct tolk_sampler *sampler, size_t *capacity, int32_t node, int32_t id)
{
    const int32_t known = tolk_pair_map_get(&sampler->child, node, id);
    if (known != TOLK_PAIR_MAP_ABSENT) {
        return known;
    }
    if (sampler->nodes == *capacity) {
        int32_t *const larger =
            realloc(sampler->piece_of_node, 2 * *capacity * sizeof *sampler->piece_of_node);
        if (larger == NULL) {
            return -1;
        }
        sampler->piece_of_node = larger;
        *capacity *= 2;
    }
    const int32_t fresh = (int32_t)sampler->nodes;
    if (tolk_pair_map_set(&sampler->child, node, id, fresh) != 0) {
        return -1;
    }
    sampler->piece_of_node[sampler->nodes++] = NO_PIECE;
    return fresh;
}

/* The trie over the spellings of the pieces that can be drawn. */
static int plant(struct tolk_sampler *sampler, const struct tolk_pair_map *characters,
                 const struct tolk_model_file *model)
{
    size_t capacity = FIRST_NODES;
    sampler->piece_of_node = malloc(capacity * sizeof *sampler->piece_of_node);
    if (sampler->piece_of_node == NULL) {
        return -1;
    }
    sampler->piece_of_node[ROOT] = NO_PIECE;
    sampler->nodes = 1;
    for (size_t id = 0; id < model->count; id++) {
        int32_t spelling[PIECE_CHARACTERS_MAX];
        const size_t length =
            is_drawn(&model->pieces[id]) ? spell(characters, &model->pieces[id], spelling) : 0;
        int32_t node = ROOT;
        for (size_t i = 0; i < length; i++) {
            node = descend(sampler, &capacity, node, spelling[i]);
            if (node < 0) {
                return -1;
            }
        }
        if (length > 0) {
            sampler->piece_of_node[node] = (int32_t)id;
        }
    }
    return 0;
}

/* The piece spelt by these characters, or NO_PIECE. A character alone stands for itself. */
static int32_t find_piece(const struct tolk_sampler *sampler, const int32_t *spelling,
                          size_t length)
{
    if (length == 1) {
        return spelling[0];
    }
    int32_t node = ROOT;
    for (size_t i = 0; i < length && node >= 0; i++) {
        node = tolk_pair_map_get(&sampler->child, node, spelling[i]);
    }
    return node < 0 ? NO_PIECE : sampler->piece_of_node[node];
}

/* Every way to join two pieces into a third. */
static int list_merges(struct tolk_sampler *sampler, const struct tolk_pair_map *characters,
                       const struct tolk_model_file *model)
{
    for (size_t id = 0; id < model->count; id++) {
        int32_t spelling[PIECE_CHARACTERS_MAX];
        const size_t length =
            is_drawn(&model->pieces[id]) ? spell(characters, &model->pieces[id], spelling) : 0;
        for (size_t cut = 1; cut < length; cut++) {
            const int32_t left = find_piece(sampler, spelling, cut);
            const int32_t right = find_piece(sampler, spelling + cut, length - cut);
            if (left != NO_PIECE && right != NO_PIECE &&
                tolk_pair_map_set(&sampler->merge, left, right, (int32_t)id) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int copy_scores(struct tolk_sampler *sampler, const struct tolk_model_file *model)
{
    sampler->scores = malloc(model->count * sizeof *sampler->scores);
    if (sampler->scores == NULL) {
        return -1;
    }
    float lowest = FLT_MAX;
    for (size_t id = 0; id < model->count; id++) {
        const struct tolk_piece *const piece = &model->pieces[id];
        sampler->scores[id] = piece->score;
        if (piece->type == TOLK_PIECE_NORMAL && piece->score < lowest) {
            lowest = piece->score;
        }
    }
    sampler->unknown_score = lowest - UNKNOWN_PENALTY;
    return 0;
}

int tolk_sampler_build(struct tolk_sampler *sampler, const struct tolk_model_file *model,
                       struct tolk_error *error)
{
    struct tolk_pair_map characters = {0};
    *sampler = (struct tolk_sampler){.unknown = model->unknown};
    int status = map_characters(&characters, model);
    status = status == 0 ? plant(sampler, &characters, model) : -1;
    status = status == 0 ? copy_scores(sampler, model) : -1;
    if (status == 0 && model->kind == TOLK_MODEL_BPE) {
        status = list_merges(sampler, &characters, model);
    }
    tolk_pair_map_free(&characters);
    if (status != 0) {
        tolk_sampler_free(sampler);
        return tolk_error_set(error, "out of memory for the tables of %zu pieces", model->count);
    }
    return 0;
}

void tolk_sampler_free(struct tolk_sampler *sampler)
{
    tolk_pair_map_free(&sampler->child);
    tolk_pair_map_free(&sampler->merge);
    free(sampler->piece_of_node);
    free(sampler->scores);
    *sampler = (struct tolk_sampler){0};
}

int tolk_sample_append(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                       int32_t id, size_t begin, size_t end, struct tolk_pieces *pieces,
                       struct tolk_error *error)
{
    if (id == sampler->unknown && pieces->count > 0 && pieces->ids[pieces->count - 1] == id) {
        pieces->end[pieces->count - 1] = characters->end[end - 1];
        return 0;
    }
    return tolk_pieces_append(pieces, id, characters->begin[begin], characters->end[end - 1],
                              error);
}
