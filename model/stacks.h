/* The two stacks of Figure 1 (internal to model/). */
#ifndef TOLK_MODEL_STACKS_H
#define TOLK_MODEL_STACKS_H

#include "model/blocks.h"

/* Returns the encoder's output, the memory [source rows, d]. */
const real *tolk_encoder_forward(const struct tolk_pass *pass);
/* dmemory [source rows, d] is overwritten. */
void tolk_encoder_backward(const struct tolk_pass *pass, real *dmemory,
                           struct tolk_weights *gradients);

/* Returns the decoder's output [target rows, d]. */
const real *tolk_decoder_forward(const struct tolk_pass *pass, const real *memory);
/* dstream [target rows, d], the gradient of the decoder's output, is overwritten; dmemory is added
 * to. */
void tolk_decoder_backward(const struct tolk_pass *pass, const real *memory, real *dstream,
                           real *dmemory, struct tolk_weights *gradients);

/* The layer norm behind a stack; post-norm models have none. Returns the stack's output. */
const real *tolk_final_norm_forward(const struct tolk_pass *pass,
                                    const struct tolk_layer_norm *norm,
                                    struct tolk_final_tape *tape, size_t n, const real *stream);
void tolk_final_norm_backward(const struct tolk_pass *pass, const struct tolk_layer_norm *norm,
                              struct tolk_layer_norm *gradient, const struct tolk_final_tape *tape,
                              size_t n, real *dstream);

#endif
