/* tolk: text → tokens → encoder → search over decoder steps → tokens → text + alignment */
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "infer/commands.h"
#include "model/isa.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, FILE *out, FILE *log);
    const char *about;
} COMMANDS[] = {
    {"translate", tolk_command_translate, "translate lines of text"},
    {"score", tolk_command_score, "log-probabilities of given pairs"},
    {"align", tolk_command_align, "word alignments of given pairs"},
    {"evaluate", tolk_command_evaluate, "BLEU, chrF, exact matches and AER"},
    {"inspect", tolk_command_inspect, "draw the attention of one sentence"},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

static void print_help(FILE *out)
{
    fputs("Usage: tolk COMMAND [OPTION]… MODEL …\n\n"
          "Translates with a model that tolk-train made, and shows what its attention did.\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-12s%s\n", COMMANDS[i].name, COMMANDS[i].about);
    }
    fputs("\n`tolk COMMAND --help` tells the rest. `tolk --version` tells the version.\n", out);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return TOLK_WRONG_USAGE;
    }
    const char *const name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
    } else if (strcmp(name, "--version") == 0) {
        puts("tolk " TOLK_VERSION);
    } else {
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (strcmp(name, COMMANDS[i].name) == 0) {
                struct tolk_error error;
                if (tolk_isa_choose(NULL, &error) != 0) {
                    fprintf(stderr, "tolk: %s\n", error.message);
                    return TOLK_FAILED;
                }
                return COMMANDS[i].run(argc - 1, argv + 1, stdout, stderr);
            }
        }
        fprintf(stderr, "tolk: unknown %s \"%s\"; see `tolk --help`\n",
                name[0] == '-' ? "option" : "command", name);
        return TOLK_WRONG_USAGE;
    }
    if (fflush(stdout) != 0) {
        perror("tolk: cannot write the output");
        return TOLK_FAILED;
    }
    return TOLK_DONE;
}
