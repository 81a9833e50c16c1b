#include "model/parameters.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* ---- the walker ---------------------------------------------------------------------------------
 */

/* What the walker does at each tensor: `view` is the place of its pointer. */
struct visitor {
    void (*visit)(struct visitor *visitor, const struct tolk_tensor *tensor, real **view);
    char prefix[TOLK_TENSOR_NAME_BYTES]; /* "model.encoder.layers.0" */
};

static void visit(struct visitor *visitor, real **view, enum tolk_init init, size_t rows,
                  size_t columns, const char *module, const char *field)
{
    struct tolk_tensor tensor = {.init = init, .rank = rows == 0 ? 1 : 2};
    const char *dot = visitor->prefix[0] != '\0' && module[0] != '\0' ? "." : "";
    snprintf(tensor.name, sizeof tensor.name, "%.40s%s%.28s%s%.8s", visitor->prefix, dot, module,
             field[0] != '\0' ? "." : "", field);
    tensor.shape[0] = rows == 0 ? columns : rows;
    tensor.shape[1] = rows == 0 ? 1 : columns;
    tensor.size = tensor.shape[0] * tensor.shape[1];
    visitor->visit(visitor, &tensor, view);
}

__attribute__((format(printf, 2, 3))) static void enter(struct visitor *visitor, const char *format,
                                                        ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(visitor->prefix, sizeof visitor->prefix, format, arguments);
    va_end(arguments);
}

static void walk_linear(struct visitor *visitor, struct tolk_linear *linear, const char *module,
                        size_t out, size_t in)
{
    visit(visitor, &linear->weight, TOLK_INIT_XAVIER, out, in, module, "weight");
    visit(visitor, &linear->bias, TOLK_INIT_ZERO, 0, out, module, "bias");
}

static void walk_norm(struct visitor *visitor, struct tolk_layer_norm *norm, const char *module,
                      size_t d_model)
{
    visit(visitor, &norm->weight, TOLK_INIT_ONE, 0, d_model, module, "weight");
    visit(visitor, &norm->bias, TOLK_INIT_ZERO, 0, d_model, module, "bias");
}

/* `name` is "self_attn" or "encoder_attn". Weights first, then biases, so that q, k and v are one
 * matrix and one bias. */
static void walk_attention(struct visitor *v, struct tolk_attention_weights *attention,
                           const char *name, size_t d)
{
    char module[4][TOLK_TENSOR_NAME_BYTES];
    static const char *const projections[4] = {"q_proj", "k_proj", "v_proj", "out_proj"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(module[i], sizeof module[i], "%s.%s", name, projections[i]);
    }
    visit(v, &attention->q.weight, TOLK_INIT_XAVIER, d, d, module[0], "weight");
    visit(v, &attention->k.weight, TOLK_INIT_XAVIER, d, d, module[1], "weight");
    visit(v, &attention->v.weight, TOLK_INIT_XAVIER, d, d, module[2], "weight");
    visit(v, &attention->q.bias, TOLK_INIT_ZERO, 0, d, module[0], "bias");
    visit(v, &attention->k.bias, TOLK_INIT_ZERO, 0, d, module[1], "bias");
    visit(v, &attention->v.bias, TOLK_INIT_ZERO, 0, d, module[2], "bias");
    walk_linear(v, &attention->out, module[3], d, d);
    snprintf(module[0], sizeof module[0], "%s_layer_norm", name);
    walk_norm(v, &attention->norm, module[0], d);
}

static void walk_feed_forward(struct visitor *v, struct tolk_feed_forward_weights *feed_forward,
                              size_t f, size_t d)
{
    walk_linear(v, &feed_forward->fc1, "fc1", f, d);
    walk_linear(v, &feed_forward->fc2, "fc2", d, f);
    walk_norm(v, &feed_forward->norm, "final_layer_norm", d);
}

static void walk(struct visitor *v, const struct tolk_config *config, struct tolk_weights *weights)
{
    const size_t d = config->d_model;
    enter(v, "model");
    visit(v, &weights->shared, TOLK_INIT_EMBEDDING, config->vocab_size, d, "shared", "weight");
    for (size_t l = 0; l < config->encoder_layers; l++) {
        struct tolk_encoder_layer *layer = &weights->encoder[l];
        enter(v, "model.encoder.layers.%zu", l);
        walk_attention(v, &layer->self, "self_attn", d);
        walk_feed_forward(v, &layer->feed_forward, config->encoder_ffn_dim, d);
    }
    if (config->normalize_before) {
        enter(v, "model.encoder");
        walk_norm(v, &weights->encoder_norm, "layer_norm", d);
    }
    for (size_t l = 0; l < config->decoder_layers; l++) {
        struct tolk_decoder_layer *layer = &weights->decoder[l];
        enter(v, "model.decoder.layers.%zu", l);
        walk_attention(v, &layer->self, "self_attn", d);
        walk_attention(v, &layer->cross, "encoder_attn", d);
        walk_feed_forward(v, &layer->feed_forward, config->decoder_ffn_dim, d);
    }
    if (config->normalize_before) {
        enter(v, "model.decoder");
        walk_norm(v, &weights->decoder_norm, "layer_norm", d);
    }
    enter(v, "%s", "");
    visit(v, &weights->final_logits_bias, TOLK_INIT_ZERO, 1, config->vocab_size,
          "final_logits_bias", "");
}

