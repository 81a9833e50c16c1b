#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/best.h"
#include "train/budget.h"
#include "train/card.h"
#include "train/curves.h"
#include "train/interruption.h"
#include "train/schedule.h"

enum { MOST_FAILURES = 10 /* updates in a row that are not finite */ };

static const double SAVE_SECONDS = 600; /* the state is saved at least so often */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- limits -------------------------------------------------------------------------------------
 */

static void advance_clock(struct tolk_trainer *trainer)
{
    trainer->learner.cursor.seconds = trainer->seconds_before + now() - trainer->begun;
}

static double spent(const struct tolk_trainer *trainer)
{
    return tolk_budget_spent(trainer->options, &trainer->learner.cursor,
                             trainer->learner.batches.count);
}

static bool out_of_patience(const struct tolk_trainer *trainer)
{
    return trainer->options->patience > 0 &&
           trainer->learner.cursor.stale >= (int64_t)trainer->options->patience;
}

/* ---- saving -------------------------------------------------------------------------------------
 */

static int save_state(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_training_state state = tolk_learner_state(&trainer->learner);
    advance_clock(trainer);
    trainer->saved = trainer->learner.cursor.seconds;
    return tolk_checkpoint_save(trainer->folder->state, &state, &trainer->learner.cursor,
                                trainer->recipe, error);
}

/* A write that is not the last chance: noted, and the training goes on. */
static void try_to(struct tolk_trainer *trainer, int result, const struct tolk_error *error)
{
    if (result != 0) {
        tolk_progress_note(trainer->progress, "warning: %s", error->message);
    }
}

static int save_model(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_model *averaged = &trainer->learner.averaged;
    return tolk_model_save(averaged, averaged->values, trainer->folder->path, error);
}

/* ---- validation ---------------------------------------------------------------------------------
 */

/* Better than the model that is kept. */
static bool is_best(const struct tolk_trainer *trainer, const struct tolk_validation_scores *scores)
{
    return tolk_is_best(scores, &trainer->learner.cursor, trainer->options->best);
}

/* Keeps the model where it is the best so far; true when it is kept. */
static bool keep_if_best(struct tolk_trainer *trainer, const struct tolk_validation_scores *scores)
{
    struct tolk_cursor *cursor = &trainer->learner.cursor;
    struct tolk_error error;
    if (!is_best(trainer, scores)) {
        cursor->stale++;
        return false;
    }
    trainer->model_unsaved = save_model(trainer, &error) != 0;
    if (trainer->model_unsaved) {
        try_to(trainer, -1, &error);
        return false;
    }
    cursor->best_update = cursor->update;
    cursor->best_loss = scores->loss;
    cursor->best_bleu = scores->bleu;
    cursor->best_chrf = scores->chrf;
    cursor->stale = 0;
    const struct tolk_model *model = &trainer->learner.model;
    try_to(trainer,
           tolk_card_write(trainer->folder->card, trainer->options, trainer->corpus, &model->config,
                           model->layout.size, cursor, scores->sentences, &error),
           &error);
    return true;
}

static void record_validation(struct tolk_trainer *trainer,
                              const struct tolk_validation_scores *scores, bool best)
{
    const struct tolk_cursor *cursor = &trainer->learner.cursor;
    struct tolk_error error;
    const struct tolk_log_record record = {
        .type = TOLK_LOG_VALIDATION,
        .update = cursor->update,
        .epoch = cursor->epoch,
        .seconds = cursor->seconds,
        .loss = scores->loss,
        .bleu = scores->bleu,
        .chrf = scores->chrf,
        .aer = scores->aer,
        .sentences = (int64_t)scores->sentences,
        .best = best,
    };
    try_to(trainer, tolk_log_write(&trainer->log, &record, &error), &error);
    try_to(trainer, tolk_curves_draw(trainer->folder->log, trainer->folder->curves, &error),
           &error);
    char aer[32] = "";
    if (!isnan(scores->aer)) {
        snprintf(aer, sizeof aer, "  AER %.3f", scores->aer);
    }
    tolk_progress_note(trainer->progress,
                       "validation at update %lld: loss %.4f  perplexity %.2f  BLEU %.2f  chrF "
                       "%.2f%s%s",
                       (long long)cursor->update, scores->loss, exp(scores->loss), scores->bleu,
                       scores->chrf, aer, best ? "  (best, kept)" : "");
}

/* A validation that a signal broke off, or whose model could not be written, is not done: the end
 * of the training or the resumed one makes up for it. */
static int validate(struct tolk_trainer *trainer, struct tolk_error *error)
{
    struct tolk_validation_scores scores;
    struct tolk_cursor *cursor = &trainer->learner.cursor;
    const int status = tolk_validator_run(&trainer->validator, tolk_interrupted, &scores, error);
    if (status > 0) {
        return 0;
    }
    if (status == 0) {
        advance_clock(trainer);
        record_validation(trainer, &scores, keep_if_best(trainer, &scores));
        cursor->validated = is_best(trainer, &scores) ? cursor->validated : cursor->update;
    }
    struct tolk_error unsaved;
    try_to(trainer, save_state(trainer, &unsaved), &unsaved);
    return status;
}

