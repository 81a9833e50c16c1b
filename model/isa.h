/* The instruction sets that the kernels under model/kernels/ were compiled for, and the one in use.
 *
 * At the first call the best one that the processor has is chosen; the environment variable
 * TOLK_ISA (x86-64: baseline, avx2, avx512, avx512vnni, avx512bf16, amx; aarch64: neon) forces
 * another, so that every path can be tested on every machine. */
#ifndef TOLK_MODEL_ISA_H
#define TOLK_MODEL_ISA_H

#include <stddef.h>

#include "base/error.h"

struct tolk_gemm_kernels; /* model/kernels/gemm.h */
struct tolk_int8_kernels; /* model/kernels/int8.h */
struct tolk_row_kernels;  /* model/kernels/rows.h */

struct tolk_isa {
    const char *name;
    const struct tolk_gemm_kernels *gemm;
    const struct tolk_gemm_kernels *panels;        /* of matrices that are kept packed */
    const struct tolk_gemm_kernels *gemm_bfloat16; /* NULL: the processor has no such products */
    const struct tolk_int8_kernels *int8;          /* NULL in a build on doubles */
    const struct tolk_row_kernels *rows;
};

/* The one in use. Cheap after the first call; safe from any thread. */
const struct tolk_isa *tolk_isa(void);

/* Forces the one of that name; NULL: what TOLK_ISA names, else the best. Errors: a name that this
 * build does not have, or an instruction set that the processor lacks; the message lists those that
 * would do. A main.c calls this first, so that a wrong TOLK_ISA is an error and not ignored. */
int tolk_isa_choose(const char *name, struct tolk_error *error);

/* Those that were built and that this processor can run, the slowest first. */
size_t tolk_isa_available(const struct tolk_isa *const **list);

#endif