/* Room for the views of the layers; also what a walk without an arena runs over. */
static int weights_allocate(struct tolk_weights *weights, const struct tolk_config *config,
                            struct tolk_error *error)
{
    *weights = (struct tolk_weights){0};
    weights->encoder = calloc(config->encoder_layers + 1, sizeof *weights->encoder);
    weights->decoder = calloc(config->decoder_layers + 1, sizeof *weights->decoder);
    if (weights->encoder == NULL || weights->decoder == NULL) {
        tolk_weights_free(weights);
        return tolk_error_set(error, "out of memory for the views of the parameters");
    }
    return 0;
}

void tolk_weights_free(struct tolk_weights *weights)
{
    free(weights->encoder);
    free(weights->decoder);
    *weights = (struct tolk_weights){0};
}

/* ---- the table ----------------------------------------------------------------------------------
 */

struct table_visitor {
    struct visitor base;
    struct tolk_layout *layout;
    size_t capacity;
    int failed;
};

static void add_to_table(struct visitor *base, const struct tolk_tensor *tensor, real **view)
{
    struct table_visitor *table = (struct table_visitor *)base;
    struct tolk_layout *layout = table->layout;
    (void)view;
    if (layout->count == table->capacity) {
        const size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        struct tolk_tensor *grown = realloc(layout->tensors, capacity * sizeof *grown);
        if (grown == NULL) {
            table->failed = 1;
            return;
        }
        layout->tensors = grown;
        table->capacity = capacity;
    }
    layout->tensors[layout->count] = *tensor;
    layout->tensors[layout->count].offset = layout->size;
    layout->count++;
    layout->size += tensor->size;
}

int tolk_layout_make(struct tolk_layout *layout, const struct tolk_config *config,
                     struct tolk_error *error)
{
    struct table_visitor table = {.base.visit = add_to_table, .layout = layout};
    struct tolk_weights unbound;
    *layout = (struct tolk_layout){0};
    if (weights_allocate(&unbound, config, error) != 0) {
        return -1;
    }
    walk(&table.base, config, &unbound);
    tolk_weights_free(&unbound);
    if (table.failed) {
        tolk_layout_free(layout);
        return tolk_error_set(error, "out of memory for the table of the parameters");
    }
    return 0;
}

void tolk_layout_free(struct tolk_layout *layout)
{
    free(layout->tensors);
    *layout = (struct tolk_layout){0};
}

const struct tolk_tensor *tolk_layout_find(const struct tolk_layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (strcmp(layout->tensors[i].name, name) == 0) {
            return &layout->tensors[i];
        }
    }
    return NULL;
}

/* ---- the views ----------------------------------------------------------------------------------
 */

struct bind_visitor {
    struct visitor base;
    real *next;
};

static void bind_view(struct visitor *base, const struct tolk_tensor *tensor, real **view)
{
    struct bind_visitor *binder = (struct bind_visitor *)base;
    *view = binder->next;
    binder->next += tensor->size;
}

int tolk_weights_bind(struct tolk_weights *weights, const struct tolk_config *config, real *arena,
                      struct tolk_error *error)
{
    struct bind_visitor binder = {.base.visit = bind_view, .next = arena};
    if (weights_allocate(weights, config, error) != 0) {
        return -1;
    }
    walk(&binder.base, config, weights);
    return 0;
}

/* ---- initial values -----------------------------------------------------------------------------
 */

/* Keeps the keys of initialisation apart from those of the training steps. */
enum { INITIALISATION_STEP = 0x696e6974 };

static void initialise_tensor(const struct tolk_tensor *tensor, const struct tolk_config *config,
                              struct tolk_random_key key, real *values)
{
    const double limit = sqrt(6.0 / (double)(tensor->shape[0] + tensor->shape[1]));
    const double deviation = 1.0 / sqrt((double)config->d_model);
    for (size_t i = 0; i < tensor->size; i++) {
        const uint32_t index = (uint32_t)i;
        switch (tensor->init) {
        case TOLK_INIT_ZERO:
            values[i] = 0;
            break;
        case TOLK_INIT_ONE:
            values[i] = 1;
            break;
        case TOLK_INIT_XAVIER:
            values[i] = (real)(limit * (2.0 * (double)tolk_random_uniform(key, index) - 1.0));
            break;
        case TOLK_INIT_EMBEDDING:
            values[i] = (real)(deviation * tolk_random_normal(key, index));
            break;
        }
    }
    if (tensor->init == TOLK_INIT_EMBEDDING) {
        real *pad = values + (size_t)config->pad_token_id * config->d_model;
        memset(pad, 0, config->d_model * sizeof *pad);
    }
}

void tolk_parameters_initialise(const struct tolk_layout *layout, const struct tolk_config *config,
                                uint64_t seed, real *arena)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct tolk_tensor *tensor = &layout->tensors[i];
        initialise_tensor(tensor, config, tolk_random_key(seed, INITIALISATION_STEP, i),
                          arena + tensor->offset);
    }
}
