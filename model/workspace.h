/* What a forward pass leaves behind (internal to model/): one arena, and the tapes of the layers in
 * it.
 *
 * n is the number of rows of the stack (source rows in the encoder, target rows in the decoder), d
 * is d_model, f the feed-forward width. */
#ifndef TOLK_MODEL_WORKSPACE_H
#define TOLK_MODEL_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/gemm.h"
#include "model/model.h"
#include "model/posterior.h"
#include "model/transformer.h"

/* A residual connection and its layer norm around some function f:
 *   pre-norm    sum = in + dropout(f(LN(in)))        norm is of `in`,  the output is `sum`
 *   post-norm   out = LN(in + dropout(f(in)))        norm is of `sum`, the output is `normed` */
struct tolk_sublayer_tape {
    const real *in; /* [n, d] */
    real *normed;   /* [n, d] */
    real *mean;     /* [n] */
    real *rstd;     /* [n] */
    real *sum;      /* [n, d] */
};

struct tolk_attention_tape {
    struct tolk_sublayer_tape sublayer;
    const real *input; /* of the projections of q (and k, v): [n, d] */
    real *q;           /* self: [n, 3 d], q k v side by side; cross: [n, d] */
    real *kv;          /* cross: [source rows, 2 d] */
    real *context;     /* [n, d], before the output projection */
    real *weights;     /* see struct tolk_attention */
};

struct tolk_feed_forward_tape {
    struct tolk_sublayer_tape sublayer;
    const real *input; /* [n, d] */
    /* Rows lie tolk_gemm_row_distance(f) apart. */
    real *before; /* [n, f], before the activation; of ReLU what comes out says it all: `hidden` */
    real *hidden; /* [n, f], after activation and dropout */
};

struct tolk_encoder_tape {
    struct tolk_attention_tape self;
    struct tolk_feed_forward_tape feed_forward;
};

struct tolk_decoder_tape {
    struct tolk_attention_tape self;
    struct tolk_attention_tape cross;
    struct tolk_feed_forward_tape feed_forward;
};

/* A last layer norm after a stack (pre-norm); without it `out` is the stream itself. */
struct tolk_final_tape {
    const real *in;
    const real *out; /* [n, d] */
    real *normed;
    real *mean;
    real *rstd;
};

/* Room that the backward pass of every layer uses again. */
struct tolk_backward_room {
    real *stream;  /* [n, d], the gradient of the residual stream */
    real *branch;  /* [n, d] */
    real *input;   /* [n, d] */
    real *context; /* [n, d] */
    real *qkv;     /* [n, 3 d] */
    real *kv;      /* [source rows, 2 d] */
    real *hidden;  /* [n, f], rows as those of the tape */
    real *memory;  /* [source rows, d], the gradient of the encoder's output */
    real *scaled;  /* [target rows, d] */
    real *partial; /* sums of blocks of rows, see tolk_partial_sums_size() */
    real *bias;    /* [vocab_size], the gradient of the output's bias before its scale */
};

struct tolk_workspace {
    const struct tolk_model *model;
    real *arena;
    size_t arena_size; /* numbers */
    bool training;     /* there is room for the backward pass */
    bool keeps_tapes;  /* each layer has a tape of its own */
    enum tolk_gemm_precision precision;

    /* Prefix sums over the sentences of queries · keys, one row for each kind of attention. */
    size_t *weight_begin[3];
    size_t sentence_capacity;
    const struct tolk_batch *batch; /* of the last pass; only its offsets are read later */
    size_t sentences;

    real *encoder_embedded; /* [source rows, d] */
    real *decoder_embedded; /* [target rows, d] */
    struct tolk_encoder_tape *encoder;
    struct tolk_decoder_tape *decoder;
    struct tolk_final_tape encoder_final;
    struct tolk_final_tape decoder_final;
    real *logits;                       /* [target rows, vocab_size] */
    struct tolk_backward_room backward; /* of a reservation for training … */
    struct tolk_posterior posterior;    /* … and of all others: its room alone */
    real *scratch;                      /* of attention, for each thread */
    size_t scratch_size;

    double *token_losses; /* [target rows]: −log p */
    double *smoothed;     /* [target rows] */
    size_t loss_capacity;
};

#endif
