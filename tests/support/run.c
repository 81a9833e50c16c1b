#include "tests/support/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/folder.h"

enum { MOST_ARGUMENTS = 16 };

struct tolk_test_ran tolk_test_run(tolk_test_command *command, const char *const *arguments)
{
    struct tolk_test_ran ran = {0};
    size_t out_size = 0;
    size_t log_size = 0;
    FILE *const out = open_memstream(&ran.out, &out_size);
    FILE *const log = open_memstream(&ran.log, &log_size);
    char *argv[MOST_ARGUMENTS + 1] = {strdup("tolk")};
    int argc = 1;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        argv[argc++] = strdup(arguments[i]);
    }
    char *copies[MOST_ARGUMENTS + 1]; /* the command may reorder argv */
    memcpy(copies, argv, sizeof copies);
    ran.status = command(argc, argv, out, log);
    fclose(out);
    fclose(log);
    for (int i = 0; i < argc; i++) {
        free(copies[i]);
    }
    return ran;
}

void tolk_test_ran_free(struct tolk_test_ran *ran)
{
    free(ran->out);
    free(ran->log);
}

char *tolk_test_write_text(const char *folder, const char *name, const char *text, size_t size)
{
    char *const path = tolk_path_join(folder, name);
    tolk_test_write(path, text, size);
    return path;
}

size_t tolk_test_count_lines(const char *text)
{
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    return lines;
}