static bool validation_due(const struct tolk_trainer *trainer)
{
    const struct tolk_cursor *cursor = &trainer->learner.cursor;
    return cursor->update > 0 && cursor->update != cursor->validated &&
           cursor->update % (int64_t)trainer->options->validate_every == 0;
}

/* ---- updates ------------------------------------------------------------------------------------
 */

static void watch_for_divergence(struct tolk_trainer *trainer, double loss)
{
    if (tolk_divergence_add(&trainer->divergence, loss)) {
        tolk_progress_note(trainer->progress,
                           "warning: the training diverges: the loss is at %.3f and was at %.3f; a "
                           "lower --learning-rate or a longer --warmup may help",
                           trainer->divergence.recent, trainer->divergence.best);
    }
}

static void report(struct tolk_trainer *trainer, const struct tolk_update *update, double rate,
                   double seconds)
{
    const struct tolk_cursor *cursor = &trainer->learner.cursor;
    struct tolk_error error;
    tolk_window_add(&trainer->window, update, seconds);
    const struct tolk_log_record record = tolk_window_record(&trainer->window, cursor, rate);
    const double share = spent(trainer);
    const bool due = cursor->update % (int64_t)trainer->options->log_every == 0;
    const struct tolk_progress_state state = {
        .update = cursor->update,
        .updates = (int64_t)trainer->options->updates,
        .epoch = cursor->epoch,
        .loss = record.loss,
        .guided_loss = record.guided_loss,
        .tokens_per_second = record.tokens_per_second,
        .seconds = cursor->seconds,
        .seconds_left = share > 0 ? cursor->seconds * (1 - share) / share : -1,
    };
    tolk_progress_update(trainer->progress, &state, due);
    if (due) {
        try_to(trainer, tolk_log_write(&trainer->log, &record, &error), &error);
        trainer->window = (struct tolk_window){.updates = 0};
    }
}

static int note_failure(struct tolk_trainer *trainer, const struct tolk_update *update,
                        struct tolk_error *error)
{
    const long long after = trainer->learner.cursor.update;
    trainer->failures++;
    if (trainer->failures >= MOST_FAILURES) {
        return tolk_error_set(error,
                              "the loss or its gradient was not finite %d times in a row after "
                              "update %lld; %s keeps an earlier state; begin anew with --restart "
                              "and a lower --learning-rate",
                              trainer->failures, after, trainer->folder->state);
    }
    tolk_progress_note(trainer->progress,
                       "warning: after update %lld: loss %g, gradient norm %g; this update is "
                       "left out",
                       after, update->smoothed_loss, update->norm);
    return 0;
}

static int make_update(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_training_options *o = trainer->options;
    const struct tolk_schedule schedule = {
        .kind = (enum tolk_schedule_kind)o->schedule,
        .peak = o->learning_rate,
        .warmup = o->warmup,
        .cooldown = o->cooldown,
    };
    struct tolk_update update;
    const double begun = now();
    if (tolk_learner_plan(&trainer->learner, error) != 0) {
        return -1;
    }
    const double rate =
        tolk_schedule_rate(&schedule, (uint64_t)trainer->learner.cursor.update + 1, spent(trainer));
    if (tolk_learner_update(&trainer->learner, rate, &update, error) != 0) {
        return -1;
    }
    advance_clock(trainer);
    if (!update.applied) {
        return note_failure(trainer, &update, error);
    }
    trainer->failures = 0;
    watch_for_divergence(trainer, update.loss);
    report(trainer, &update, rate, now() - begun);
    return 0;
}

/* ---- the run ------------------------------------------------------------------------------------
 */

/* What is left out in silence is missed too late. */
static void note_left_out(const struct tolk_trainer *trainer)
{
    const size_t train = trainer->learner.batches.left_out;
    const size_t dev = trainer->validator.batches.left_out;
    if (train > 0) {
        tolk_progress_note(trainer->progress,
                           "left out %zu pairs longer than --max-length or --batch-tokens", train);
    }
    if (dev > 0) {
        tolk_progress_note(trainer->progress,
                           "left out %zu pairs of dev from its loss, longer than the model's %zu "
                           "positions",
                           dev, trainer->learner.model.config.max_position_embeddings);
    }
}

/* From here on the folder is the new training's. */
static int take_over_folder(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_training_folder *folder = trainer->folder;
    const struct tolk_codec_description description = {
        .source_language = trainer->options->source_language,
        .target_language = trainer->options->target_language,
        .max_length = trainer->learner.model.config.max_position_embeddings,
    };
    return tolk_training_folder_begin(folder, error) != 0 ||
                   tolk_codec_save(trainer->codec, folder->path, &description, error) != 0 ||
                   save_state(trainer, error) != 0
               ? -1
               : 0;
}

