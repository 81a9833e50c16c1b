#include "train/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/isa.h"
#include "train/vocabulary.h"

/* Keeps the order of the sentences apart from all others that the seed feeds. */
static const uint64_t ORDER_DOMAIN = UINT64_C(0x6f72646572206f66);

static int create_model(struct tolk_learner *learner, struct tolk_error *error)
{
    const struct tolk_training_options *o = learner->options;
    const struct tolk_config config = tolk_training_config(o, learner->codec);
    const struct tolk_optimizer_options options = {
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = o->epsilon,
        .weight_decay = o->weight_decay,
        .clip = o->clip,
        .average_decay = o->average,
    };
    struct tolk_model *model = &learner->model;
    if (tolk_config_check(&config, "the options", error) != 0 ||
        tolk_model_create(model, &config, (uint64_t)o->seed, error) != 0 ||
        tolk_optimizer_create(&learner->optimizer, &model->layout, &options, model->values,
                              error) != 0) {
        return -1;
    }
    learner->averaged = *model;
    learner->averaged.values = learner->optimizer.average;
    learner->averaged.weights = (struct tolk_weights){.shared = NULL};
    return tolk_weights_bind(&learner->averaged.weights, &config, learner->averaged.values, error);
}

static int create_gradients(struct tolk_learner *learner, struct tolk_error *error)
{
    const struct tolk_model *model = &learner->model;
    learner->gradients = tolk_memory_take_zeroed(model->layout.size * sizeof(real));
    if (learner->gradients == NULL) {
        return tolk_error_set(error, "out of memory: the gradients need %zu bytes",
                              model->layout.size * sizeof(real));
    }
    learner->workspace = tolk_workspace_create(model, error);
    if (learner->workspace == NULL) {
        return -1;
    }
    return tolk_weights_bind(&learner->gradient_views, &model->config, learner->gradients, error);
}

static int choose_precision(struct tolk_learner *learner, struct tolk_error *error)
{
    const size_t asked = learner->options->precision;
    if (asked == TOLK_PRECISION_BFLOAT16 && !tolk_gemm_has_bfloat16()) {
        return tolk_error_set(error,
                              "option --precision: bfloat16 asked, but the instruction set "
                              "in use (%s) does not multiply it",
                              tolk_isa()->name);
    }
    tolk_workspace_set_precision(
        learner->workspace,
        asked != TOLK_PRECISION_FLOAT32 && tolk_gemm_has_bfloat16() ? TOLK_BFLOAT16 : TOLK_REAL);
    return 0;
}

int tolk_learner_create(struct tolk_learner *learner, const struct tolk_training_options *options,
                        const struct tolk_pairs *pairs, const struct tolk_codec *codec,
                        struct tolk_error *error)
{
    *learner =
        (struct tolk_learner){.options = options, .pairs = pairs, .codec = codec, .planned = -1};
    learner->guidance.shift = options->guided_step == TOLK_GUIDED_STEP_INPUT;
    if (create_model(learner, error) != 0 || create_gradients(learner, error) != 0 ||
        choose_precision(learner, error) != 0) {
        tolk_learner_free(learner);
        return -1;
    }
    return 0;
}

void tolk_learner_free(struct tolk_learner *learner)
{
    tolk_guidance_free(&learner->guidance);
    tolk_batches_free(&learner->batches);
    tolk_examples_free(&learner->examples);
    tolk_workspace_free(learner->workspace);
    tolk_weights_free(&learner->gradient_views);
    free(learner->gradients);
    tolk_weights_free(&learner->averaged.weights);
    tolk_optimizer_free(&learner->optimizer);
    tolk_model_free(&learner->model);
    *learner = (struct tolk_learner){.planned = -1};
}

struct tolk_training_state tolk_learner_state(struct tolk_learner *learner)
{
    return (struct tolk_training_state){
        .layout = &learner->model.layout,
        .weights = learner->model.values,
        .average = learner->optimizer.average,
        .first_moment = learner->optimizer.first,
        .second_moment = learner->optimizer.second,
    };
}

int tolk_learner_plan(struct tolk_learner *learner, struct tolk_error *error)
{
    const struct tolk_training_options *o = learner->options;
    const int64_t epoch = learner->cursor.epoch;
    const struct tolk_sampling sampling = {
        .alpha = o->subword_alpha,
        .nbest = o->subword_nbest > 0 ? (int)o->subword_nbest : -1,
        .max_length = o->max_length,
        .seed = (uint64_t)o->seed,
        .epoch = (uint64_t)epoch,
    };
    const struct tolk_batches_options options = {
        .budget = o->batch_tokens,
        .max_length = o->max_length,
        .pool = o->pool,
        .start_id = learner->model.config.decoder_start_token_id,
    };
    const struct tolk_random_key key =
        tolk_random_key((uint64_t)o->seed ^ ORDER_DOMAIN, (uint64_t)epoch, 0);
    if (learner->planned == epoch) {
        return 0;
    }
    if ((learner->planned < 0 || o->subword_alpha > 0) &&
        tolk_examples_encode(&learner->examples, learner->pairs, learner->codec, &sampling,
                             o->guided_alignment != NULL, error) != 0) {
        return -1;
    }
    if (tolk_batches_plan(&learner->batches, &learner->examples, &options, &key, error) != 0) {
        return -1;
    }
    learner->planned = epoch;
    return 0;
}

