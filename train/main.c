/* tolk-train: corpus → tokens → batch → encoder → decoder → logits → loss → gradients → optimiser →
 * checkpoint. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "base/version.h"
#include "infer/bleu.h"
#include "infer/chrf.h"
#include "model/isa.h"
#include "train/alignment.h"
#include "train/checkpoint.h"
#include "train/corpus.h"
#include "train/folder.h"
#include "train/interruption.h"
#include "train/links.h"
#include "train/options.h"
#include "train/trainer.h"
#include "train/vocabulary.h"

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

static int read_corpus(struct tolk_training_corpus *corpus,
                       const struct tolk_training_options *options, struct tolk_progress *progress,
                       struct tolk_error *error)
{
    if (tolk_training_corpus_read(corpus, options, error) != 0) {
        return -1;
    }
    tolk_progress_note(progress, "%zu pairs to train on, %zu to validate on", corpus->train.count,
                       corpus->dev.count);
    if (corpus->train.skipped + corpus->dev.skipped > 0) {
        tolk_progress_note(progress, "skipped %zu bad lines of train and %zu of dev",
                           corpus->train.skipped, corpus->dev.skipped);
    }
    if (tolk_training_links(corpus, options, progress, error) != 0) {
        return -1;
    }
    tolk_progress_note(progress, "validation: BLEU %s, chrF %s", TOLK_BLEU_SIGNATURE,
                       TOLK_CHRF_SIGNATURE);
    return 0;
}

/* A training that was stopped: options and corpus must be those it began with. */
static int resume(const struct tolk_training_options *options,
                  const struct tolk_training_corpus *corpus,
                  const struct tolk_training_folder *folder, struct tolk_progress *progress,
                  struct tolk_checkpoint *checkpoint, struct tolk_codec **codec,
                  struct tolk_error *error)
{
    const struct tolk_cursor *cursor = &checkpoint->cursor;
    if (tolk_checkpoint_open(checkpoint, folder->state, error) != 0 ||
        tolk_training_recipe_check(options, checkpoint->recipe, folder->path, error) != 0 ||
        tolk_training_corpus_check(corpus, cursor->corpus_pairs, cursor->corpus_hash, folder->path,
                                   error) != 0) {
        return -1;
    }
    *codec = tolk_codec_load(folder->path, (size_t)cursor->vocab_size, error);
    if (*codec == NULL) {
        return -1;
    }
    tolk_progress_note(progress, "resuming after update %lld", (long long)cursor->update);
    return 0;
}

static int train(const struct tolk_training_options *options, struct tolk_progress *progress,
                 struct tolk_error *error)
{
    struct tolk_training_corpus corpus = {.hash = 0};
    struct tolk_training_folder folder = {.lock = {-1}};
    struct tolk_checkpoint checkpoint = {.recipe = NULL};
    struct tolk_codec *codec = NULL;
    struct tolk_trainer trainer;
    int result = -1;
    if (read_corpus(&corpus, options, progress, error) != 0 ||
        tolk_training_folder_open(&folder, options->output, options->restart, error) != 0) {
        goto out;
    }
    if (folder.resumes) {
        result = resume(options, &corpus, &folder, progress, &checkpoint, &codec, error);
    } else {
        codec = tolk_training_vocabulary(options, &corpus.train, progress, error);
        result = codec != NULL ? 0 : -1;
    }
    if (result != 0) {
        goto out;
    }
    result = tolk_trainer_create(&trainer, options, &corpus, codec, &folder, progress,
                                 folder.resumes ? &checkpoint : NULL, error);
    if (result == 0) {
        result = tolk_trainer_run(&trainer, error);
        tolk_trainer_free(&trainer);
    }
    if (result == 0 && !tolk_interrupted()) {
        result =
            tolk_training_choose_alignment(folder.path, options, codec, &corpus, progress, error);
    }
out:
    tolk_codec_free(codec);
    tolk_checkpoint_close(&checkpoint);
    tolk_training_folder_close(&folder);
    tolk_training_corpus_free(&corpus);
    return result;
}

/* What was asked for on standard output is there, or the status says so. */
static int leave_answered(void)
{
    if (fflush(stdout) != 0) {
        perror("tolk-train: cannot write the output");
        return FAILED;
    }
    return DONE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tolk-train " TOLK_VERSION);
        return leave_answered();
    }
    tolk_threads_sleep_while_waiting(argv);
    struct tolk_error error;
    struct tolk_training_options options;
    struct tolk_progress progress;
    switch (tolk_training_options_parse(&options, argc, argv, &error)) {
    case TOLK_OPTIONS_HELP:
        tolk_training_options_help(stdout);
        return leave_answered();
    case TOLK_OPTIONS_WRONG:
        fprintf(stderr, "tolk-train: %s\n", error.message);
        return WRONG_USAGE;
    case TOLK_OPTIONS_GOOD:
        break;
    }
    if (options.threads > 0) {
        omp_set_num_threads((int)options.threads);
    }
    tolk_interruption_watch();
    tolk_progress_begin(&progress, stderr);
    if (tolk_isa_choose(NULL, &error) != 0 || train(&options, &progress, &error) != 0) {
        tolk_progress_note(&progress, "tolk-train: %s", error.message);
        return FAILED;
    }
    return DONE;
}
