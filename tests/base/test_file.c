#include "tests/support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/folder.h"

static char *folder;
static char path[4200];
static struct tolk_error error;

static void begin(void)
{
    folder = tolk_test_folder();
    snprintf(path, sizeof path, "%s/file", folder);
}

static void check_content(const char *expected, size_t expected_size)
{
    size_t size;
    char *bytes = tolk_test_read(path, &size);
    ck_assert_uint_eq(size, expected_size);
    ck_assert_mem_eq(bytes, expected, size);
    free(bytes);
}

/* Nothing but `path` is in the folder: no temporary file was left. */
static void check_alone(void)
{
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_msg(rmdir(folder) == 0, "something was left in the folder");
    free(folder);
}

START_TEST(writes_spans_one_behind_the_other)
{
    const struct tolk_span spans[] = {{"de ", 3}, {NULL, 0}, {"kat", 3}};
    begin();
    ck_assert_int_eq(tolk_file_write_atomic(path, "something longer", 16, &error), 0);
    ck_assert_int_eq(tolk_file_write_spans_atomic(path, spans, 3, &error), 0);
    check_content("de kat", 6);
    ck_assert_int_eq(tolk_file_write_atomic(path, NULL, 0, &error), 0);
    check_content("", 0);
    check_alone();
}
END_TEST

/* A written page tells whether its memory was given back: the file's bytes are there again. */
START_TEST(forgets_whole_pages_alone)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *const bytes = malloc(3 * page);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'a', 3 * page);
    begin();
    ck_assert_int_eq(tolk_file_write_atomic(path, bytes, 3 * page, &error), 0);
    struct tolk_file file;
    unsigned char *writable;
    ck_assert_int_eq(tolk_file_map_private(&file, &writable, path, &error), 0);
    memset(writable, 'b', 3 * page);
    tolk_file_forget(&file, file.bytes + 1, 2 * page); /* the second page, and parts of two more */
    ck_assert_int_eq(file.bytes[page - 1], 'b');
    ck_assert_int_eq(file.bytes[page], 'a');
    ck_assert_int_eq(file.bytes[2 * page - 1], 'a');
    ck_assert_int_eq(file.bytes[2 * page], 'b');
    tolk_file_forget(&file, file.bytes + 1, page - 1);
    ck_assert_int_eq(file.bytes[1], 'b');
    tolk_file_unmap(&file);
    free(bytes);
    check_alone();
}
END_TEST

START_TEST(says_why_it_cannot_write)
{
    begin();
    char inside[4300];
    snprintf(inside, sizeof inside, "%s/missing/file", folder);
    ck_assert_int_eq(tolk_file_write_atomic(inside, "x", 1, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "missing/file.tmp: cannot create: "));
    /* A folder stands where the file should be. */
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(tolk_file_write_atomic(path, "x", 1, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "file.tmp: cannot rename to "));
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    free(folder);
}
END_TEST

START_TEST(keeps_the_old_file_when_the_new_is_over_the_limit)
{
    enum { LIMIT = 4096 };
    static char big[3 * LIMIT];
    const struct tolk_span spans[] = {{big, LIMIT / 2}, {big, sizeof big}};
    struct rlimit limit;
    begin();
    ck_assert_int_eq(tolk_file_write_atomic(path, "old", 3, &error), 0);
    signal(SIGXFSZ, SIG_IGN);
    /* Check itself writes a file, too: the limit holds for the one call. */
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = LIMIT;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int result = tolk_file_write_spans_atomic(path, spans, 2, &error);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(result, -1);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(EFBIG)));
    check_content("old", 3);
    check_alone();
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full)
{
    static char big[1 << 17];
    begin();
    if (geteuid() != 0 || mount("tmpfs", folder, "tmpfs", 0, "size=64k") != 0) {
        rmdir(folder);
        free(folder);
        TOLK_SKIP("only root can mount a small disk");
    }
    const int old = tolk_file_write_atomic(path, "old", 3, &error);
    const int full = tolk_file_write_atomic(path, big, sizeof big, &error);
    size_t size = 0;
    char *content = tolk_test_read(path, &size);
    char temporary[4300];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    const int left = access(temporary, F_OK);
    /* First of all the disk goes away again, whatever the outcome. */
    umount2(folder, MNT_DETACH);
    rmdir(folder);
    free(folder);
    ck_assert_int_eq(old, 0);
    ck_assert_int_eq(full, -1);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(ENOSPC)));
    ck_assert_str_eq(content, "old");
    ck_assert_int_eq(left, -1);
    free(content);
}
END_TEST

START_TEST(maps_read_only_or_for_private_writing)
{
    struct tolk_file file;
    unsigned char *bytes;
    begin();
    tolk_test_write(path, "kat", 3);
    ck_assert_int_eq(tolk_file_map(&file, path, &error), 0);
    ck_assert_uint_eq(file.size, 3);
    ck_assert_mem_eq(file.bytes, "kat", 3);
    tolk_file_unmap(&file);
    ck_assert_ptr_null(file.bytes);
    ck_assert_int_eq(tolk_file_map_private(&file, &bytes, path, &error), 0);
    bytes[0] = 'm';
    ck_assert_mem_eq(file.bytes, "mat", 3);
    check_content("kat", 3);
    tolk_file_unmap(&file);
    tolk_test_write(path, "", 0);
    ck_assert_int_eq(tolk_file_map(&file, path, &error), 0);
    ck_assert_ptr_null(file.bytes);
    tolk_file_unmap(&file);
    check_alone();
}
END_TEST

START_TEST(maps_regular_files_only)
{
    struct tolk_file file;
    begin();
    ck_assert_int_eq(tolk_file_map(&file, path, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "file: cannot open: "));
    ck_assert_int_eq(tolk_file_map(&file, folder, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "expected a regular file"));
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    ck_assert_int_eq(tolk_file_map(&file, path, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "expected a regular file"));
    check_alone();
}
END_TEST

TOLK_SUITE("file", forgets_whole_pages_alone, writes_spans_one_behind_the_other,
           says_why_it_cannot_write, keeps_the_old_file_when_the_new_is_over_the_limit,
           keeps_the_old_file_when_the_disk_is_full, maps_read_only_or_for_private_writing,
           maps_regular_files_only)
