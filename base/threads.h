/* How waiting threads behave. */
#ifndef TOLK_BASE_THREADS_H
#define TOLK_BASE_THREADS_H

/* OpenMP's threads spin while they wait for each other, which is right for a processor of one's
 * own: with a neighbour on it, the spinning takes the time that the awaited thread needs, and a
 * step takes two to three times as long. libgomp reads its policy before main begins, so the
 * program starts itself once more with OMP_WAIT_POLICY=passive. Does nothing where the variable is
 * set already. Returns only when there is nothing to do, or when the second start failed, which is
 * no error.
 *
 * For a program that works for long: the second start takes some milliseconds, and threads that are
 * woken anew for each of the small products of one sentence take longer than one thread alone. */
void tolk_threads_sleep_while_waiting(char **argv);

#endif
