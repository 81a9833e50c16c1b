/* Draws from the lattice of all segmentations: see sample.h. Position p stands before character p;
 * an edge from p to q is a piece that covers characters p … q − 1. */
#include "tokenizer/sample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { NO_EDGE = -1 };

struct edge {
    int32_t begin, end;
    int32_t id;
    float score;
    int32_t next; /* another edge that ends where this one does, or NO_EDGE */
};

struct lattice {
    size_t length; /* characters; positions are 0 … length */
    struct edge *edges;
    size_t count;
    size_t capacity;
    int32_t *ending; /* [length + 1] one of the edges that end here, or NO_EDGE */
};

static int add_edge(struct lattice *lattice, struct edge edge)
{
    if (lattice->count == lattice->capacity) {
        const size_t larger = lattice->capacity * 2;
        struct edge *const edges = realloc(lattice->edges, larger * sizeof *edges);
        if (edges == NULL || larger > INT32_MAX) {
            lattice->edges = edges != NULL ? edges : lattice->edges;
            return -1;
        }
        lattice->edges = edges;
        lattice->capacity = larger;
    }
    edge.next = lattice->ending[edge.end];
    lattice->ending[edge.end] = (int32_t)lattice->count;
    lattice->edges[lattice->count++] = edge;
    return 0;
}

/* All pieces that begin at one position. A character that is no piece of its own to draw stands for
 * itself all the same, so that every sentence has a segmentation. */
static int add_edges_from(struct lattice *lattice, const struct tolk_sampler *sampler,
                          const int32_t *characters, size_t begin)
{
    bool single = false;
    int32_t node = 0;
    for (size_t end = begin; end < lattice->length; end++) {
        node = tolk_pair_map_get(&sampler->child, node, characters[end]);
        if (node < 0) {
            break;
        }
        const int32_t id = sampler->piece_of_node[node];
        if (id < 0) {
            continue;
        }
        single = single || end == begin;
        if (add_edge(lattice, (struct edge){.begin = (int32_t)begin,
                                            .end = (int32_t)end + 1,
                                            .id = id,
                                            .score = sampler->scores[id]}) != 0) {
            return -1;
        }
    }
    if (single) {
        return 0;
    }
    return add_edge(lattice, (struct edge){.begin = (int32_t)begin,
                                           .end = (int32_t)begin + 1,
                                           .id = characters[begin],
                                           .score = sampler->unknown_score});
}

