/* Stands in for Check where that library is not built: the tests of model/ run unchanged on a
 * machine for which there is a cross-compiler alone. No forks and no time limits; a failed
 * assertion leaves its test. Has what those tests use of Check, and nothing else. */
#ifndef TOLK_TESTS_PORTABLE_CHECK_H
#define TOLK_TESTS_PORTABLE_CHECK_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct TTest { /* Check's name */
    const char *name;
    void (*run)(void);
} TTest;

_Noreturn void tolk_portable_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define START_TEST(test)                                                                           \
    static void test##_fn(void);                                                                   \
    static const TTest test##_entry = {#test, test##_fn};                                          \
    static const TTest *const test = &test##_entry;                                                \
    static void test##_fn(void)
#define END_TEST

#define ck_assert_msg(condition, ...)                                                              \
    ((condition) ? (void)0 : tolk_portable_fail(__FILE__, __LINE__, __VA_ARGS__))
#define ck_assert(condition) ck_assert_msg(condition, "%s", #condition)

#define ck_portable_integers(type, format, a, operator, b)                                         \
    do {                                                                                           \
        const type ck_a = (a), ck_b = (b);                                                         \
        ck_assert_msg(ck_a operator ck_b, "%s %s %s: %" format ", %" format, #a, #operator, #b,    \
                      ck_a, ck_b);                                                                 \
    } while (0)
#define ck_assert_int_eq(a, b) ck_portable_integers(intmax_t, "jd", a, ==, b)
#define ck_assert_int_ne(a, b) ck_portable_integers(intmax_t, "jd", a, !=, b)
#define ck_assert_int_gt(a, b) ck_portable_integers(intmax_t, "jd", a, >, b)
#define ck_assert_uint_eq(a, b) ck_portable_integers(uintmax_t, "ju", a, ==, b)
#define ck_assert_uint_ge(a, b) ck_portable_integers(uintmax_t, "ju", a, >=, b)
#define ck_assert_uint_gt(a, b) ck_portable_integers(uintmax_t, "ju", a, >, b)
#define ck_assert_uint_le(a, b) ck_portable_integers(uintmax_t, "ju", a, <=, b)
#define ck_assert_uint_lt(a, b) ck_portable_integers(uintmax_t, "ju", a, <, b)

#define ck_portable_doubles(a, operator, b)                                                        \
    do {                                                                                           \
        const double ck_a = (a), ck_b = (b);                                                       \
        ck_assert_msg(ck_a operator ck_b, "%s %s %s: %g, %g", #a, #operator, #b, ck_a, ck_b);      \
    } while (0)
#define ck_assert_double_eq(a, b) ck_portable_doubles(a, ==, b)
#define ck_assert_double_gt(a, b) ck_portable_doubles(a, >, b)
#define ck_assert_double_le(a, b) ck_portable_doubles(a, <=, b)
#define ck_assert_double_lt(a, b) ck_portable_doubles(a, <, b)
#define ck_assert_double_eq_tol(a, b, tolerance)                                                   \
    ck_assert_msg(fabs((double)(a) - (double)(b)) < (tolerance), "%s == %s: %g, %g", #a, #b,       \
                  (double)(a), (double)(b))
#define ck_assert_ptr_eq(a, b) ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, size) ck_assert(memcmp(a, b, size) == 0)
#define ck_assert_mem_ne(a, b, size) ck_assert(memcmp(a, b, size) != 0)

#endif
