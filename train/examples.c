#include "train/examples.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tokenizer/codec.h"

enum { BLOCK = 256 /* sentences that a thread encodes at a time */ };

/* Keeps the draws of segmentations apart from all others that the seed feeds. */
static const uint64_t SAMPLING_DOMAIN = UINT64_C(0x7069656365732031);

/* The ids of one side of a block's sentences. */
struct block {
    int32_t *ids;
    size_t count;
    size_t capacity;
    size_t ends[BLOCK]; /* into ids */
};

/* What one call works on. */
struct work {
    const struct tolk_pairs *pairs;
    const struct tolk_codec *codec;
    const struct tolk_sampling *sampling;
    enum tolk_side side;
};

static int append(struct block *block, const struct tolk_pieces *pieces, struct tolk_error *error)
{
    const size_t needed = block->count + pieces->count;
    if (pieces->count == 0) {
        return 0;
    }
    if (needed > block->capacity) {
        const size_t capacity = 2 * needed;
        int32_t *grown = realloc(block->ids, capacity * sizeof *grown);
        if (grown == NULL) {
            return tolk_error_set(error, "out of memory for %zu encoded tokens", capacity);
        }
        block->ids = grown;
        block->capacity = capacity;
    }
    memcpy(block->ids + block->count, pieces->ids, pieces->count * sizeof(int32_t));
    block->count = needed;
    return 0;
}

static int encode(const struct work *work, size_t sentence, struct tolk_pieces *pieces,
                  struct tolk_error *error)
{
    const struct tolk_pair *pair = &work->pairs->items[sentence];
    const char *text = work->side == TOLK_TARGET ? pair->target : pair->source;
    const size_t size = strlen(text);
    const struct tolk_sampling *s = work->sampling;
    const bool samples = s != NULL && s->alpha > 0;
    if (!samples || size >= s->max_length) {
        /* It may be too long to learn from (there are no more pieces than bytes), and from the
         * segmentations of a whole megabyte no memory suffices to draw. */
        if (tolk_codec_encode(work->codec, work->side, text, size, pieces, error) != 0) {
            return -1;
        }
        if (!samples || pieces->count > s->max_length) {
            return 0;
        }
    }
    if (samples) {
        const struct tolk_random_key key = tolk_random_key(s->seed ^ SAMPLING_DOMAIN, s->epoch,
                                                           2 * sentence + (uint64_t)work->side);
        if (tolk_codec_sample(work->codec, work->side, text, size, s->nbest, s->alpha, key, pieces,
                              error) != 0) {
            return -1;
        }
        if (pieces->count <= s->max_length) {
            return 0;
        }
    }
    return tolk_codec_encode(work->codec, work->side, text, size, pieces, error);
}

static int encode_block(const struct work *work, size_t b, struct block *block,
                        struct tolk_error *error)
{
    struct tolk_pieces pieces = {0};
    int result = -1;
    const size_t first = b * BLOCK;
    const size_t rest = work->pairs->count - first;
    const size_t size = rest < BLOCK ? rest : BLOCK;
    for (size_t i = 0; i < size; i++) {
        if (encode(work, first + i, &pieces, error) != 0 || append(block, &pieces, error) != 0) {
            goto out;
        }
        block->ends[i] = block->count;
    }
    result = 0;
out:
    tolk_pieces_free(&pieces);
    return result;
}

/* Puts the blocks one behind the other. */
static int join(const struct block *blocks, size_t sentences, int32_t **ids, size_t **begin,
                struct tolk_error *error)
{
    size_t total = 0;
    for (size_t b = 0; b * BLOCK < sentences; b++) {
        total += blocks[b].count;
    }
    *ids = calloc(total + 1, sizeof **ids);
    *begin = calloc(sentences + 1, sizeof **begin);
    if (*ids == NULL || *begin == NULL) {
        return tolk_error_set(error, "out of memory for %zu encoded tokens", total);
    }
    size_t filled = 0;
    for (size_t i = 0; i < sentences; i++) {
        const struct block *block = &blocks[i / BLOCK];
        if (i % BLOCK == 0 && block->count > 0) {
            memcpy(*ids + filled, block->ids, block->count * sizeof **ids);
        }
        (*begin)[i + 1] = filled + block->ends[i % BLOCK];
        if (i % BLOCK == BLOCK - 1) {
            filled += block->count;
        }
    }
    return 0;
}

static int encode_side(const struct work *work, int32_t **ids, size_t **begin,
                       struct tolk_error *error)
{
    const size_t count = (work->pairs->count + BLOCK - 1) / BLOCK;
    struct block *blocks = calloc(count + 1, sizeof *blocks);
    int failed = 0;
    if (blocks == NULL) {
        return tolk_error_set(error, "out of memory for encoding");
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t b = 0; b < count; b++) {
        struct tolk_error own;
        if (encode_block(work, b, &blocks[b], &own) != 0) {
#pragma omp critical(tolk_examples)
            {
                failed = tolk_error_set(error, "%s", own.message);
            }
        }
    }
    if (failed == 0) {
        failed = join(blocks, work->pairs->count, ids, begin, error);
    }
    for (size_t b = 0; b < count; b++) {
        free(blocks[b].ids);
    }
    free(blocks);
    return failed;
}

int tolk_examples_encode(struct tolk_examples *examples, const struct tolk_pairs *pairs,
                         const struct tolk_codec *codec, const struct tolk_sampling *sampling,
                         struct tolk_error *error)
{
    const struct work source = {pairs, codec, sampling, TOLK_SOURCE};
    const struct work target = {pairs, codec, sampling, TOLK_TARGET};
    tolk_examples_free(examples);
    examples->count = pairs->count;
    if (encode_side(&source, &examples->source, &examples->source_begin, error) != 0 ||
        encode_side(&target, &examples->target, &examples->target_begin, error) != 0) {
        tolk_examples_free(examples);
        return -1;
    }
    return 0;
}

void tolk_examples_free(struct tolk_examples *examples)
{
    free(examples->source);
    free(examples->target);
    free(examples->source_begin);
    free(examples->target_begin);
    memset(examples, 0, sizeof *examples);
}
