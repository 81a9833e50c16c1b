/* tolk-corpus: makes corpora. Each subcommand is one entry of `commands`. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "corpora/command.h"
#include "corpora/generate.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static const char generate_help[] =
    "Usage: tolk-corpus generate [OPTION]… GRAMMAR\n"
    "\n"
    "Draws distinct sentence pairs with their gold word alignment from a synchronous grammar\n"
    "(corpora/README.md) and writes FOLDER/train.tsv, dev.tsv, test.tsv and combinations.tsv:\n"
    "source<TAB>target<TAB>0-0 1-1 ... No sentence stands in two of them; what the grammar marks\n"
    "as combinations and holds out stands in combinations.tsv alone. Without -o the pairs of\n"
    "train go to standard output, and the other splits are not made.\n"
    "\n"
    "  -o, --output FOLDER       where the files go\n"
    "  -n, --pairs N             pairs in train (default 20000 with -o, 20 without)\n"
    "      --dev N               pairs in dev (default 500)\n"
    "      --test N              pairs in test (default 500)\n"
    "      --combinations N      pairs in combinations (default 500)\n"
    "  -s, --seed S              the same seed gives the same corpus (default 1)\n"
    "  -x, --exclude SENTENCE    a source sentence that must stand in no split; repeatable\n"
    "  -h, --help                this text\n";

/* One sentence at most for each argument there is. */
struct generate_options {
    struct tolk_corpus_options corpus;
    const char *folder;
    const char **excluded;
};

static int usage_error(const char *command, const char *what, const char *text)
{
    fprintf(stderr, "tolk-corpus %s: %s: %s (see --help)\n", command, what, text);
    return EXIT_USAGE;
}

static int parse_count(const char *text, uint64_t largest, uint64_t *count)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > largest) {
        return -1;
    }
    *count = number;
    return 0;
}

static int take_count(const char *option, const char *text, size_t *count)
{
    const uint64_t largest = 100000000;
    uint64_t number = 0;
    if (parse_count(text, largest, &number) != 0) {
        fprintf(stderr,
                "tolk-corpus generate: %s: expected a number up to %" PRIu64 ", found \"%s\"\n",
                option, largest, text);
        return EXIT_USAGE;
    }
    *count = (size_t)number;
    return EXIT_DONE;
}

/* EXIT_DONE to go on, or the status to leave with; `*leave` is set for --help. */
static int take_generate_option(int option, struct generate_options *options, bool *leave)
{
    size_t *wanted = options->corpus.wanted;
    switch (option) {
    case 'o':
        options->folder = optarg;
        return EXIT_DONE;
    case 'n':
        return take_count("--pairs", optarg, &wanted[TOLK_TRAIN]);
    case 'd':
        return take_count("--dev", optarg, &wanted[TOLK_DEV]);
    case 't':
        return take_count("--test", optarg, &wanted[TOLK_TEST]);
    case 'c':
        return take_count("--combinations", optarg, &wanted[TOLK_COMBINATIONS]);
    case 's':
        return parse_count(optarg, UINT64_MAX, &options->corpus.seed) == 0
                   ? EXIT_DONE
                   : usage_error("generate", "--seed: expected a number, found", optarg);
    case 'x':
        options->excluded[options->corpus.excluded_count++] = optarg;
        return EXIT_DONE;
    case 'h':
        fputs(generate_help, stdout);
        *leave = true;
        return EXIT_DONE;
    default:
        return EXIT_USAGE; /* getopt_long has named the option */
    }
}

static int print_corpus(const struct tolk_corpus *corpus)
{
    size_t size = 0;
    char *text = tolk_corpus_text(corpus, TOLK_TRAIN, &size);
    const bool written =
        text != NULL && fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0;
    free(text);
    if (!written) {
        fprintf(stderr, "tolk-corpus: standard output: cannot write\n");
    }
    return written ? EXIT_DONE : EXIT_FAILED;
}