/* Where the guided head looks in batch b, by links. The weight is that of the mean over the guided
 * rows of the whole update, as the other loss is a mean over its target rows. */
static int guide_batch(struct tolk_learner *learner, size_t b, const struct tolk_update *update,
                       struct tolk_guide *guide, struct tolk_error *error)
{
    const struct tolk_training_options *o = learner->options;
    *guide = (struct tolk_guide){.layer = o->guided_layer, .head = o->guided_head};
    if (update->guided_rows > 0) {
        guide->scale = o->guided_weight / (double)update->guided_rows;
    }
    return tolk_guidance_map(&learner->guidance, learner->pairs, &learner->examples,
                             &learner->batches, b, guide, error);
}

/* Adds the gradients of one batch; the update knows the rows of all its batches. */
static int learn_from_batch(struct tolk_learner *learner, size_t b, struct tolk_update *update,
                            struct tolk_error *error)
{
    const struct tolk_model *model = &learner->model;
    const size_t tokens = update->target_tokens;
    struct tolk_batch batch = tolk_batches_get(&learner->batches, &learner->examples, b);
    struct tolk_guide guide;
    const struct tolk_dropout dropout = {(uint64_t)learner->options->seed,
                                         (uint64_t)learner->cursor.step};
    if (learner->options->guided_alignment != NULL) {
        if (guide_batch(learner, b, update, &guide, error) != 0) {
            return -1;
        }
        batch.guide = &guide;
    }
    if (tolk_workspace_reserve(learner->workspace, &batch, TOLK_TRAINING, error) != 0) {
        return -1;
    }
    tolk_transformer_forward(model, &batch, &dropout, learner->workspace);
    const struct tolk_loss loss =
        tolk_transformer_loss(model, &batch, learner->options->label_smoothing, learner->workspace);
    tolk_transformer_backward(model, &batch, &dropout, 1.0 / (double)tokens, learner->workspace,
                              &learner->gradient_views);
    update->smoothed_loss += loss.smoothed / (double)tokens;
    update->loss += loss.negative_log_likelihood / (double)tokens;
    if (update->guided_rows > 0) {
        update->guided_loss += loss.guided / (double)update->guided_rows;
    }
    update->tokens += tolk_batch_source_rows(&batch) + tolk_batch_target_rows(&batch);
    learner->cursor.step++;
    return 0;
}

/* The pad's embedding is fixed. */
static void freeze_pad(struct tolk_learner *learner)
{
    const struct tolk_config *config = &learner->model.config;
    memset(learner->gradient_views.shared + (size_t)config->pad_token_id * config->d_model, 0,
           config->d_model * sizeof(real));
}

int tolk_learner_update(struct tolk_learner *learner, double rate, struct tolk_update *update,
                        struct tolk_error *error)
{
    struct tolk_cursor *cursor = &learner->cursor;
    const size_t first = (size_t)cursor->batch;
    size_t end = first + learner->options->accumulate;
    end = end < learner->batches.count ? end : learner->batches.count;
    *update = (struct tolk_update){.applied = false};
    for (size_t b = first; b < end; b++) {
        update->target_tokens += tolk_batches_target_rows(&learner->batches, &learner->examples, b);
        if (learner->options->guided_alignment != NULL) {
            update->guided_rows += tolk_guidance_rows(&learner->guidance, learner->pairs,
                                                      &learner->examples, &learner->batches, b);
        }
    }
    for (size_t b = first; b < end; b++) {
        if (learn_from_batch(learner, b, update, error) != 0) {
            return -1;
        }
    }
    freeze_pad(learner);
    update->norm = tolk_optimizer_norm(&learner->optimizer, learner->gradients);
    update->applied =
        isfinite(update->smoothed_loss) && isfinite(update->guided_loss) && isfinite(update->norm);
    if (update->applied) {
        cursor->update++;
        tolk_optimizer_update(&learner->optimizer, (uint64_t)cursor->update, rate, update->norm,
                              learner->model.values, learner->gradients);
    } else {
        cursor->skipped++;
        memset(learner->gradients, 0, learner->model.layout.size * sizeof(real));
    }
    cursor->tokens += (int64_t)update->tokens;
    cursor->batch = (int64_t)end;
    if (end == learner->batches.count) {
        cursor->epoch++;
        cursor->batch = 0;
    }
    return 0;
}
