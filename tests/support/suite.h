/* The frame of a test program: one Check suite, its tests, and how a skipped one says so.
 *
 *     START_TEST(adds) { … } END_TEST
 *     TOLK_SUITE("error", adds, …)
 *
 * Check forks for each test, and libgomp hangs in a forked child once the parent ran a parallel
 * region: nothing in a test program starts OpenMP outside a test. */
#ifndef TOLK_TESTS_SUITE_H
#define TOLK_TESTS_SUITE_H

#include <check.h>
#include <stdio.h>

/* Ends a test that hangs. No test may fail because the machine is slow, busy or paused for a while.
 */
enum { TOLK_TEST_SECONDS = 900 };

/* Runs the tests, prints one line for each failure; the exit status is 0 only when all passed. */
int tolk_suite_run(const char *name, const TTest *const *tests, size_t count);

/* Says that a test could not run here, and why; tests/run.sh counts these lines. */
#define TOLK_SKIP(reason)                                                                          \
    do {                                                                                           \
        printf("SKIP %s: %s\n", __func__, reason);                                                 \
        fflush(stdout);                                                                            \
        return;                                                                                    \
    } while (0)

#define TOLK_SUITE(name, ...)                                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const all[] = {__VA_ARGS__};                                                  \
        return tolk_suite_run(name, all, sizeof all / sizeof all[0]);                              \
    }

/* The folder of the fixtures: $TOLK_FIXTURES or tests/fixtures. The suite runs from the top folder.
 */
const char *tolk_fixture(const char *name);

#endif
