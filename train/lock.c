#include "train/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int tolk_lock_take(struct tolk_lock *lock, const char *path, struct tolk_error *error)
{
    char holder[32] = "";
    lock->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->descriptor < 0) {
        return tolk_error_errno(error, "%s: cannot open", path);
    }
    if (flock(lock->descriptor, LOCK_EX | LOCK_NB) != 0) {
        const int busy = errno == EWOULDBLOCK;
        if (busy) {
            const ssize_t size = read(lock->descriptor, holder, sizeof holder - 1);
            holder[size > 0 ? size : 0] = '\0';
            tolk_error_set(error, "%s: another tolk-train (process %.20s) trains this model", path,
                           holder[0] != '\0' ? holder : "unknown");
        } else {
            tolk_error_errno(error, "%s: cannot lock", path);
        }
        close(lock->descriptor);
        lock->descriptor = -1;
        return -1;
    }
    /* The number is for the message above alone; on a full disk the lock holds without it. */
    const int size = snprintf(holder, sizeof holder, "%ld", (long)getpid());
    if (ftruncate(lock->descriptor, 0) == 0 &&
        write(lock->descriptor, holder, (size_t)size) != size) {
        (void)ftruncate(lock->descriptor, 0);
    }
    return 0;
}

void tolk_lock_release(struct tolk_lock *lock)
{
    if (lock->descriptor >= 0) {
        close(lock->descriptor);
    }
    lock->descriptor = -1;
}
