/* real is the type of all numbers of the model: float, or double where gradients are checked. */
#ifndef TOLK_MODEL_REAL_H
#define TOLK_MODEL_REAL_H

#ifdef TOLK_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
