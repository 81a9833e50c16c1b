#include "corpora/command.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "corpora/prepare.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char help[] =
    "Usage: tolk-corpus prepare [OPTION]… DOWNLOAD FOLDER\n"
    "\n"
    "Cleans, filters, de-duplicates and splits Dutch-English pairs of Tatoeba\n"
    "(English<TAB>Dutch<TAB>attribution as ManyThings has them, or Tatoeba's own export\n"
    "number<TAB>Dutch<TAB>number<TAB>English; gzip or not) into FOLDER/train.tsv, dev.tsv and\n"
    "test.tsv, with their *.attribution.tsv beside. No sentence of one stands in another.\n"
    "Prints what became of the lines. corpora/fetch-tatoeba.sh downloads and calls this.\n"
    "\n"
    "      --dev N     pairs in dev (default 1500)\n"
    "      --test N    pairs in test (default 2000)\n"
    "  -s, --seed S    of the shuffle and the draw (default 1)\n"
    "  -h, --help      this text\n";

static int parse_number(const char *option, const char *text, uint64_t largest, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *number > largest) {
        fprintf(stderr,
                "tolk-corpus prepare: %s: expected a number up to %" PRIu64 ", found \"%s\"\n",
                option, largest, text);
        return STATUS_USAGE;
    }
    return STATUS_DONE;
}

/* STATUS_DONE to go on, or the status to leave with; `*leave` is set for --help. */
static int take_option(int option, struct tolk_prepare_options *options, bool *leave)
{
    const uint64_t most_pairs = 100000000;
    uint64_t number = 0;
    int status = STATUS_DONE;
    switch (option) {
    case 'd':
        status = parse_number("--dev", optarg, most_pairs, &number);
        options->dev = (size_t)number;
        return status;
    case 't':
        status = parse_number("--test", optarg, most_pairs, &number);
        options->test = (size_t)number;
        return status;
    case 's':
        return parse_number("--seed", optarg, UINT64_MAX, &options->seed);
    case 'h':
        fputs(help, stdout);
        *leave = true;
        return STATUS_DONE;
    default:
        return STATUS_USAGE; /* getopt_long has named the option */
    }
}

static int print_counts(const struct tolk_prepare_counts *counts)
{
    const struct {
        size_t count;
        const char *what;
    } lines[] = {
        {counts->read, "read"},
        {counts->not_text, "not text"},
        {counts->no_words, "without words"},
        {counts->too_long, "too long"},
        {counts->uneven, "of uneven length"},
        {counts->repeated, "repeated"},
        {counts->left_out, "left out: other translations of dev and test"},
        {counts->train, "train"},
        {counts->dev, "dev"},
        {counts->test, "test"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        printf("%8zu  %s\n", lines[i].count, lines[i].what);
    }
    if (fflush(stdout) != 0) {
        fprintf(stderr, "tolk-corpus: standard output: cannot write\n");
        return STATUS_FAILED;
    }
    return STATUS_DONE;
}

int tolk_command_prepare(int argc, char **argv)
{
    static const struct option known[] = {{"dev", required_argument, NULL, 'd'},
                                          {"test", required_argument, NULL, 't'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct tolk_prepare_options options = TOLK_PREPARE_DEFAULTS;
    struct tolk_prepare_counts counts;
    struct tolk_error error;
    bool leave = false;
    int status = STATUS_DONE;
    for (int option = 0; status == STATUS_DONE && !leave &&
                         (option = getopt_long(argc, argv, "s:h", known, NULL)) != -1;) {
        status = take_option(option, &options, &leave);
    }
    if (status != STATUS_DONE || leave) {
        return status;
    }
    if (argc - optind != 2) {
        fprintf(stderr,
                "tolk-corpus prepare: expected a file and a folder, found %d names (see "
                "--help)\n",
                argc - optind);
        return STATUS_USAGE;
    }
    if (tolk_prepare(argv[optind], argv[optind + 1], &options, &counts, &error) != 0) {
        fprintf(stderr, "tolk-corpus: %s\n", error.message);
        return STATUS_FAILED;
    }
    return print_counts(&counts);
}
