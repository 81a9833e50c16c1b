#include "infer/pair_pass.h"

#include <stdlib.h>
#include <string.h>

#include "infer/jobs.h"

/* Pairs read together; fewer where each leaves many attentions behind. */
enum { WINDOW_PAIRS = 4096, WINDOW_VIEWS = 1 << 14 };

struct visiting {
    tolk_pair_visitor *visitor;
    void *context;
};

struct window {
    struct tolk_sentence sentences[2 * WINDOW_PAIRS]; /* the source and the target of each */
    struct tolk_sentence_pair pairs[WINDOW_PAIRS];
    struct tolk_reading readings[WINDOW_PAIRS];
};

/* Pairs items[first … first + count) on their way into the window. */
struct encoding {
    const struct tolk_pair_pass *pass;
    const struct tolk_pairs *pairs;
    size_t first;
    struct window *window;
};

static int refuse_side(const char *name, const struct tolk_error *why, struct tolk_error *error)
{
    return name != NULL ? tolk_error_set(error, "%s: %s", name, why->message)
                        : tolk_error_set(error, "%s", why->message);
}

/* The job of one pair: both its sides. */
static int encode_pair(void *context, size_t i, size_t thread, struct tolk_error *error)
{
    (void)thread;
    const struct encoding *const encoding = context;
    const struct tolk_pairs *const pairs = encoding->pairs;
    const struct tolk_codec *const codec = encoding->pass->codec;
    const struct tolk_pair *const pair = &pairs->items[encoding->first + i];
    struct tolk_sentence *const source = &encoding->window->sentences[2 * i];
    struct tolk_sentence *const target = source + 1;
    const size_t longest = encoding->pass->model->config.max_position_embeddings;
    struct tolk_error why;
    encoding->window->pairs[i] = (struct tolk_sentence_pair){source, target};
    if (tolk_sentence_encode(source, codec, TOLK_SOURCE, pair->source, longest, &why) != 0) {
        return refuse_side(pairs->source_name, &why, error);
    }
    if (tolk_sentence_encode(target, codec, TOLK_TARGET, pair->target, longest, &why) != 0) {
        return refuse_side(pairs->target_name, &why, error);
    }
    return 0;
}

/* Whether a side may stand as it was read: whole, or cut where that is allowed. */
static int check_side(const struct tolk_pair_pass *pass, const char *name, const char *which,
                      size_t line, const struct tolk_sentence *sentence, struct tolk_error *error)
{
    if (sentence->pieces == sentence->all_pieces) {
        return 0;
    }
    if (pass->cut_log == NULL && !pass->cuts) {
        struct tolk_error why;
        tolk_error_set(&why, "line %zu: the %s has %zu pieces, the model reads at most %zu", line,
                       which, sentence->all_pieces,
                       pass->model->config.max_position_embeddings - 1);
        return refuse_side(name, &why, error);
    }
    if (pass->cut_log != NULL) {
        fprintf(pass->cut_log, "line %zu: the %s has %zu pieces, only the first %zu are read\n",
                line, which, sentence->all_pieces, sentence->pieces);
    }
    return 0;
}

/* Both sides of pairs items[first … first + count), up to the first pair that the model cannot
 * read; how many those are. */
static size_t encode_pairs(const struct tolk_pair_pass *pass, const struct tolk_pairs *pairs,
                           size_t first, size_t count, struct window *window,
                           struct tolk_error *error)
{
    struct encoding encoding = {pass, pairs, first, window};
    memset(window->sentences, 0, 2 * count * sizeof *window->sentences);
    tolk_jobs_run(count, tolk_jobs_threads(count / TOLK_JOBS_SENTENCES), encode_pair, &encoding,
                  error);
    for (size_t i = 0; i < count; i++) {
        const struct tolk_sentence *const source = &window->sentences[2 * i];
        const struct tolk_sentence *const target = source + 1;
        const size_t line = pairs->items[first + i].line;
        if (source->ids == NULL || target->ids == NULL ||
            check_side(pass, pairs->source_name, "source", line, source, error) != 0 ||
            check_side(pass, pairs->target_name, "target", line, target, error) != 0) {
            return i;
        }
    }
    return count;
}

/* Reads and visits the first `count` pairs of the window, items[first … first + count). */
static int window_visit(const struct tolk_pair_pass *pass, struct tolk_forcer *forcer,
                        const struct tolk_pair *items, size_t first, size_t count,
                        struct window *window, const struct visiting *visiting,
                        struct tolk_error *error)
{
    int status =
        tolk_read_pairs(forcer, window->pairs, count, &pass->reading, window->readings, error);
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
static int window_run(const struct tolk_pair_pass *pass, struct tolk_forcer *forcer,
                      const struct tolk_pairs *pairs, size_t first, size_t count,
                      struct window *window, const struct visiting *visiting,
                      struct tolk_error *error)
{
    struct tolk_error later;
    const size_t good = encode_pairs(pass, pairs, first, count, window, &later);
    int status = window_visit(pass, forcer, pairs->items, first, good, window, visiting, error);
    if (status == 0 && good < count) {
        status = tolk_error_set(error, "%s", later.message);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        tolk_sentence_free(&window->sentences[i]);
    }
    return status;
}

static size_t window_pairs(const struct tolk_pair_pass *pass)
{
    const size_t views = pass->reading.view_count;
    return views <= WINDOW_VIEWS / WINDOW_PAIRS ? WINDOW_PAIRS
           : views < WINDOW_VIEWS               ? WINDOW_VIEWS / views
                                                : 1;
}

int tolk_pair_pass_run(const struct tolk_pair_pass *pass, const struct tolk_pairs *pairs,
                       tolk_pair_visitor *visitor, void *context, struct tolk_error *error)
{
    struct window *const window = malloc(sizeof *window);
    struct tolk_forcer *const forcer = tolk_forcer_create(pass->model, pass->weights, error);
    const struct visiting visiting = {visitor, context};
    int status = -1;
    if (window == NULL || forcer == NULL) {
        tolk_error_set(error, "out of memory");
        goto out;
    }
    const size_t most = window_pairs(pass);
    status = 0;
    for (size_t i = 0; status == 0 && i < pairs->count; i += most) {
        const size_t left = pairs->count - i;
        status =
            window_run(pass, forcer, pairs, i, left < most ? left : most, window, &visiting, error);
    }
out:
    tolk_forcer_free(forcer);
    free(window);
    return status;
}
