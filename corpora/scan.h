/* The lines of a grammar file and what stands in them: names, values, words. */
#ifndef TOLK_CORPORA_SCAN_H
#define TOLK_CORPORA_SCAN_H

#include <stdbool.h>

#include "corpora/rules.h"

struct tolk_scan {
    struct tolk_grammar *grammar;
    struct tolk_error *error;
    const char *next; /* the rest of the file */
    const char *end;
    size_t line;
    const char *at; /* the rest of the line, without its comment */
    const char *line_end;
    bool indented;
};

/* Goes to the next line that holds more than a comment; false at the end of the file. */
bool tolk_scan_line(struct tolk_scan *scan);

/* Skips blanks; true when nothing is left of the line. */
bool tolk_scan_done(struct tolk_scan *scan);

/* Skips blanks and takes `byte` if it is next. */
bool tolk_scan_take(struct tolk_scan *scan, char byte);

/* A name: letters, digits, `_`, `-` and every byte beyond ASCII. NULL, with the error set, when
 * something else stands there (`what` says what was expected) or memory is short. */
const char *tolk_scan_name(struct tolk_scan *scan, const char *what);

/* Everything up to the next blank; NULL as above. */
const char *tolk_scan_word(struct tolk_scan *scan, const char *what);

/* A positive number; -1 with the error set. */
int tolk_scan_number(struct tolk_scan *scan, const char *what, double *number);

/* "file:line: expected WHAT, found …" with the text at the scan's place. Returns -1. */
int tolk_scan_expected(struct tolk_scan *scan, const char *what);

/* "file:line: " and a message of one argument's text. Returns -1. */
int tolk_scan_fault(struct tolk_scan *scan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int tolk_scan_no_memory(struct tolk_scan *scan);

/* `a|b|c`, values of the domain; `*` is all of them. `where` is the feature's name. */
int tolk_scan_values(struct tolk_scan *scan, const struct tolk_feature *feature, uint64_t *mask);

/* The feature's index; -1 with the error set. */
int tolk_scan_feature(struct tolk_scan *scan, const char *name, size_t *feature);

/* The symbol's index; it is made, without a rule, where the name is new. */
int tolk_scan_symbol(struct tolk_scan *scan, const char *name, size_t *symbol);

/* A fresh rule of the symbol; NULL with the error set. */
struct tolk_rule *tolk_scan_add_rule(struct tolk_scan *scan, size_t symbol);

/* `rule NAME(terms) weight` after the word `rule`, and one line of its body. */
int tolk_rule_read_head(struct tolk_scan *scan, size_t *symbol);
int tolk_rule_read_line(struct tolk_scan *scan, struct tolk_rule *rule);

/* A side's name and a part's: `nl`, `en.rest`. */
int tolk_scan_part_name(struct tolk_scan *scan, const char *text, int *side, const char **part);

#endif
