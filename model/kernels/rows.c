/* The table of one instruction set. */
#include "model/kernels/rows.h"

#include "model/kernels/rows_internal.h"

const struct tolk_row_kernels TOLK_KERNEL(tolk_row_kernels) = {
    .layer_norm_forward = TOLK_KERNEL(tolk_layer_norm_forward),
    .layer_norm_backward = TOLK_KERNEL(tolk_layer_norm_backward),
    .column_sums = TOLK_KERNEL(tolk_column_sums),
    .residual = TOLK_KERNEL(tolk_residual),
    .dropout = TOLK_KERNEL(tolk_dropout),
    .activation_forward = TOLK_KERNEL(tolk_activation_forward),
    .activation_backward = TOLK_KERNEL(tolk_activation_backward),
    .attention_forward = TOLK_KERNEL(tolk_attention_forward),
    .attention_backward = TOLK_KERNEL(tolk_attention_backward),
    .attend = TOLK_KERNEL(tolk_attend),
    .cross_entropy = TOLK_KERNEL(tolk_cross_entropy),
    .log_sum_exp = TOLK_KERNEL(tolk_log_sum_exp),
    .maximum = TOLK_KERNEL(tolk_maximum),
    .maxima = TOLK_KERNEL(tolk_maxima),
    .next_above = TOLK_KERNEL(tolk_next_above),
    .sum_of_squares = TOLK_KERNEL(tolk_sum_of_squares),
    .adam = TOLK_KERNEL(tolk_adam),
};
