/* Subcommands of tolk-corpus that have a file of their own; like main.c they print, and return the
 * exit status: 0 done, 1 failed, 2 wrong usage. `argv[0]` is the subcommand's name. */
#ifndef TOLK_CORPORA_COMMAND_H
#define TOLK_CORPORA_COMMAND_H

int tolk_command_prepare(int argc, char **argv);

#endif
