#include "tests/support/suite.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { BYTES = 100000, LINE = 64 };

static _Thread_local void *first, *second;

START_TEST(a_thread_keeps_its_rooms)
{
    char *const one = tolk_memory_of_thread(&first, BYTES);
    char *const two = tolk_memory_of_thread(&second, BYTES);
    ck_assert_uint_eq((uintptr_t)one % LINE, 0);
    ck_assert_uint_eq((uintptr_t)two % LINE, 0);
    memset(one, 1, BYTES);
    memset(two, 2, BYTES);
    ck_assert_int_eq(one[0], 1);
    ck_assert_int_eq(one[BYTES - 1], 1);
    ck_assert_ptr_eq(tolk_memory_of_thread(&first, BYTES), one);
    ck_assert_ptr_eq(tolk_memory_of_thread(&second, BYTES), two);
}
END_TEST

static void *take(void *context)
{
    (void)context;
    tolk_memory_of_thread(&first, BYTES);
    memset(tolk_memory_of_thread(&second, BYTES), 3, BYTES);
    return first;
}

/* That they are given back is for the sanitizers to see. */
START_TEST(threads_have_rooms_of_their_own)
{
    char *const own = tolk_memory_of_thread(&second, BYTES);
    memset(own, 1, BYTES);
    for (size_t t = 0; t < 3; t++) {
        pthread_t thread;
        void *other = NULL;
        ck_assert_int_eq(pthread_create(&thread, NULL, take, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, &other), 0);
        ck_assert_ptr_nonnull(other);
    }
    ck_assert_ptr_eq(tolk_memory_of_thread(&second, BYTES), own);
    ck_assert_int_eq(own[0], 1);
    ck_assert_int_eq(own[BYTES - 1], 1);
}
END_TEST

TOLK_SUITE("memory", a_thread_keeps_its_rooms, threads_have_rooms_of_their_own)
