/* The logits of our model core as a file, for check_model.py:
 *
 *     dump_logits MODEL OUT.safetensors < IDS
 *
 * A line of IDS is a sentence pair: source ids, "|", target ids, separated by spaces, each side
 * with its eos. OUT holds "logits" [target rows, vocab_size], teacher-forced. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/floats.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "model/transformer.h"

enum { MAX_SENTENCES = 1000, MAX_ROWS = 100000 };

/* One side of the batch. */
struct side {
    size_t begin[MAX_SENTENCES + 1];
    int32_t ids[MAX_ROWS];
};

static struct side source, target;
static int32_t target_input[MAX_ROWS];

/* Ids up to what is no number; returns where that begins, or NULL for an id that the model does not
 * have. */
static const char *read_ids(struct side *side, size_t sentence, const char *text,
                            const struct tolk_config *config)
{
    size_t rows = side->begin[sentence];
    for (;;) {
        char *end;
        const long id = strtol(text, &end, 10);
        if (end == text) {
            break;
        }
        if (id < 0 || (size_t)id >= config->vocab_size || rows == MAX_ROWS) {
            return NULL;
        }
        side->ids[rows++] = (int32_t)id;
        text = end;
    }
    side->begin[sentence + 1] = rows;
    return text + strspn(text, " ");
}

static int read_batch(struct tolk_batch *batch, FILE *stream, const struct tolk_config *config,
                      struct tolk_error *error)
{
    char *line = NULL;
    size_t capacity = 0;
    size_t sentences = 0;
    int result = -1;
    while (getline(&line, &capacity, stream) > 0) {
        const char *bar = NULL;
        const char *end = NULL;
        if (sentences < MAX_SENTENCES) {
            bar = read_ids(&source, sentences, line, config);
        }
        if (bar != NULL && *bar == '|') {
            end = read_ids(&target, sentences, bar + 1, config);
        }
        if (end == NULL || *end != '\n') {
            tolk_error_set(error, "<stdin>:%zu: expected ids | ids", sentences + 1);
            goto out;
        }
        sentences++;
    }
    for (size_t s = 0; s < sentences; s++) {
        int32_t previous = config->decoder_start_token_id;
        for (size_t row = target.begin[s]; row < target.begin[s + 1]; row++) {
            target_input[row] = previous;
            previous = target.ids[row];
        }
    }
    *batch = (struct tolk_batch){.sentences = sentences,
                                 .source_begin = source.begin,
                                 .source = source.ids,
                                 .target_begin = target.begin,
                                 .target_input = target_input,
                                 .target_output = target.ids};
    result = 0;
out:
    free(line);
    return result;
}

static int dump(const struct tolk_model *model, const struct tolk_batch *batch, const char *path,
                struct tolk_error *error)
{
    const size_t shape[] = {tolk_batch_target_rows(batch), model->config.vocab_size};
    struct tolk_workspace *workspace = tolk_workspace_create(model, error);
    int result = -1;
    if (workspace == NULL) {
        return -1;
    }
    if (tolk_workspace_reserve(workspace, batch, TOLK_FORWARD, error) == 0) {
        tolk_transformer_forward(model, batch, NULL, workspace);
        const struct tolk_safetensor_source logits = {.name = "logits",
                                                      .dtype = tolk_real_dtype,
                                                      .rank = 2,
                                                      .shape = shape,
                                                      .bytes = tolk_workspace_logits(workspace),
                                                      .size = shape[0] * shape[1] * sizeof(real)};
        result = tolk_safetensors_write(path, &logits, 1, error);
    }
    tolk_workspace_free(workspace);
    return result;
}

int main(int argc, char **argv)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_batch batch;
    if (argc != 3) {
        fprintf(stderr, "usage: dump_logits MODEL OUT.safetensors < IDS\n");
        return 2;
    }
    if (tolk_model_load(&model, argv[1], &error) != 0) {
        fprintf(stderr, "dump_logits: %s\n", error.message);
        return 1;
    }
    const int result = read_batch(&batch, stdin, &model.config, &error) != 0
                           ? -1
                           : dump(&model, &batch, argv[2], &error);
    if (result != 0) {
        fprintf(stderr, "dump_logits: %s\n", error.message);
    }
    tolk_model_free(&model);
    return result == 0 ? 0 : 1;
}
