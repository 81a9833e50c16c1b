/* The limits of the processor, measured and not computed, by all of OpenMP's threads together. */
#ifndef TOLK_BENCH_PEAK_H
#define TOLK_BENCH_PEAK_H

#include <stddef.h>

/* Operations a second, a multiplication and an addition counted as two, of a loop that touches
 * registers alone, in the instruction set in use (model/isa.h). The last two give 0 where the
 * processor has no such instruction; AVX2 takes three for 32 products of 8-bit integers. */
double bench_peak(void);
double bench_peak_bfloat16(void);
double bench_peak_int8(void);

/* Bytes a second at which the threads read a buffer of so many bytes again and again, each its
 * part; 0 without memory. */
double bench_bandwidth(size_t bytes);

#endif
