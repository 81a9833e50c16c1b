#include "tests/support/suite.h"

#include <stdlib.h>

int tolk_suite_run(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, TOLK_TEST_SECONDS);
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const char *tolk_fixture(const char *name)
{
    static char path[4096];
    const char *folder = getenv("TOLK_FIXTURES");
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "tests/fixtures", name);
    return path;
}
