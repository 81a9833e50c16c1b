/* SIGINT and SIGTERM ask a training to save and leave; a second one ends the process at once. */
#ifndef TOLK_TRAIN_INTERRUPTION_H
#define TOLK_TRAIN_INTERRUPTION_H

#include <stdbool.h>

/* From now on the signals are noted. Writing beyond a limit of file size, and to a pipe that
 * nobody reads, become errors of the write instead of the end of the process. */
void tolk_interruption_watch(void);

/* Whether a signal came. */
bool tolk_interrupted(void);

#endif
