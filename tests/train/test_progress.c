#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include "tests/support/suite.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "train/progress.h"

enum { SCREEN_BYTES = 1024 };

/* A number of each kind, as wide as they come. */
static const struct tolk_progress_state LATE = {.update = 123456,
                                                .updates = 200000,
                                                .epoch = 11,
                                                .loss = 3.25,
                                                .guided_loss = 0.5,
                                                .tokens_per_second = 123456,
                                                .seconds = 3723,
                                                .seconds_left = 7199};

/* What an update writes on a terminal of so many columns; false where there are no terminals. */
static bool written_on(unsigned short columns, char *screen)
{
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        return false;
    }
    FILE *const stream = fopen(ptsname(master), "r+");
    if (stream == NULL || ioctl(master, TIOCSWINSZ, &size) != 0) {
        return false;
    }
    struct tolk_progress progress;
    tolk_progress_begin(&progress, stream);
    ck_assert(progress.terminal);
    tolk_progress_update(&progress, &LATE, false);
    const ssize_t got = read(master, screen, SCREEN_BYTES - 1);
    ck_assert_int_gt(got, 0);
    screen[got] = '\0';
    fclose(stream);
    close(master);
    return true;
}

START_TEST(writes_a_plain_line_when_it_is_due)
{
    char *text = NULL;
    size_t size = 0;
    FILE *const stream = tmpfile();
    ck_assert_ptr_nonnull(stream);
    struct tolk_progress progress;
    tolk_progress_begin(&progress, stream);
    ck_assert(!progress.terminal);
    tolk_progress_update(&progress, &LATE, false);
    ck_assert_int_eq(ftell(stream), 0);
    tolk_progress_update(&progress, &LATE, true);
    rewind(stream);
    ck_assert_int_gt(getline(&text, &size, stream), 0);
    ck_assert_str_eq(text, "update 123456/200000  epoch 12  loss 3.250  alignment 0.500  "
                           "123456 tokens/s  1:02:03  left 1:59:59\n");
    free(text);
    fclose(stream);
}
END_TEST

START_TEST(writes_over_one_line_of_a_terminal)
{
    char screen[SCREEN_BYTES];
    if (!written_on(120, screen)) {
        TOLK_SKIP("no pseudo-terminals here");
    }
    ck_assert_str_eq(screen, "\rupdate 123456/200000  epoch 12  loss 3.250  alignment 0.500  "
                             "123456 tokens/s  1:02:03  left 1:59:59\033[K");
}
END_TEST

START_TEST(never_reaches_the_edge_of_a_terminal)
{
    char screen[SCREEN_BYTES];
    if (!written_on(97, screen)) {
        TOLK_SKIP("no pseudo-terminals here");
    }
    ck_assert_str_eq(screen, "\rupdate 123456/200000  epoch 12  loss 3.250  alignment 0.500  "
                             "123456 tokens/s  left 1:59:59\033[K");
    ck_assert(written_on(40, screen));
    ck_assert_str_eq(screen, "\rupdate 123456/200000  epoch 12  loss 3.\033[K");
}
END_TEST

TOLK_SUITE("progress", writes_a_plain_line_when_it_is_due, writes_over_one_line_of_a_terminal,
           never_reaches_the_edge_of_a_terminal)