static int build(struct lattice *lattice, const struct tolk_sampler *sampler,
                 const struct tolk_pieces *characters)
{
    enum { EDGES_PER_CHARACTER = 8 };
    const size_t length = characters->count;
    if (length >= INT32_MAX / EDGES_PER_CHARACTER) {
        return -1;
    }
    *lattice = (struct lattice){.length = length, .capacity = EDGES_PER_CHARACTER * length};
    lattice->edges = malloc(lattice->capacity * sizeof *lattice->edges);
    lattice->ending = malloc((length + 1) * sizeof *lattice->ending);
    if (lattice->edges == NULL || lattice->ending == NULL) {
        return -1;
    }
    for (size_t i = 0; i <= length; i++) {
        lattice->ending[i] = NO_EDGE;
    }
    for (size_t i = 0; i < length; i++) {
        if (add_edges_from(lattice, sampler, characters->ids, i) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The logarithm of what all ways that end with this edge weigh together. */
static double edge_weight(const struct edge *edge, double alpha, const double *total)
{
    return total[edge->begin] + alpha * (double)edge->score;
}

/* Forward filtering. total[p] = log Σ exp(alpha · score) over all ways from 0 to p:
 * total[q] = log Σ exp(total[p] + alpha · score(edge)) over the edges p → q, of which every
 * position has one at least. */
static void forward(const struct lattice *lattice, double alpha, double *total)
{
    total[0] = 0.0;
    for (size_t end = 1; end <= lattice->length; end++) {
        const struct edge *edge = &lattice->edges[lattice->ending[end]];
        double largest = edge_weight(edge, alpha, total), sum = 1.0;
        while (edge->next != NO_EDGE) {
            edge = &lattice->edges[edge->next];
            const double x = edge_weight(edge, alpha, total);
            if (x <= largest) {
                sum += exp(x - largest);
            } else {
                sum = sum * exp(largest - x) + 1.0;
                largest = x;
            }
        }
        total[end] = largest + log(sum);
    }
}

/* Backward sampling: the last edge of a way to q is p → q with probability
 * exp(total[p] + alpha · score − total[q]). Writes the edges, last first; their number. */
static size_t draw_backward(const struct lattice *lattice, double alpha, const double *total,
                            struct tolk_random_key key, int32_t *path)
{
    size_t count = 0;
    for (size_t end = lattice->length; end > 0;) {
        double left = tolk_random_uniform(key, (uint32_t)count);
        int32_t chosen = lattice->ending[end];
        for (int32_t e = chosen; e != NO_EDGE && left >= 0.0; e = lattice->edges[e].next) {
            left -= exp(edge_weight(&lattice->edges[e], alpha, total) - total[end]);
            chosen = e;
        }
        path[count++] = chosen;
        end = (size_t)lattice->edges[chosen].begin;
    }
    return count;
}

/* One of the best ways to a position: its score, its last edge, and which of the best ways to that
 * edge's beginning it continues. */
struct way {
    double score;
    int32_t edge;
    int32_t rank;
};

/* Inserts into `ways`, sorted by falling score, of which the first `count` are filled. */
static size_t insert_way(struct way *ways, size_t count, size_t limit, struct way way)
{
    if (count == limit && way.score <= ways[count - 1].score) {
        return count;
    }
    size_t at = count < limit ? count : count - 1;
    for (; at > 0 && ways[at - 1].score < way.score; at--) {
        ways[at] = ways[at - 1];
    }
    ways[at] = way;
    return count < limit ? count + 1 : count;
}

/* The `limit` best ways to every position: ways[p][0 … counts[p]). */
static void search_best(const struct lattice *lattice, size_t limit, struct way *ways,
                        size_t *counts)
{
    ways[0] = (struct way){0.0, NO_EDGE, 0};
    counts[0] = 1;
    for (size_t end = 1; end <= lattice->length; end++) {
        counts[end] = 0;
        for (int32_t e = lattice->ending[end]; e != NO_EDGE; e = lattice->edges[e].next) {
            const struct edge *const edge = &lattice->edges[e];
            const struct way *const before = ways + (size_t)edge->begin * limit;
            for (size_t r = 0; r < counts[edge->begin]; r++) {
                const struct way way = {before[r].score + (double)edge->score, e, (int32_t)r};
                counts[end] = insert_way(ways + end * limit, counts[end], limit, way);
            }
        }
    }
}

/* One of the ways, with probability ∝ exp(alpha · score). */
static size_t draw_way(const struct way *ways, size_t count, double alpha,
                       struct tolk_random_key key)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += exp(alpha * (ways[i].score - ways[0].score));
    }
    double left = tolk_random_uniform(key, 0) * sum;
    size_t chosen = 0;
    for (size_t i = 0; i < count && left >= 0.0; i++) {
        left -= exp(alpha * (ways[i].score - ways[0].score));
        chosen = i;
    }
    return chosen;
}

/* Writes the edges of a way from the best `limit`, last first; their number, 0 without memory. */
static size_t draw_best(const struct lattice *lattice, size_t limit, double alpha,
                        struct tolk_random_key key, int32_t *path)
{
    const size_t positions = lattice->length + 1;
    size_t count = 0;
    struct way *const ways = calloc(positions, limit * sizeof *ways);
    size_t *const counts = malloc(positions * sizeof *counts);
    if (ways != NULL && counts != NULL) {
        search_best(lattice, limit, ways, counts);
        size_t at = lattice->length;
        size_t rank = draw_way(ways + at * limit, counts[at], alpha, key);
        while (at > 0) {
            const struct way way = ways[at * limit + rank];
            path[count++] = way.edge;
            at = (size_t)lattice->edges[way.edge].begin;
            rank = (size_t)way.rank;
        }
    }
    free(ways);
    free(counts);
    return count;
}

int tolk_sample_unigram(const struct tolk_sampler *sampler, const struct tolk_pieces *characters,
                        int nbest, double alpha, struct tolk_random_key key,
                        struct tolk_pieces *pieces, struct tolk_error *error)
{
    const size_t length = characters->count;
    if (length == 0) {
        return 0;
    }
    int status = -1;
    size_t count = 0;
    struct lattice lattice = {0};
    double *const total = malloc((length + 1) * sizeof *total);
    int32_t *const path = malloc(length * sizeof *path);
    if (total != NULL && path != NULL && build(&lattice, sampler, characters) == 0) {
        if (nbest > 0) {
            count = draw_best(&lattice, (size_t)nbest, alpha, key, path);
        } else {
            forward(&lattice, alpha, total);
            count = draw_backward(&lattice, alpha, total, key, path);
        }
    }
    if (count == 0) {
        tolk_error_set(error, "out of memory for the lattice of %zu characters", length);
        goto out;
    }
    while (count > 0) {
        const struct edge *const edge = &lattice.edges[path[--count]];
        if (tolk_sample_append(sampler, characters, edge->id, (size_t)edge->begin,
                               (size_t)edge->end, pieces, error) != 0) {
            goto out;
        }
    }
    status = 0;
out:
    free(total);
    free(path);
    free(lattice.edges);
    free(lattice.ending);
    return status;
}