int tolk_trainer_create(struct tolk_trainer *trainer, const struct tolk_training_options *options,
                        const struct tolk_training_corpus *corpus, const struct tolk_codec *codec,
                        const struct tolk_training_folder *folder, struct tolk_progress *progress,
                        const struct tolk_checkpoint *checkpoint, struct tolk_error *error)
{
    *trainer = (struct tolk_trainer){.options = options,
                                     .corpus = corpus,
                                     .codec = codec,
                                     .folder = folder,
                                     .progress = progress,
                                     .begun = now()};
    struct tolk_learner *learner = &trainer->learner;
    trainer->recipe = tolk_training_recipe(options);
    if (trainer->recipe == NULL) {
        return tolk_error_set(error, "out of memory for the recipe");
    }
    if (tolk_learner_create(learner, options, &corpus->train, codec, error) != 0) {
        goto failed;
    }
    if (checkpoint != NULL) {
        const struct tolk_training_state state = tolk_learner_state(learner);
        if (tolk_checkpoint_restore(checkpoint, &state, error) != 0) {
            goto failed;
        }
        learner->cursor = checkpoint->cursor;
    } else {
        learner->cursor.vocab_size = (int64_t)tolk_codec_size(codec);
        learner->cursor.corpus_pairs = (int64_t)corpus->train.count;
        learner->cursor.corpus_hash = corpus->hash;
    }
    trainer->seconds_before = learner->cursor.seconds;
    if (tolk_validator_create(&trainer->validator, &learner->averaged, codec, &corpus->dev,
                              options->validate_sentences, error) != 0 ||
        tolk_learner_plan(learner, error) != 0 ||
        (checkpoint == NULL && take_over_folder(trainer, error) != 0) ||
        tolk_training_folder_begun(folder, error) != 0 ||
        tolk_log_open(&trainer->log, folder->log, learner->cursor.update, error) != 0) {
        goto failed;
    }
    note_left_out(trainer);
    return 0;
failed:
    tolk_trainer_free(trainer);
    return -1;
}

void tolk_trainer_free(struct tolk_trainer *trainer)
{
    tolk_log_close(&trainer->log);
    tolk_validator_free(&trainer->validator);
    tolk_learner_free(&trainer->learner);
    free(trainer->recipe);
    trainer->recipe = NULL;
}

/* At the end there must be a model, and no better one that is lost. */
static int leave_model(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_cursor *cursor = &trainer->learner.cursor;
    if (cursor->best_update > 0 && trainer->model_unsaved) {
        return tolk_error_set(error,
                              "%s: is the model of update %lld; a better one could not be written",
                              trainer->folder->model, (long long)cursor->best_update);
    }
    if (cursor->best_update == 0 && cursor->validated > 0 && !trainer->model_unsaved) {
        return tolk_error_set(error,
                              "%s: not written, for the loss on dev was never finite; begin anew "
                              "with --restart and a lower --learning-rate",
                              trainer->folder->model);
    }
    /* Without a validation yet, what there is is the best. */
    return cursor->best_update == 0 ? save_model(trainer, error) : 0;
}

static int finish(struct tolk_trainer *trainer, struct tolk_error *error)
{
    const struct tolk_cursor *cursor = &trainer->learner.cursor;
    if (!tolk_interrupted() && cursor->update != cursor->validated &&
        validate(trainer, error) != 0) {
        return -1;
    }
    if (save_state(trainer, error) != 0 || leave_model(trainer, error) != 0) {
        return -1;
    }
    if (tolk_interrupted()) {
        tolk_progress_note(trainer->progress,
                           "stopped by a signal and saved after update %lld; the same command goes "
                           "on from there",
                           (long long)cursor->update);
    } else {
        tolk_progress_note(trainer->progress, "done after update %lld: %s",
                           (long long)cursor->update,
                           out_of_patience(trainer) ? "no better model for as long as --patience"
                                                    : "the limit given");
    }
    return 0;
}

int tolk_trainer_run(struct tolk_trainer *trainer, struct tolk_error *error)
{
    for (;;) {
        if (validation_due(trainer) && validate(trainer, error) != 0) {
            return -1;
        }
        if (tolk_interrupted() || spent(trainer) >= 1 || out_of_patience(trainer)) {
            return finish(trainer, error);
        }
        if (make_update(trainer, error) != 0) {
            return -1;
        }
        if (trainer->learner.cursor.seconds - trainer->saved > SAVE_SECONDS) {
            struct tolk_error unsaved;
            try_to(trainer, save_state(trainer, &unsaved), &unsaved);
        }
    }
}
