/* The row kernels of one instruction set, as rows.c gathers them; rows.h says what each does. */
#ifndef TOLK_MODEL_KERNELS_ROWS_INTERNAL_H
#define TOLK_MODEL_KERNELS_ROWS_INTERNAL_H

#include "model/kernels/kernel.h"
#include "model/kernels/rows.h"

void TOLK_KERNEL(tolk_layer_norm_forward)(size_t rows, size_t d, const real *x, const real *weight,
                                          const real *bias, real *y, real *mean, real *rstd);
void TOLK_KERNEL(tolk_layer_norm_backward)(size_t rows, size_t d, const real *x, const real *weight,
                                           const real *mean, const real *rstd, const real *dy,
                                           bool accumulate, real *dx, real *dweight, real *dbias);
void TOLK_KERNEL(tolk_column_sums)(size_t rows, size_t ld, size_t begin, size_t end, const real *x,
                                   real scale, real *sums);
void TOLK_KERNEL(tolk_residual)(size_t rows, size_t columns, size_t ld, size_t index,
                                struct tolk_dropout_mask mask, const real *x, const real *branch,
                                real *y);
void TOLK_KERNEL(tolk_dropout)(size_t rows, size_t columns, size_t ld, size_t index,
                               struct tolk_dropout_mask mask, const real *x, real *y);
void TOLK_KERNEL(tolk_activation_forward)(enum tolk_activation activation, size_t rows,
                                          size_t columns, size_t ld, size_t index,
                                          struct tolk_dropout_mask mask, const real *x, real *y);
void TOLK_KERNEL(tolk_activation_backward)(enum tolk_activation activation, size_t rows,
                                           size_t columns, size_t ld, size_t index,
                                           struct tolk_dropout_mask mask, const real *x,
                                           const real *dy, real *dx);
void TOLK_KERNEL(tolk_attention_forward)(const struct tolk_attention_block *block, real *out,
                                         size_t ldo, real *scratch);
void TOLK_KERNEL(tolk_attention_backward)(const struct tolk_attention_block *block,
                                          const real *dout, size_t lddo, real *dq, real *dk,
                                          real *dv, real *scratch);
void TOLK_KERNEL(tolk_attend)(const struct tolk_attend *a);
struct tolk_cross_entropy_row TOLK_KERNEL(tolk_cross_entropy)(size_t columns, real *logits,
                                                              size_t label, double label_smoothing,
                                                              bool gradient);
double TOLK_KERNEL(tolk_log_sum_exp)(size_t columns, const real *x);
real TOLK_KERNEL(tolk_maximum)(size_t columns, const real *x);
void TOLK_KERNEL(tolk_maxima)(size_t columns, size_t width, const real *x, real *maxima);
size_t TOLK_KERNEL(tolk_next_above)(size_t begin, size_t columns, const real *x, real bound);
double TOLK_KERNEL(tolk_sum_of_squares)(size_t size, const real *x);
void TOLK_KERNEL(tolk_adam)(const struct tolk_adam_step *step, real decays, size_t size,
                            real *restrict values, real *restrict gradients, real *restrict first,
                            real *restrict second, real *restrict average);

#endif
