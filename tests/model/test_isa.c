#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "model/isa.h"

START_TEST(chooses_each_available_one)
{
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    ck_assert_uint_ge(count, 1);
#ifdef __aarch64__
    ck_assert_str_eq(list[0]->name, "neon");
#else
    ck_assert_str_eq(list[0]->name, "baseline");
#endif
    for (size_t i = 0; i < count; i++) {
        struct tolk_error error;
        ck_assert_int_eq(tolk_isa_choose(list[i]->name, &error), 0);
        ck_assert_ptr_eq(tolk_isa(), list[i]);
        ck_assert_ptr_nonnull(list[i]->gemm);
        ck_assert_ptr_nonnull(list[i]->panels);
        ck_assert_ptr_nonnull(list[i]->rows);
    }
}
END_TEST

/* A later one has all that an earlier one has. */
START_TEST(none_lacks_what_a_slower_one_has)
{
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    for (size_t i = 1; i < count; i++) {
        ck_assert(list[i]->gemm_bfloat16 != NULL || list[i - 1]->gemm_bfloat16 == NULL);
        ck_assert(list[i]->int8 != NULL || list[i - 1]->int8 == NULL);
    }
}
END_TEST

START_TEST(takes_the_best_unless_the_environment_says_otherwise)
{
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    unsetenv("TOLK_ISA");
    ck_assert_int_eq(tolk_isa_choose(NULL, NULL), 0);
    ck_assert_ptr_eq(tolk_isa(), list[count - 1]);
    for (size_t i = 0; i < count; i++) {
        setenv("TOLK_ISA", list[i]->name, 1);
        ck_assert_int_eq(tolk_isa_choose(NULL, NULL), 0);
        ck_assert_ptr_eq(tolk_isa(), list[i]);
    }
}
END_TEST

START_TEST(lists_the_names_when_one_is_unknown)
{
    struct tolk_error error;
    setenv("TOLK_ISA", "mmx", 1);
    const struct tolk_isa *before = tolk_isa();
    ck_assert_int_eq(tolk_isa_choose(NULL, &error), -1);
    ck_assert_ptr_eq(tolk_isa(), before);
    ck_assert_ptr_nonnull(strstr(error.message, "TOLK_ISA"));
    ck_assert_ptr_nonnull(strstr(error.message, "'mmx'"));
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_nonnull(strstr(error.message, list[i]->name));
    }
    ck_assert_int_eq(tolk_isa_choose("sse", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "'sse'"));
}
END_TEST

TOLK_SUITE("isa", chooses_each_available_one, none_lacks_what_a_slower_one_has,
           takes_the_best_unless_the_environment_says_otherwise,
           lists_the_names_when_one_is_unknown)
