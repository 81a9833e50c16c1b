#include "tokenizer/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"

/* Grows one of the arrays; on failure it stays as it was. */
static int grow(size_t **array, size_t capacity)
{
    size_t *const larger = realloc(*array, capacity * sizeof **array);
    if (larger == NULL) {
        return -1;
    }
    *array = larger;
    return 0;
}

static int add_word(struct tolk_words *words, size_t at, struct tolk_error *error)
{
    enum { FIRST_CAPACITY = 16 };
    if (words->count == words->capacity) {
        const size_t capacity = words->capacity == 0 ? FIRST_CAPACITY : 2 * words->capacity;
        if (grow(&words->begin, capacity) != 0 || grow(&words->end, capacity) != 0) {
            return tolk_error_set(error, "out of memory for %zu words", capacity);
        }
        words->capacity = capacity;
    }
    words->begin[words->count++] = at;
    return 0;
}

int tolk_words_split(const char *text, size_t size, struct tolk_words *words,
                     struct tolk_error *error)
{
    bool inside = false;
    words->count = 0;
    for (size_t at = 0; at < size;) {
        uint32_t point = 0;
        const size_t step = tolk_utf8_decode(text + at, size - at, &point);
        const bool space = step > 0 && tolk_utf8_is_space(point);
        if (!space && !inside && add_word(words, at, error) != 0) {
            return -1;
        }
        inside = !space;
        at += step > 0 ? step : 1; /* a byte that is no UTF-8 stands for itself */
        if (inside) {
            words->end[words->count - 1] = at;
        }
    }
    return 0;
}

void tolk_words_free(struct tolk_words *words)
{
    free(words->begin);
    free(words->end);
    *words = (struct tolk_words){0};
}

/* How many bytes the two ranges share. */
static size_t shared(size_t begin_a, size_t end_a, size_t begin_b, size_t end_b)
{
    const size_t begin = begin_a > begin_b ? begin_a : begin_b;
    const size_t end = end_a < end_b ? end_a : end_b;
    return end > begin ? end - begin : 0;
}

void tolk_words_of_pieces(const struct tolk_words *words, const struct tolk_pieces *pieces,
                          size_t *word_of_piece)
{
    size_t first = 0; /* the first word that ends behind the piece's beginning */
    for (size_t i = 0; i < pieces->count; i++) {
        const size_t begin = pieces->begin[i], end = pieces->end[i];
        while (first < words->count && words->end[first] <= begin) {
            first++;
        }
        size_t best = first, most = 0;
        for (size_t w = first; w < words->count && words->begin[w] < end; w++) {
            const size_t bytes = shared(begin, end, words->begin[w], words->end[w]);
            if (bytes > most) {
                best = w;
                most = bytes;
            }
        }
        if (best == words->count) {
            best = words->count == 0 ? SIZE_MAX : words->count - 1;
        }
        word_of_piece[i] = best;
    }
}
