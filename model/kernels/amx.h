/* The tile registers of Intel AMX: eight, each 16 rows of 64 bytes. A product of bfloat16 or of
 * 8-bit integers multiplies two of them into a third of 16 x 16 sums.
 *
 * Between tolk_amx_begin and tolk_amx_end all eight are full tiles; edges are padded with zeros in
 * memory. The intrinsics that load do not tell the compiler that they read memory: what was written
 * before tolk_amx_begin is there, what is written after it needs a tolk_amx_written. */
#ifndef TOLK_MODEL_KERNELS_AMX_H
#define TOLK_MODEL_KERNELS_AMX_H

#include <immintrin.h>
#include <stdint.h>

enum {
    TOLK_AMX_ROWS = 16,
    TOLK_AMX_ROW_BYTES = 64,
    TOLK_AMX_TILE_BYTES = TOLK_AMX_ROWS * TOLK_AMX_ROW_BYTES,
};

/* What LDTILECFG reads (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
 * chapter 18). */
struct tolk_amx_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

static inline __attribute__((always_inline)) void tolk_amx_written(void)
{
    __asm__ volatile("" ::: "memory");
}

/* The configuration is static: the intrinsic tells the compiler of its first eight bytes alone. */
static inline __attribute__((always_inline, target("amx-tile"))) void tolk_amx_begin(void)
{
    static const struct tolk_amx_config all_full = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    tolk_amx_written();
    _tile_loadconfig(&all_full);
}

/* Tiles that are in use make every change of threads save them. */
static inline __attribute__((always_inline, target("amx-tile"))) void tolk_amx_end(void)
{
    _tile_release();
}

#endif
