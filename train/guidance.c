#include "train/guidance.h"

#include <stdlib.h>

/* One pair: the words of its ids, each side with its eos, and its links. */
struct sentence {
    const uint32_t *source_words;
    const uint32_t *target_words;
    size_t source_rows;
    size_t target_rows;
    const struct tolk_links *links;
};

static struct sentence sentence_of(const struct tolk_pairs *pairs,
                                   const struct tolk_examples *examples, size_t i)
{
    return (struct sentence){
        .source_words = examples->source_words + examples->source_begin[i],
        .target_words = examples->target_words + examples->target_begin[i],
        .source_rows = examples->source_begin[i + 1] - examples->source_begin[i],
        .target_rows = examples->target_begin[i + 1] - examples->target_begin[i],
        .links = &pairs->items[i].links,
    };
}

/* The target word that a row of the decoder is about; start and eos are about none. */
static uint32_t word_of_row(const struct tolk_guidance *guidance, const struct sentence *sentence,
                            size_t row)
{
    if (!guidance->shift) {
        return sentence->target_words[row];
    }
    return row > 0 ? sentence->target_words[row - 1] : TOLK_NO_WORD;
}

/* Writes the source rows that a row looks at, in their order, where there is room for them (`keys`
 * not NULL); returns how many they are. Links are sorted by source. */
static size_t map_row(const struct sentence *sentence, uint32_t word, uint32_t *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < sentence->links->count && word != TOLK_NO_WORD; i++) {
        const struct tolk_link *link = &sentence->links->items[i];
        if (link->target != word || link->possible) {
            continue;
        }
        for (size_t s = 0; s < sentence->source_rows; s++) {
            if (sentence->source_words[s] != link->source) {
                continue;
            }
            if (keys != NULL) {
                keys[count] = (uint32_t)s;
            }
            count++;
        }
    }
    return count;
}

size_t tolk_guidance_rows(const struct tolk_guidance *guidance, const struct tolk_pairs *pairs,
                          const struct tolk_examples *examples, const struct tolk_batches *batches,
                          size_t b)
{
    size_t rows = 0;
    for (size_t i = batches->begin[b]; i < batches->begin[b + 1]; i++) {
        const struct sentence sentence = sentence_of(pairs, examples, batches->order[i]);
        for (size_t row = 0; row < sentence.target_rows; row++) {
            rows += map_row(&sentence, word_of_row(guidance, &sentence, row), NULL) > 0;
        }
    }
    return rows;
}

/* Room for all that the rows of the batch could look at. */
static int reserve(struct tolk_guidance *guidance, size_t rows, size_t keys,
                   struct tolk_error *error)
{
    if (rows + 1 > guidance->begin_capacity) {
        free(guidance->begin);
        guidance->begin = malloc((rows + 1) * sizeof *guidance->begin);
        guidance->begin_capacity = guidance->begin != NULL ? rows + 1 : 0;
    }
    if (keys > guidance->key_capacity) {
        free(guidance->keys);
        guidance->keys = malloc(keys * sizeof *guidance->keys);
        guidance->key_capacity = guidance->keys != NULL ? keys : 0;
    }
    if (guidance->begin == NULL || (keys > 0 && guidance->keys == NULL)) {
        return tolk_error_set(error, "out of memory for the guided alignment of %zu tokens", rows);
    }
    return 0;
}

int tolk_guidance_map(struct tolk_guidance *guidance, const struct tolk_pairs *pairs,
                      const struct tolk_examples *examples, const struct tolk_batches *batches,
                      size_t b, struct tolk_guide *guide, struct tolk_error *error)
{
    size_t rows = 0;
    size_t most = 0;
    for (size_t i = batches->begin[b]; i < batches->begin[b + 1]; i++) {
        const struct sentence sentence = sentence_of(pairs, examples, batches->order[i]);
        rows += sentence.target_rows;
        most += sentence.target_rows * sentence.source_rows;
    }
    if (reserve(guidance, rows, most, error) != 0) {
        return -1;
    }
    size_t filled = 0;
    rows = 0;
    guidance->begin[0] = 0;
    for (size_t i = batches->begin[b]; i < batches->begin[b + 1]; i++) {
        const struct sentence sentence = sentence_of(pairs, examples, batches->order[i]);
        for (size_t row = 0; row < sentence.target_rows; row++) {
            filled +=
                map_row(&sentence, word_of_row(guidance, &sentence, row), guidance->keys + filled);
            guidance->begin[++rows] = filled;
        }
    }
    guide->begin = guidance->begin;
    guide->keys = guidance->keys;
    return 0;
}

void tolk_guidance_free(struct tolk_guidance *guidance)
{
    free(guidance->begin);
    free(guidance->keys);
    *guidance = (struct tolk_guidance){.shift = guidance->shift};
}
