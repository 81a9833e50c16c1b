#include "infer/page_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEWEST_WORDS = 256,
    LISTED = 10,        /* of each order */
    MOST_EXAMPLES = 50, /* of each word */
    /* In a corpus of some size a word has to come a few times. */
    SMALL_CORPUS = 500, /* words */
    FEW_TIMES = 3,
};

/* −Σ w log₂ w of a row. */
static double entropy_of(const float *row, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum -= row[i] > 0 ? (double)row[i] * log2((double)row[i]) : 0;
    }
    return fmax(sum, 0);
}

static int reserve(struct tolk_page_words *words, size_t count)
{
    if (count <= words->capacity) {
        return 0;
    }
    const size_t doubled = words->capacity > 0 ? 2 * words->capacity : FEWEST_WORDS;
    const size_t capacity = count > doubled ? count : doubled;
    struct tolk_page_word *const grown = realloc(words->items, capacity * sizeof *grown);
    if (grown == NULL) {
        return -1;
    }
    words->items = grown;
    words->capacity = capacity;
    return 0;
}

int tolk_page_words_add(struct tolk_page_words *words, const struct tolk_sentence *target,
                        const struct tolk_reading *reading, size_t pair, struct tolk_error *error)
{
    const size_t width = reading->attention.source_words + 1;
    if (reserve(words, words->count + target->words.count) != 0) {
        return tolk_error_set(error, "out of memory for the words of the corpus");
    }
    for (size_t w = 0; w < target->words.count; w++) {
        const size_t begin = target->words.begin[w];
        char *const text = strndup(target->text + begin, target->words.end[w] - begin);
        if (text == NULL) {
            return tolk_error_set(error, "out of memory for the words of the corpus");
        }
        words->items[words->count++] = (struct tolk_page_word){
            text, pair, entropy_of(reading->attention.weights + w * width, width),
            reading->word_scores[w]};
    }
    return 0;
}

/* All places of one word. */
struct entry {
    const struct tolk_page_word *places;
    size_t count;
    double entropy; /* means */
    double log_probability;
    bool listed;
};

static int by_text(const void *a, const void *b)
{
    const struct tolk_page_word *const x = a;
    const struct tolk_page_word *const y = b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->pair > y->pair) - (x->pair < y->pair);
}

static int by_entropy(const void *a, const void *b)
{
    const struct entry *const x = a;
    const struct entry *const y = b;
    return (x->entropy > y->entropy) - (x->entropy < y->entropy);
}

static int by_probability(const void *a, const void *b)
{
    const struct entry *const x = a;
    const struct entry *const y = b;
    return (x->log_probability > y->log_probability) - (x->log_probability < y->log_probability);
}

/* Entries of the sorted words that come `least` times or more; how many. */
static size_t gather(const struct tolk_page_words *words, size_t least, struct entry *entries)
{
    size_t found = 0;
    for (size_t begin = 0, end = 0; begin < words->count; begin = end) {
        struct entry entry = {.places = &words->items[begin]};
        for (; end < words->count && strcmp(words->items[end].text, entry.places->text) == 0;
             end++) {
            entry.entropy += words->items[end].entropy;
            entry.log_probability += words->items[end].log_probability;
        }
        entry.count = end - begin;
        entry.entropy /= (double)entry.count;
        entry.log_probability /= (double)entry.count;
        if (entry.count >= least) {
            entries[found++] = entry;
        }
    }
    return found;
}

/* The first and the last of an order. */
static void list_ends(struct entry *entries, size_t count, int (*order)(const void *, const void *))
{
    qsort(entries, count, sizeof *entries, order);
    for (size_t i = 0; i < count; i++) {
        entries[i].listed = entries[i].listed || i < LISTED || i + LISTED >= count;
    }
}

/* The words that come often enough, those that are listed marked, in fresh memory. */
static struct entry *make_entries(struct tolk_page_words *words, size_t least, size_t *count)
{
    struct entry *const entries = malloc((words->count + 1) * sizeof *entries);
    if (entries == NULL) {
        return NULL;
    }
    if (words->count > 0) {
        qsort(words->items, words->count, sizeof *words->items, by_text);
    }
    *count = gather(words, least, entries);
    list_ends(entries, *count, by_probability);
    list_ends(entries, *count, by_entropy);
    return entries;
}

static size_t least_of(const struct tolk_page_words *words)
{
    return words->count < SMALL_CORPUS ? 1 : FEW_TIMES;
}

int tolk_page_words_mark(struct tolk_page_words *words, bool *wanted)
{
    size_t count = 0;
    struct entry *const entries = make_entries(words, least_of(words), &count);
    if (entries == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].listed) {
            wanted[entries[i].places[0].pair] = true;
        }
    }
    free(entries);
    return 0;
}

static json_t *entry_json(const struct entry *entry, const size_t *places)
{
    json_t *const examples = json_array();
    for (size_t i = 0; i < entry->count && json_array_size(examples) < MOST_EXAMPLES; i++) {
        const size_t pair = entry->places[i].pair;
        if (places[pair] != TOLK_NOT_IN_PAGE && (i == 0 || pair != entry->places[i - 1].pair)) {
            json_array_append_new(examples, json_integer((json_int_t)places[pair]));
        }
    }
    return json_pack("{s:s, s:I, s:f, s:f, s:o}", "text", entry->places->text, "count",
                     (json_int_t)entry->count, "entropy", entry->entropy, "probability",
                     exp(entry->log_probability), "examples", examples);
}

json_t *tolk_page_words_json(struct tolk_page_words *words, const size_t *places)
{
    const size_t least = least_of(words);
    size_t count = 0;
    struct entry *const entries = make_entries(words, least, &count);
    if (entries == NULL) {
        return NULL;
    }
    json_t *const list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (entries[i].listed) {
            json_array_append_new(list, entry_json(&entries[i], places));
        }
    }
    free(entries);
    return json_pack("{s:I, s:i, s:o}", "least", (json_int_t)least, "listed", LISTED, "words",
                     list);
}

void tolk_page_words_free(struct tolk_page_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->items[i].text);
    }
    free(words->items);
    *words = (struct tolk_page_words){0};
}
