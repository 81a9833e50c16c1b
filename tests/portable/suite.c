/* Runs the tests of one program one after another and prints "ok NAME" or "not ok NAME". */
#include "tests/support/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

static jmp_buf failed;

void tolk_portable_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    printf("%s:%d: ", file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    longjmp(failed, 1);
}

int tolk_suite_run(const char *name, const TTest *const *tests, size_t count)
{
    volatile int status = EXIT_SUCCESS; /* keeps its value over longjmp */
    for (volatile size_t i = 0; i < count; i++) {
        if (setjmp(failed) == 0) {
            tests[i]->run();
            printf("ok %s: %s\n", name, tests[i]->name);
        } else {
            printf("not ok %s: %s\n", name, tests[i]->name);
            status = EXIT_FAILURE;
        }
        fflush(stdout);
    }
    return status;
}
