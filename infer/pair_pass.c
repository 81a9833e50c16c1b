#include "infer/pair_pass.h"

#include <stdlib.h>

enum { WINDOW_PAIRS = 512 };

struct visiting {
    tolk_pair_visitor *visitor;
    void *context;
};

struct window {
    struct tolk_sentence sentences[2 * WINDOW_PAIRS]; /* sources, then targets */
    struct tolk_sentence_pair pairs[WINDOW_PAIRS];
    struct tolk_reading readings[WINDOW_PAIRS];
};

static int encode_side(const struct tolk_pair_pass *pass, enum tolk_side side, const char *text,
                       size_t line, struct tolk_sentence *sentence, struct tolk_error *error)
{
    const size_t longest = pass->model->config.max_position_embeddings;
    if (tolk_sentence_encode(sentence, pass->codec, side, text, longest, error) != 0) {
        return -1;
    }
    if (sentence->pieces == sentence->all_pieces) {
        return 0;
    }
    const char *const which = side == TOLK_SOURCE ? "source" : "target";
    if (pass->cut_log == NULL && !pass->cuts) {
        return tolk_error_set(error, "line %zu: the %s has %zu pieces, the model reads at most %zu",
                              line, which, sentence->all_pieces, longest - 1);
    }
    if (pass->cut_log != NULL) {
        fprintf(pass->cut_log, "line %zu: the %s has %zu pieces, only the first %zu are read\n",
                line, which, sentence->all_pieces, sentence->pieces);
    }
    return 0;
}

static int refuse_side(const char *name, const struct tolk_error *why, struct tolk_error *error)
{
    return name != NULL ? tolk_error_set(error, "%s: %s", name, why->message)
                        : tolk_error_set(error, "%s", why->message);
}

/* Both sides of pairs items[first … first + count), up to the first pair that the model cannot
 * read; how many those are. */
static size_t encode_pairs(const struct tolk_pair_pass *pass, const struct tolk_pairs *pairs,
                           size_t first, size_t count, struct window *window,
                           struct tolk_error *error)
{
    struct tolk_error why;
    for (size_t i = 0; i < 2 * count; i++) {
        window->sentences[i] = (struct tolk_sentence){0};
    }
    for (size_t i = 0; i < count; i++) {
        const struct tolk_pair *const pair = &pairs->items[first + i];
        struct tolk_sentence *const source = &window->sentences[i];
        struct tolk_sentence *const target = &window->sentences[count + i];
        window->pairs[i] = (struct tolk_sentence_pair){source, target};
        if (encode_side(pass, TOLK_SOURCE, pair->source, pair->line, source, &why) != 0) {
            refuse_side(pairs->source_name, &why, error);
            return i;
        }
        if (encode_side(pass, TOLK_TARGET, pair->target, pair->line, target, &why) != 0) {
            refuse_side(pairs->target_name, &why, error);
            return i;
        }
    }
    return count;
}

/* Reads and visits the first `count` pairs of the window, items[first … first + count). */
static int window_visit(const struct tolk_pair_pass *pass, struct tolk_workspace *workspace,
                        const struct tolk_pair *items, size_t first, size_t count,
                        struct window *window, const struct visiting *visiting,
                        struct tolk_error *error)
{
    int status = tolk_read_pairs(pass->model, workspace, window->pairs, count, pass->batch_tokens,
                                 pass->choice, window->readings, error);
    const size_t filled = status == 0 ? count : 0;
    for (size_t i = 0; i < filled; i++) {
        const struct tolk_pair_visit visit = {&items[first + i], first + i, window->pairs[i].source,
                                              window->pairs[i].target, &window->readings[i]};
        if (status == 0) {
            status = visiting->visitor(visiting->context, &visit, error);
        }
        tolk_reading_free(&window->readings[i]);
    }
    return status;
}

/* The pairs items[first … first + count). Those before one that cannot be read are visited, as if
 * they had come alone; then that one is the error. */
static int window_run(const struct tolk_pair_pass *pass, struct tolk_workspace *workspace,
                      const struct tolk_pairs *pairs, size_t first, size_t count,
                      struct window *window, const struct visiting *visiting,
                      struct tolk_error *error)
{
    struct tolk_error later;
    const size_t good = encode_pairs(pass, pairs, first, count, window, &later);
    int status = window_visit(pass, workspace, pairs->items, first, good, window, visiting, error);
    if (status == 0 && good < count) {
        status = tolk_error_set(error, "%s", later.message);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        tolk_sentence_free(&window->sentences[i]);
    }
    return status;
}

int tolk_pair_pass_run(const struct tolk_pair_pass *pass, const struct tolk_pairs *pairs,
                       tolk_pair_visitor *visitor, void *context, struct tolk_error *error)
{
    struct window *const window = malloc(sizeof *window);
    struct tolk_workspace *const workspace = tolk_workspace_create(pass->model, error);
    const struct visiting visiting = {visitor, context};
    int status = -1;
    if (window == NULL || workspace == NULL) {
        tolk_error_set(error, "out of memory");
        goto out;
    }
    status = 0;
    for (size_t i = 0; status == 0 && i < pairs->count; i += WINDOW_PAIRS) {
        const size_t left = pairs->count - i;
        status = window_run(pass, workspace, pairs, i, left < WINDOW_PAIRS ? left : WINDOW_PAIRS,
                            window, &visiting, error);
    }
out:
    tolk_workspace_free(workspace);
    free(window);
    return status;
}
