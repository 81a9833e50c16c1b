/* The corpora of tests/fixtures/metrics.tsv with the scores that sacreBLEU gives them. */
#ifndef TOLK_TESTS_METRICS_H
#define TOLK_TESTS_METRICS_H

#include <stddef.h>

/* The fixture has six decimals. */
#define TOLK_METRICS_TOLERANCE 1e-6

struct metrics_corpus {
    char name[64];
    double bleu;
    double chrf;
};

struct metrics_visitor {
    void (*begin)(void *state);
    void (*add)(void *state, const char *hypothesis, const char *reference);
    void (*end)(void *state, const struct metrics_corpus *corpus);
};

/* Shows every corpus to the visitor; the number of corpora. */
size_t metrics_visit(const struct metrics_visitor *visitor, void *state);

/* True when one of the fixture's signatures is this one. */
int metrics_has_signature(const char *signature);

#endif