static int generate(const char *path, const struct generate_options *options)
{
    struct tolk_error error;
    struct tolk_grammar *grammar = NULL;
    struct tolk_corpus corpus = {0};
    int status = EXIT_FAILED;
    if (tolk_grammar_load(&grammar, path, &error) != 0 ||
        tolk_corpus_generate(grammar, &options->corpus, &corpus, &error) != 0 ||
        (options->folder != NULL && tolk_corpus_write(&corpus, options->folder, &error) != 0)) {
        fprintf(stderr, "tolk-corpus: %s\n", error.message);
        goto out;
    }
    if (options->folder == NULL) {
        status = print_corpus(&corpus);
        goto out;
    }
    for (enum tolk_split split = TOLK_TRAIN; split < TOLK_SPLITS; split++) {
        fprintf(stderr, "%s/%s.tsv: %zu pairs\n", options->folder, tolk_split_name(split),
                corpus.count[split]);
    }
    status = EXIT_DONE;
out:
    tolk_corpus_free(&corpus);
    tolk_grammar_free(grammar);
    return status;
}

static int read_generate_options(int argc, char **argv, struct generate_options *options,
                                 bool *leave)
{
    static const struct option known[] = {{"output", required_argument, NULL, 'o'},
                                          {"pairs", required_argument, NULL, 'n'},
                                          {"dev", required_argument, NULL, 'd'},
                                          {"test", required_argument, NULL, 't'},
                                          {"combinations", required_argument, NULL, 'c'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"exclude", required_argument, NULL, 'x'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int status = EXIT_DONE;
    int option = 0;
    while (status == EXIT_DONE && !*leave &&
           (option = getopt_long(argc, argv, "o:n:s:x:h", known, NULL)) != -1) {
        status = take_generate_option(option, options, leave);
    }
    if (status != EXIT_DONE || *leave) {
        return status;
    }
    if (optind == argc) {
        return usage_error("generate", "expected", "a grammar file");
    }
    if (optind + 1 < argc) {
        return usage_error("generate", "one grammar file too many", argv[optind + 1]);
    }
    return EXIT_DONE;
}

/* What was not asked for: 20,000 pairs and 500 for each other split in a folder, 20 on a screen. */
static void fill_defaults(struct generate_options *options)
{
    static const size_t in_folder[TOLK_SPLITS] = {20000, 500, 500, 500};
    static const size_t on_screen[TOLK_SPLITS] = {20, 0, 0, 0};
    const size_t *usual = options->folder != NULL ? in_folder : on_screen;
    for (size_t split = 0; split < TOLK_SPLITS; split++) {
        size_t *wanted = &options->corpus.wanted[split];
        if (*wanted == SIZE_MAX || (options->folder == NULL && split != TOLK_TRAIN)) {
            *wanted = usual[split];
        }
    }
}

static int run_generate(int argc, char **argv)
{
    struct generate_options options = {
        .corpus = {.seed = 1, .wanted = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX}}};
    bool leave = false;
    options.excluded = calloc((size_t)argc, sizeof *options.excluded);
    if (options.excluded == NULL) {
        fprintf(stderr, "tolk-corpus: out of memory\n");
        return EXIT_FAILED;
    }
    options.corpus.excluded = options.excluded;
    int status = read_generate_options(argc, argv, &options, &leave);
    if (status == EXIT_DONE && !leave) {
        fill_defaults(&options);
        status = generate(argv[optind], &options);
    }
    free(options.excluded);
    return status;
}

static const struct command commands[] = {
    {"generate", "draw sentence pairs with their alignment from a grammar", run_generate},
    {"prepare", "clean, filter and split a download of Tatoeba pairs", tolk_command_prepare},
};

static void print_help(FILE *stream)
{
    fputs("Usage: tolk-corpus COMMAND [OPTION]…\n\n"
          "Makes corpora: of toy languages from a grammar, of real pairs from a download.\n\n",
          stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n`tolk-corpus COMMAND --help` tells the rest. `tolk-corpus --version` tells the "
          "version.\n",
          stream);
}

static int run(int argc, char **argv)
{
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("tolk-corpus " TOLK_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            /* getopt_long begins its messages with this. */
            static char name[] = "tolk-corpus";
            argv[1] = name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "tolk-corpus: unknown %s \"%s\"; see `tolk-corpus --help`\n",
            argv[1][0] == '-' ? "option" : "command", argv[1]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const int status = run(argc, argv);
    if (fflush(stdout) != 0 && status == EXIT_DONE) {
        perror("tolk-corpus: cannot write the output");
        return EXIT_FAILED;
    }
    return status;
}
