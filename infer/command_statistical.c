/* `tolk align --statistical`: the words of a corpus aligned by what stands beside what, without a
 * model. */
#include "infer/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "align/aligner.h"

struct aligning {
    struct tolk_settings settings;
    const char *corpus;
    size_t symmetrisation;
    struct tolk_pairs pairs[2]; /* the corpus, and pairs that alone are written */
};

/* Both, one behind the other; their sentences stay where they are. */
static int join(const struct aligning *work, struct tolk_pairs *joined, struct tolk_error *error)
{
    const size_t count = work->pairs[0].count + work->pairs[1].count;
    *joined = (struct tolk_pairs){.items = calloc(count + 1, sizeof *joined->items)};
    if (joined->items == NULL) {
        return tolk_error_set(error, "out of memory for %zu pairs", count);
    }
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < work->pairs[p].count; i++) {
            joined->items[joined->count++] = work->pairs[p].items[i];
        }
    }
    return 0;
}

static int print_line(const struct tolk_pair *pair, const struct tolk_links *links, bool json,
                      FILE *out, struct tolk_error *error)
{
    if (!json) {
        char *const text = tolk_links_format(links);
        if (text == NULL) {
            return tolk_error_set(error, "out of memory for the links of line %zu", pair->line);
        }
        fprintf(out, "%s\n", text);
        free(text);
        return 0;
    }
    json_t *const list = json_array();
    for (size_t i = 0; i < links->count; i++) {
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)links->items[i].source,
                                              (json_int_t)links->items[i].target));
    }
    json_t *const object = json_pack("{s:s, s:s, s:o}", "source", pair->source, "translation",
                                     pair->target, "alignment", list);
    return tolk_print_json(object, out, error);
}

static int align(const struct aligning *work, FILE *out, struct tolk_error *error)
{
    struct tolk_aligner_options options = tolk_aligner_options_default();
    struct tolk_pairs joined;
    if (join(work, &joined, error) != 0) {
        return -1;
    }
    if (work->symmetrisation != TOLK_SYMMETRISATIONS) {
        options.symmetrisation = (enum tolk_symmetrisation)work->symmetrisation;
    }
    struct tolk_links *const links = calloc(joined.count + 1, sizeof *links);
    if (links == NULL) {
        free(joined.items);
        return tolk_error_set(error, "out of memory for %zu pairs", joined.count);
    }
    int status = tolk_align_pairs(&joined, &options, links, error);
    const size_t first = work->pairs[1].count > 0 ? work->pairs[0].count : 0;
    for (size_t i = first; status == 0 && i < joined.count; i++) {
        status = print_line(&joined.items[i], &links[i], work->settings.json, out, error);
    }
    for (size_t i = 0; i < joined.count; i++) {
        tolk_links_free(&links[i]);
    }
    free(links);
    free(joined.items);
    return status == 0 ? tolk_command_flush(out, error) : -1;
}

static int read_pairs(struct aligning *work, char *const *operands, int count, FILE *log,
                      struct tolk_error *error)
{
    char *const corpus = strdup(work->corpus);
    if (corpus == NULL) {
        return tolk_error_set(error, "out of memory");
    }
    int status =
        tolk_command_pairs(&corpus, 1, work->settings.skip_bad, &work->pairs[0], log, error);
    if (status == 0 && count > 0) {
        status = tolk_command_pairs(operands, count, work->settings.skip_bad, &work->pairs[1], log,
                                    error);
    }
    /* From here on nobody asks for the names, one of which goes now. */
    work->pairs[0].source_name = work->pairs[0].target_name = NULL;
    free(corpus);
    return status;
}

static const char ABOUT[] =
    "Aligns the words of CORPUS.tsv (lines `source<TAB>target`) without a model: IBM model 1 and "
    "a\n"
    "hidden Markov model learn from it which words translate each other, from either side, and\n"
    "their links are joined. One line for each pair, `0-0 1-2 …`. With PAIRS.tsv, or two\n"
    "line-aligned files, the aligner learns from the corpus and from these pairs, and writes the\n"
    "links of these alone.\n";

int tolk_command_align_statistical(int argc, char **argv, FILE *out, FILE *log)
{
    struct aligning work = {.settings = tolk_settings_default(),
                            .symmetrisation = TOLK_SYMMETRISATIONS};
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("statistical", 0, "CORPUS", "the pairs to learn from", &work.corpus),
        TOLK_OPTION_CHOICE("symmetrisation", 0,
                           "intersection|union|grow-diag|grow-diag-final|grow-diag-final-and",
                           "how the links of both sides are joined (what aligned best\nin "
                           "docs/alignment.md)",
                           &work.symmetrisation),
        TOLK_JSON_OPTION(&work.settings),
        TOLK_SKIP_BAD_OPTION(&work.settings),
        TOLK_THREAD_OPTIONS(&work.settings),
    };
    const struct tolk_command command = {"tolk align --statistical",
                                         "CORPUS.tsv [PAIRS.tsv | SOURCE TARGET]", ABOUT, options,
                                         sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 0, 2, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    tolk_settings_threads(&work.settings);
    int status = read_pairs(&work, argv + first, argc - first, log, &error);
    if (status == 0) {
        status = align(&work, out, &error);
    }
    tolk_pairs_free(&work.pairs[0]);
    tolk_pairs_free(&work.pairs[1]);
    return status == 0 ? TOLK_DONE : tolk_command_fail(&command, TOLK_FAILED, &error, log);
}
