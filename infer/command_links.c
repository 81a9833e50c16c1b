/* `tolk evaluate --links`: alignments that any program made, against gold. */
#include "infer/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "corpora/gold.h"
#include "corpora/lines.h"
#include "infer/aer.h"

/* The gold of a pair; NULL where it has none. */
struct gold_of {
    const struct tolk_links *links;
};

struct scoring {
    struct tolk_settings settings;
    const char *links;
    const char *gold_path;
    struct tolk_pairs pairs;
    struct gold_of *gold; /* [pairs] */
    struct tolk_aer counts;
    size_t judged;
};

/* The gold of each pair: of the file, or of the pairs' own third field. */
static int find_gold(struct scoring *scoring, struct tolk_gold *gold, struct tolk_error *error)
{
    scoring->gold = calloc(scoring->pairs.count + 1, sizeof *scoring->gold);
    if (scoring->gold == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", scoring->pairs.count);
    }
    if (scoring->gold_path == NULL) {
        for (size_t i = 0; i < scoring->pairs.count; i++) {
            scoring->gold[i].links = &scoring->pairs.items[i].links;
        }
        return scoring->pairs.aligned
                   ? 0
                   : tolk_error_set(error,
                                    "no gold: expected --gold FILE, or links in a third column");
    }
    if (tolk_gold_read(scoring->gold_path, &scoring->pairs, gold, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < gold->count; i++) {
        scoring->gold[gold->items[i].pair].links = &gold->items[i].links;
    }
    return 0;
}

static int score_line(struct scoring *scoring, const struct tolk_lines *lines, size_t index,
                      struct tolk_error *error)
{
    const struct tolk_pair *const pair = &scoring->pairs.items[index];
    struct tolk_links links = {0};
    char where[512];
    snprintf(where, sizeof where, "%s:%zu", scoring->links, lines->number);
    if (tolk_links_parse(lines->text, strlen(lines->text),
                         tolk_utf8_count_words(pair->source, strlen(pair->source)),
                         tolk_utf8_count_words(pair->target, strlen(pair->target)), where, &links,
                         error) != 0) {
        tolk_links_free(&links);
        return -1;
    }
    if (scoring->gold[index].links != NULL) {
        tolk_aer_add(&scoring->counts, &links, scoring->gold[index].links);
        scoring->judged++;
    }
    tolk_links_free(&links);
    return 0;
}

/* A line for each line of the pairs' file: those that were skipped count. */
static int score(struct scoring *scoring, struct tolk_error *error)
{
    const struct tolk_pairs *const pairs = &scoring->pairs;
    struct tolk_lines lines;
    if (tolk_lines_open(&lines, scoring->links, error) != 0) {
        return -1;
    }
    int status = 0;
    size_t next = 0;
    while (status == 0 && (status = tolk_lines_next(&lines, error)) > 0) {
        status = 0;
        if (next < pairs->count && pairs->items[next].line == lines.number) {
            status = score_line(scoring, &lines, next++, error);
        }
    }
    const size_t wanted = pairs->count + pairs->skipped;
    if (status == 0 && lines.number != wanted) {
        status = tolk_error_set(error, "%s: expected a line for each of the %zu of %s, found %zu",
                                scoring->links, wanted, pairs->source_name, lines.number);
    }
    tolk_lines_close(&lines);
    return status;
}

static int print(const struct scoring *scoring, FILE *out, struct tolk_error *error)
{
    const double aer = tolk_aer_rate(&scoring->counts);
    const double precision = tolk_aer_precision(&scoring->counts);
    const double recall = tolk_aer_recall(&scoring->counts);
    if (!scoring->settings.json) {
        fprintf(out, "AER    %.4f  precision %.4f, recall %.4f, %zu pairs with gold\n", aer,
                precision, recall, scoring->judged);
        return tolk_command_flush(out, error);
    }
    json_t *const object = json_pack("{s:f, s:f, s:f, s:I}", "aer", aer, "precision", precision,
                                     "recall", recall, "aligned", (json_int_t)scoring->judged);
    return tolk_print_json(object, out, error) == 0 ? tolk_command_flush(out, error) : -1;
}

static const char ABOUT[] =
    "Scores the links of FILE, a line `0-0 1-2 …` for each pair, against gold: alignment error\n"
    "rate, precision and recall, with sure links `3-4` and possible ones `3p4`. Gold is the third\n"
    "column of PAIRS.tsv, or --gold.\n";

int tolk_command_evaluate_links(int argc, char **argv, FILE *out, FILE *log)
{
    struct scoring scoring = {.settings = tolk_settings_default()};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("links", 0, "FILE", "the links to score", &scoring.links),
        TOLK_OPTION_TEXT("gold", 0, "FILE",
                         "alignments of some pairs: line number, tab,\nlinks like 0-0 1-2 3p2",
                         &scoring.gold_path),
        TOLK_OPTION_FLAG("json", 0, "one JSON object", &scoring.settings.json),
        TOLK_SKIP_BAD_OPTION(&scoring.settings),
    };
    const struct tolk_command command = {"tolk evaluate --links",
                                         "FILE (PAIRS.tsv | SOURCE TARGET)", ABOUT, options,
                                         sizeof options / sizeof options[0]};
    struct tolk_error error;
    struct tolk_gold gold = {0};
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 2, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    int status = tolk_command_pairs(argv + first, argc - first, scoring.settings.skip_bad,
                                    &scoring.pairs, log, &error);
    if (status == 0 && (status = find_gold(&scoring, &gold, &error)) == 0 &&
        (status = score(&scoring, &error)) == 0) {
        status = print(&scoring, out, &error);
    }
    free(scoring.gold);
    tolk_gold_free(&gold);
    tolk_pairs_free(&scoring.pairs);
    return status == 0 ? TOLK_DONE : tolk_command_fail(&command, TOLK_FAILED, &error, log);
}
