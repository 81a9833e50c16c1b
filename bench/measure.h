/* How the programs here take time: in rounds, so that what is compared is measured in turn. Clocks
 * and neighbours of a machine change meanwhile; ratios of two rounds that follow each other do not
 * see most of it, and the median of some such ratios hardly any. */
#ifndef TOLK_BENCH_MEASURE_H
#define TOLK_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/* Seconds. */
double bench_now(void);

/* The same, yet processor time where OpenMP has one thread: other programs of the machine do not
 * count. */
double bench_now_ours(void);

/* The middle value; sorts them. */
double bench_median(double *values, size_t count);

/* Another program asks for a round by a line on standard input, and sleeps until the answer. The
 * line without its end in `words`; false when there are no more. */
bool bench_asked(char *words, size_t room);
void bench_answer(double amount, double seconds);

/* Adds "label, tab, fraction" to a file that bench/plot draws; does nothing where `path` is NULL.
 */
void bench_note(const char *path, const char *label, double fraction);

#endif
