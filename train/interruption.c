#include "train/interruption.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;

static void note(int number)
{
    if (interrupted) {
        signal(number, SIG_DFL);
        raise(number);
    }
    interrupted = 1;
}

void tolk_interruption_watch(void)
{
    struct sigaction noted = {.sa_handler = note, .sa_flags = SA_RESTART};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigemptyset(&noted.sa_mask);
    sigemptyset(&ignored.sa_mask);
    sigaction(SIGINT, &noted, NULL);
    sigaction(SIGTERM, &noted, NULL);
    sigaction(SIGXFSZ, &ignored, NULL);
    sigaction(SIGPIPE, &ignored, NULL);
}

bool tolk_interrupted(void)
{
    return interrupted != 0;
}
