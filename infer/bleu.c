#include "infer/bleu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/ngrams.h"
#include "infer/tokenize_13a.h"

_Static_assert((int)TOLK_BLEU_ORDER <= (int)TOLK_NGRAMS_LONGEST, "one sort serves all orders");

const char TOLK_BLEU_SIGNATURE[] = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0";

/* A word of either sentence, and the unit that it becomes. */
struct word {
    const char *text;
    size_t size;
    uint32_t *unit;
};

static int compare_words(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->size != y->size) {
        return x->size < y->size ? -1 : 1;
    }
    return memcmp(x->text, y->text, x->size);
}

/* Where the next word of `text` starts, and its size; words have one space between them. */
static const char *next_word(const char *text, size_t *size)
{
    *size = strcspn(text, " ");
    return text + *size + (text[*size] == ' ');
}

static size_t count_words(const char *text)
{
    size_t count = 0, size = 0;
    while (*text != '\0') {
        text = next_word(text, &size);
        count++;
    }
    return count;
}

static void list_words(const char *text, const struct tolk_units *units, struct word *words)
{
    size_t size = 0;
    for (size_t i = 0; *text != '\0'; i++) {
        const char *word = text;
        text = next_word(text, &size);
        words[i] = (struct word){word, size, &units->items[i]};
    }
}

/* Gives each word an id, the same in both sentences: equal words stand side by side once sorted. */
static int number_words(const char *hypothesis, const char *reference,
                        struct tolk_units *hypothesis_units, struct tolk_units *reference_units)
{
    const size_t in_hypothesis = count_words(hypothesis), in_reference = count_words(reference);
    const size_t count = in_hypothesis + in_reference;
    struct word *words = malloc((count + 1) * sizeof *words);
    uint32_t *units = malloc((count + 1) * sizeof *units);
    if (words == NULL || units == NULL) {
        free(words);
        free(units);
        return -1;
    }
    *hypothesis_units = (struct tolk_units){units, in_hypothesis};
    *reference_units = (struct tolk_units){units + in_hypothesis, in_reference};
    list_words(hypothesis, hypothesis_units, words);
    list_words(reference, reference_units, words + in_hypothesis);
    qsort(words, count, sizeof *words, compare_words);
    uint32_t id = 0;
    for (size_t i = 0; i < count; i++) {
        id += i > 0 && compare_words(&words[i - 1], &words[i]) != 0;
        *words[i].unit = id;
    }
    free(words);
    return 0;
}

int tolk_bleu_add(struct tolk_bleu *bleu, const char *hypothesis, const char *reference,
                  struct tolk_error *error)
{
    struct tolk_units hypothesis_units = {0}, reference_units = {0};
    int result = -1;
    char *hypothesis_words = tolk_tokenize_13a(hypothesis);
    char *reference_words = tolk_tokenize_13a(reference);
    if (hypothesis_words == NULL || reference_words == NULL ||
        number_words(hypothesis_words, reference_words, &hypothesis_units, &reference_units) != 0 ||
        tolk_ngrams_match(&hypothesis_units, &reference_units, TOLK_BLEU_ORDER, bleu->matches) !=
            0) {
        tolk_error_set(error, "BLEU: out of memory");
        goto out;
    }
    for (size_t order = 1; order <= TOLK_BLEU_ORDER; order++) {
        bleu->totals[order - 1] += tolk_ngrams_total(hypothesis_units.count, order);
    }
    bleu->hypothesis_length += hypothesis_units.count;
    bleu->reference_length += reference_units.count;
    result = 0;
out:
    /* Both rows of units are one allocation. */
    free(hypothesis_units.items);
    free(hypothesis_words);
    free(reference_words);
    return result;
}

double tolk_bleu_score(const struct tolk_bleu *bleu)
{
    double log_precisions = 0, halvings = 1, brevity = 1;
    if (bleu->matches[0] == 0) {
        return 0;
    }
    for (size_t i = 0; i < TOLK_BLEU_ORDER; i++) {
        if (bleu->totals[i] == 0) {
            return 0;
        }
        double matches = (double)bleu->matches[i];
        if (bleu->matches[i] == 0) {
            halvings /= 2;
            matches = halvings;
        }
        log_precisions += log(matches / (double)bleu->totals[i]);
    }
    if (bleu->hypothesis_length < bleu->reference_length) {
        brevity = exp(1 - (double)bleu->reference_length / (double)bleu->hypothesis_length);
    }
    return 100 * brevity * exp(log_precisions / TOLK_BLEU_ORDER);
}
