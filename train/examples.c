#include "train/examples.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tokenizer/codec.h"
#include "tokenizer/words.h"

enum { BLOCK = 256 /* sentences that a thread encodes at a time */ };

/* Keeps the draws of segmentations apart from all others that the seed feeds. */
static const uint64_t SAMPLING_DOMAIN = UINT64_C(0x7069656365732031);

/* The ids of one side of a block's sentences. */
struct block {
    int32_t *ids;
    uint32_t *words; /* NULL where they are not asked for */
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
    bool words;
};

/* What it makes, one sentence behind the other. */
struct side {
    int32_t **ids;
    uint32_t **words;
    size_t **begin;
};

/* What a thread uses again for each sentence. */
struct sentence {
    struct tolk_pieces pieces;
    struct tolk_words words;
    size_t *word_of_piece;
    size_t capacity; /* of word_of_piece */
};

static void *grown(void *array, size_t count, size_t size, struct tolk_error *error)
{
    void *larger = realloc(array, count * size);
    if (larger == NULL) {
        tolk_error_set(error, "out of memory for %zu encoded tokens", count);
    }
    return larger;
}

/* Makes room for `more` ids. */
static int reserve(struct block *block, size_t more, bool words, struct tolk_error *error)
{
    const size_t needed = block->count + more;
    if (needed <= block->capacity) {
        return 0;
    }
    int32_t *ids = grown(block->ids, 2 * needed, sizeof *ids, error);
    if (ids == NULL) {
        return -1;
    }
    block->ids = ids;
    if (words) {
        uint32_t *of_words = grown(block->words, 2 * needed, sizeof *of_words, error);
        if (of_words == NULL) {
            return -1;
        }
        block->words = of_words;
    }
    block->capacity = 2 * needed;
    return 0;
}

/* The words of the sentence's pieces, behind the block's; eos is the last piece. */
static int append_words(struct block *block, struct sentence *sentence, const char *text,
                        struct tolk_error *error)
{
    const size_t count = sentence->pieces.count;
    uint32_t *words = block->words + block->count;
    if (tolk_words_split(text, strlen(text), &sentence->words, error) != 0) {
        return -1;
    }
    if (count > sentence->capacity) {
        size_t *places = grown(sentence->word_of_piece, 2 * count, sizeof *places, error);
        if (places == NULL) {
            return -1;
        }
        sentence->word_of_piece = places;
        sentence->capacity = 2 * count;
    }
    tolk_words_of_pieces(&sentence->words, &sentence->pieces, sentence->word_of_piece);
    for (size_t i = 0; i + 1 < count; i++) {
        const size_t word = sentence->word_of_piece[i];
        words[i] = word < TOLK_NO_WORD ? (uint32_t)word : TOLK_NO_WORD;
    }
    words[count - 1] = TOLK_NO_WORD;
    return 0;
}

static int append(const struct work *work, struct block *block, struct sentence *sentence,
                  const char *text, struct tolk_error *error)
{
    const struct tolk_pieces *pieces = &sentence->pieces;
    if (pieces->count == 0) {
        return 0;
    }
    if (reserve(block, pieces->count, work->words, error) != 0 ||
        (work->words && append_words(block, sentence, text, error) != 0)) {
        return -1;
    }
    memcpy(block->ids + block->count, pieces->ids, pieces->count * sizeof(int32_t));
    block->count += pieces->count;
    return 0;
}

static const char *text_of(const struct work *work, size_t sentence)
{
    const struct tolk_pair *pair = &work->pairs->items[sentence];
    return work->side == TOLK_TARGET ? pair->target : pair->source;
}

static int encode(const struct work *work, size_t sentence, struct tolk_pieces *pieces,
                  struct tolk_error *error)
{
    const char *text = text_of(work, sentence);
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
    struct sentence sentence = {.capacity = 0};
    int result = -1;
    const size_t first = b * BLOCK;
    const size_t rest = work->pairs->count - first;
    const size_t size = rest < BLOCK ? rest : BLOCK;
    for (size_t i = 0; i < size; i++) {
        if (encode(work, first + i, &sentence.pieces, error) != 0 ||
            append(work, block, &sentence, text_of(work, first + i), error) != 0) {
            goto out;
        }
        block->ends[i] = block->count;
    }
    result = 0;
out:
    tolk_pieces_free(&sentence.pieces);
    tolk_words_free(&sentence.words);
    free(sentence.word_of_piece);
    return result;
}

/* Puts the blocks one behind the other. */
static int join(const struct work *work, const struct block *blocks, const struct side *side,
                struct tolk_error *error)
{
    const size_t sentences = work->pairs->count;
    size_t total = 0;
    for (size_t b = 0; b * BLOCK < sentences; b++) {
        total += blocks[b].count;
    }
    *side->ids = calloc(total + 1, sizeof **side->ids);
    *side->begin = calloc(sentences + 1, sizeof **side->begin);
    *side->words = work->words ? calloc(total + 1, sizeof **side->words) : NULL;
    if (*side->ids == NULL || *side->begin == NULL || (work->words && *side->words == NULL)) {
        return tolk_error_set(error, "out of memory for %zu encoded tokens", total);
    }
    size_t filled = 0;
    for (size_t i = 0; i < sentences; i++) {
        const struct block *block = &blocks[i / BLOCK];
        if (i % BLOCK == 0 && block->count > 0) {
            memcpy(*side->ids + filled, block->ids, block->count * sizeof **side->ids);
            if (work->words) {
                memcpy(*side->words + filled, block->words, block->count * sizeof **side->words);
            }
        }
        (*side->begin)[i + 1] = filled + block->ends[i % BLOCK];
        if (i % BLOCK == BLOCK - 1) {
            filled += block->count;
        }
    }
    return 0;
}

static int encode_side(const struct work *work, const struct side *side, struct tolk_error *error)
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
        failed = join(work, blocks, side, error);
    }
    for (size_t b = 0; b < count; b++) {
        free(blocks[b].ids);
        free(blocks[b].words);
    }
    free(blocks);
    return failed;
}

int tolk_examples_encode(struct tolk_examples *examples, const struct tolk_pairs *pairs,
                         const struct tolk_codec *codec, const struct tolk_sampling *sampling,
                         bool words, struct tolk_error *error)
{
    const struct work source = {pairs, codec, sampling, TOLK_SOURCE, words};
    const struct work target = {pairs, codec, sampling, TOLK_TARGET, words};
    const struct side sources = {&examples->source, &examples->source_words,
                                 &examples->source_begin};
    const struct side targets = {&examples->target, &examples->target_words,
                                 &examples->target_begin};
    tolk_examples_free(examples);
    examples->count = pairs->count;
    if (encode_side(&source, &sources, error) != 0 || encode_side(&target, &targets, error) != 0) {
        tolk_examples_free(examples);
        return -1;
    }
    return 0;
}

void tolk_examples_free(struct tolk_examples *examples)
{
    free(examples->source);
    free(examples->target);
    free(examples->source_words);
    free(examples->target_words);
    free(examples->source_begin);
    free(examples->target_begin);
    memset(examples, 0, sizeof *examples);
}
