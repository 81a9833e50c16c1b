/* Runs a command of `tolk` and keeps what it wrote. */
#ifndef TOLK_TESTS_RUN_H
#define TOLK_TESTS_RUN_H

#include <stddef.h>
#include <stdio.h>

/* What a command wrote, and its exit status. */
struct tolk_test_ran {
    int status;
    char *out;
    char *log;
};

typedef int tolk_test_command(int argc, char **argv, FILE *out, FILE *log);

/* Runs a command with the arguments given, NULL at their end. */
struct tolk_test_ran tolk_test_run(tolk_test_command *command, const char *const *arguments);
void tolk_test_ran_free(struct tolk_test_ran *ran);

#define TOLK_TEST_RUN(command, ...) tolk_test_run(command, (const char *const[]){__VA_ARGS__, NULL})

/* Writes a file into the folder; its path in fresh memory. */
char *tolk_test_write_text(const char *folder, const char *name, const char *text, size_t size);

size_t tolk_test_count_lines(const char *text);

#endif
