#include "tests/support/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "corpora/lines.h"
#include "tests/support/suite.h"

static void open_fixture(struct tolk_lines *lines)
{
    struct tolk_error error;
    if (tolk_lines_open(lines, tolk_fixture("metrics.tsv"), &error) != 0) {
        ck_abort_msg("%s", error.message);
    }
}

size_t metrics_visit(const struct metrics_visitor *visitor, void *state)
{
    struct tolk_lines lines;
    struct metrics_corpus corpus;
    size_t count = 0;
    open_fixture(&lines);
    while (tolk_lines_next(&lines, NULL) > 0) {
        char *line = strdup(lines.text);
        char *tab = strchr(line, '\t');
        ck_assert_ptr_nonnull(tab);
        *tab = '\0';
        if (strcmp(line, "corpus") == 0) {
            if (count++ > 0) {
                visitor->end(state, &corpus);
            }
            visitor->begin(state);
            ck_assert_int_eq(
                sscanf(tab + 1, "%63[^\t]\t%lf\t%lf", corpus.name, &corpus.bleu, &corpus.chrf), 3);
        } else if (strcmp(line, "signature") != 0) {
            visitor->add(state, line, tab + 1);
        }
        free(line);
    }
    ck_assert_uint_gt(count, 0);
    visitor->end(state, &corpus);
    tolk_lines_close(&lines);
    return count;
}

int metrics_has_signature(const char *signature)
{
    static const char prefix[] = "signature\t";
    struct tolk_lines lines;
    int found = 0;
    open_fixture(&lines);
    while (tolk_lines_next(&lines, NULL) > 0) {
        found = found || (strncmp(lines.text, prefix, strlen(prefix)) == 0 &&
                          strcmp(lines.text + strlen(prefix), signature) == 0);
    }
    tolk_lines_close(&lines);
    return found;
}
