#include "model/isa.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef TOLK_HAVE_amx
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "model/kernels/gemm.h"
#include "model/kernels/int8.h"
#include "model/kernels/rows.h"

enum { ISAS_MAX = 8 };

#ifdef TOLK_REAL_DOUBLE
#define INT8(isa) NULL
#else
#define INT8(isa) &tolk_int8_kernels_##isa
#endif

/* Each builtin asks the processor, and whether the system saves those registers (XGETBV). The
 * baseline of x86-64 is SSE2; that of aarch64 is NEON, and has its name. */
#ifdef TOLK_HAVE_baseline
static int baseline_runs(void)
{
    return 1;
}
static const struct tolk_isa baseline = {.name = "baseline",
                                         .gemm = &tolk_gemm_kernels_baseline,
                                         .panels = &tolk_gemm_kernels_baseline,
                                         .int8 = INT8(baseline),
                                         .rows = &tolk_row_kernels_baseline};
#endif

#ifdef TOLK_HAVE_neon
static int neon_runs(void)
{
    return 1;
}
static const struct tolk_isa neon = {.name = "neon",
                                     .gemm = &tolk_gemm_kernels_neon,
                                     .panels = &tolk_gemm_kernels_neon,
                                     .int8 = INT8(neon),
                                     .rows = &tolk_row_kernels_neon};
#endif

#ifdef TOLK_HAVE_avx2
static int avx2_runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static const struct tolk_isa avx2 = {.name = "avx2",
                                     .gemm = &tolk_gemm_kernels_avx2,
                                     .panels = &tolk_gemm_kernels_avx2,
                                     .int8 = INT8(avx2),
                                     .rows = &tolk_row_kernels_avx2};
#endif

#ifdef TOLK_HAVE_avx512
static int avx512_runs(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
}
static const struct tolk_isa avx512 = {.name = "avx512",
                                       .gemm = &tolk_gemm_kernels_avx512,
                                       .panels = &tolk_gemm_kernels_avx512,
                                       .int8 = INT8(avx512),
                                       .rows = &tolk_row_kernels_avx512};
#endif

#ifdef TOLK_HAVE_avx512vnni
static int avx512vnni_runs(void)
{
    return avx512_runs() && __builtin_cpu_supports("avx512vnni");
}
static const struct tolk_isa avx512vnni = {.name = "avx512vnni",
                                           .gemm = &tolk_gemm_kernels_avx512,
                                           .panels = &tolk_gemm_kernels_avx512,
                                           .int8 = INT8(avx512vnni),
                                           .rows = &tolk_row_kernels_avx512};
#endif

#ifdef TOLK_HAVE_avx512bf16
/* Every processor that multiplies bfloat16 has VNNI too. */
static int avx512bf16_runs(void)
{
    return avx512vnni_runs() && __builtin_cpu_supports("avx512bf16");
}
static const struct tolk_isa avx512bf16 = {.name = "avx512bf16",
                                           .gemm = &tolk_gemm_kernels_avx512,
                                           .panels = &tolk_gemm_kernels_avx512,
                                           .gemm_bfloat16 = &tolk_gemm_bfloat16_kernels_avx512bf16,
                                           .int8 = INT8(avx512vnni),
                                           .rows = &tolk_row_kernels_avx512};
#endif

#ifdef TOLK_HAVE_amx
/* Linux lends the tiles, 8 KB of a thread's state, to a process that asks. It may ask again. */
static int amx_is_lent(void)
{
    enum {
        ARCH_REQ_XCOMP_PERM = 0x1023,
        XFEATURE_XTILEDATA = 18
    }; /* of <asm/prctl.h>, Linux 5.16 */
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static int amx_runs(void)
{
    return avx512bf16_runs() && __builtin_cpu_supports("amx-tile") &&
           __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") &&
           amx_is_lent();
}
static const struct tolk_isa amx = {.name = "amx",
                                    .gemm = &tolk_gemm_kernels_amx,
                                    .panels = &tolk_gemm_kernels_avx512,
                                    .gemm_bfloat16 = &tolk_gemm_bfloat16_kernels_amx,
                                    .int8 = INT8(amx),
                                    .rows = &tolk_row_kernels_avx512};
#endif

static const struct {
    const struct tolk_isa *isa;
    int (*runs)(void);
} built[] = {
#ifdef TOLK_HAVE_baseline
    {&baseline, baseline_runs},
#endif
#ifdef TOLK_HAVE_neon
    {&neon, neon_runs},
#endif
#ifdef TOLK_HAVE_avx2
    {&avx2, avx2_runs},
#endif
#ifdef TOLK_HAVE_avx512
    {&avx512, avx512_runs},
#endif
#ifdef TOLK_HAVE_avx512vnni
    {&avx512vnni, avx512vnni_runs},
#endif
#ifdef TOLK_HAVE_avx512bf16
    {&avx512bf16, avx512bf16_runs},
#endif
#ifdef TOLK_HAVE_amx
    {&amx, amx_runs},
#endif
};

size_t tolk_isa_available(const struct tolk_isa *const **list)
{
    static _Thread_local const struct tolk_isa *available[ISAS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof built / sizeof built[0]; i++) {
        if (built[i].runs()) {
            available[count++] = built[i].isa;
        }
    }
    *list = available;
    return count;
}

static _Atomic(const struct tolk_isa *) in_use;

static const struct tolk_isa *find(const char *name)
{
    const struct tolk_isa *const *list;
    size_t count = tolk_isa_available(&list);
    if (name == NULL || name[0] == '\0') {
        return list[count - 1];
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i]->name, name) == 0) {
            return list[i];
        }
    }
    return NULL;
}

const struct tolk_isa *tolk_isa(void)
{
    const struct tolk_isa *isa = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (isa == NULL) {
        isa = find(getenv("TOLK_ISA"));
        isa = isa != NULL ? isa : find(NULL);
        atomic_store_explicit(&in_use, isa, memory_order_relaxed);
    }
    return isa;
}

int tolk_isa_choose(const char *name, struct tolk_error *error)
{
    const char *source = name != NULL ? "instruction set" : "TOLK_ISA";
    name = name != NULL ? name : getenv("TOLK_ISA");
    const struct tolk_isa *isa = find(name);
    if (isa == NULL) {
        char names[64] = "";
        const struct tolk_isa *const *list;
        size_t count = tolk_isa_available(&list), length = 0;
        for (size_t i = 0; i < count && length < sizeof names; i++) {
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                       i > 0 ? ", " : "", list[i]->name);
        }
        return tolk_error_set(error, "%s: expected one of %s, found '%s'", source, names, name);
    }
    atomic_store_explicit(&in_use, isa, memory_order_relaxed);
    return 0;
}
