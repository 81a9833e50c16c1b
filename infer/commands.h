/* The commands of `tolk`, one file each: they parse their options, write results to `out` and
 * everything else to `log`, and return the exit status. */
#ifndef TOLK_INFER_COMMANDS_H
#define TOLK_INFER_COMMANDS_H

#include <stdio.h>

#include "base/options.h"

enum tolk_exit { TOLK_DONE = 0, TOLK_FAILED = 1, TOLK_WRONG_USAGE = 2 };

int tolk_command_translate(int argc, char **argv, FILE *out, FILE *log);
int tolk_command_score(int argc, char **argv, FILE *out, FILE *log);
int tolk_command_align(int argc, char **argv, FILE *out, FILE *log);
int tolk_command_evaluate(int argc, char **argv, FILE *out, FILE *log);
int tolk_command_inspect(int argc, char **argv, FILE *out, FILE *log);

/* Without a model: `tolk align --statistical` and `tolk evaluate --links`, with options and help of
 * their own. */
int tolk_command_align_statistical(int argc, char **argv, FILE *out, FILE *log);
int tolk_command_evaluate_links(int argc, char **argv, FILE *out, FILE *log);

#endif
