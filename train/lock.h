/* One trainer to a directory. The lock is the kernel's (flock), so that it goes with the process,
 * however that ends. */
#ifndef TOLK_TRAIN_LOCK_H
#define TOLK_TRAIN_LOCK_H

#include "base/error.h"

struct tolk_lock {
    int descriptor; /* -1: not held */
};

/* Takes the lock file at `path`, made where it is missing. Errors: another process holds it (the
 * message says which, where the file does). */
int tolk_lock_take(struct tolk_lock *lock, const char *path, struct tolk_error *error);
void tolk_lock_release(struct tolk_lock *lock);

#endif
