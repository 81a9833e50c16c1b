/* What the tests of kernels share: each runs on every instruction set that the machine has, on
 * numbers in memory of exactly their size, and its results stand beside a plain computation in
 * double precision. */
#ifndef TOLK_TESTS_REFERENCE_H
#define TOLK_TESTS_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "model/isa.h"
#include "model/kernels/rows.h"
#include "model/real.h"

/* Forces each instruction set in turn. */
void tolk_test_on_each_isa(void (*test)(const struct tolk_row_kernels *kernels));

/* `count` numbers of the normal distribution times `scale`; the caller frees them. */
real *tolk_test_numbers(size_t count, double scale, uint64_t seed);

/* Fails unless `found` is within `roundings` roundings of `expected`, where what was added up is
 * of this `magnitude`. NaN is never near. */
void tolk_test_near(const char *what, size_t index, real found, double expected, double magnitude,
                    double roundings);

#endif
