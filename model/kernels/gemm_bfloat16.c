/* The kernels of gemm.c on words that are pairs of bfloat16: half the memory of float32 and twice
 * its rate; sums stay float32. Operands are rounded to nearest even while they are packed. */
#define TOLK_GEMM_BFLOAT16
#include "model/kernels/gemm.c"
