/* What every kernel source begins with. A kernel source is compiled once for each instruction set
 * (Makefile, KERNEL_FLAGS); TOLK_KERNEL(name) gives each copy a name of its own: name_avx512, … */
#ifndef TOLK_MODEL_KERNELS_KERNEL_H
#define TOLK_MODEL_KERNELS_KERNEL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "model/real.h"

#define TOLK_KERNEL_JOIN_(name, isa) name##_##isa
#define TOLK_KERNEL_JOIN(name, isa) TOLK_KERNEL_JOIN_(name, isa)
#define TOLK_KERNEL(name) TOLK_KERNEL_JOIN(name, TOLK_KERNEL_ISA)

/* One register of reals, as the compiler's vector type. */
#if defined(__AVX512F__)
#define TOLK_VECTOR_BYTES 64
#elif defined(__AVX__)
#define TOLK_VECTOR_BYTES 32
#else
#define TOLK_VECTOR_BYTES 16
#endif
#ifdef __SANITIZE_ADDRESS__ /* checks in every unrolled step would take minutes to compile */
#define TOLK_UNROLL
#else
#define TOLK_UNROLL _Pragma("GCC unroll 16")
#endif

enum { TOLK_LANES = TOLK_VECTOR_BYTES / sizeof(real) };
typedef real tolk_vector __attribute__((vector_size(TOLK_VECTOR_BYTES)));

static inline tolk_vector tolk_load(const real *x)
{
    tolk_vector v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline void tolk_store(real *x, tolk_vector v)
{
    memcpy(x, &v, sizeof v);
}

/* The first `count` <= TOLK_LANES numbers; the others are zero. */
static inline tolk_vector tolk_load_part(const real *x, size_t count)
{
#if defined(__AVX512F__) && defined(TOLK_REAL_DOUBLE)
    return _mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), x);
#elif defined(__AVX512F__)
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#else
    tolk_vector v = {0};
    memcpy(&v, x, count * sizeof(real));
    return v;
#endif
}

static inline void tolk_store_part(real *x, tolk_vector v, size_t count)
{
#if defined(__AVX512F__) && defined(TOLK_REAL_DOUBLE)
    _mm512_mask_storeu_pd(x, (__mmask8)((1u << count) - 1), v);
#elif defined(__AVX512F__)
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), v);
#else
    memcpy(x, &v, count * sizeof(real));
#endif
}

/* exp(x): in float a polynomial that the compiler can vectorise, within 2 units in the last place
 * for -87 <= x <= 88, 0 below; in double the library's, since that build measures exactness. */
static inline real tolk_exp(real x)
{
#ifdef TOLK_REAL_DOUBLE
    return exp(x);
#else
    const float log2e = 1.44269504F;
    const float ln2_high = 0.693359375F;
    const float ln2_low = -2.12194440e-4F;
    const float smallest = -87.0F;
    const float largest = 88.0F;
    /* Adding 1.5 · 2²³ rounds to an integer, which the lowest bits of the sum then hold. */
    const float rounder = 12582912.0F;
    const float above = x < smallest ? smallest : x;
    const float t = above > largest ? largest : above;
    const float rounded = t * log2e + rounder;
    const float n = rounded - rounder;
    const float r = (t - n * ln2_high) - n * ln2_low;
    /* Cephes' expf: the minimax polynomial of (e^r - 1 - r) / r² on |r| <= ln 2 / 2. */
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * r * r + r + 1.0F;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    bits = (bits + 127) << 23;
    bits = x < smallest ? 0 : bits; /* not p · power or 0: a branch would not vectorise */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
#endif
}

#endif
