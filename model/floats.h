/* Numbers as files hold them. */
#ifndef TOLK_MODEL_FLOATS_H
#define TOLK_MODEL_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/real.h"

/* The dtype of real: "F32", or "F64" in the double build. */
extern const char tolk_real_dtype[];

/* Whether tolk_floats_read knows the dtype: F32, F16, BF16, F64. */
bool tolk_floats_know(const char *dtype);

/* `count` numbers of a known dtype, little-endian at any alignment, to reals. */
void tolk_floats_read(real *values, const unsigned char *bytes, const char *dtype, size_t count);

#endif
