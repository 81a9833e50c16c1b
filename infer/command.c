#include "infer/command.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/sentence.h"

/* The codec, which the rest of a session does not need to open. */
struct loading {
    const char *folder;
    struct tolk_codec *codec; /* NULL where it failed, with the error */
    struct tolk_error error;
};

static void *load_codec(void *context)
{
    struct loading *const loading = context;
    loading->codec = tolk_codec_load(loading->folder, 0, &loading->error);
    return NULL;
}

/* A command over pairs needs all at once. One that translates may have a single sentence, for which
 * to pack pays if it has several hypotheses, or if it costs nothing, beside the tokenizer. A greedy
 * search without scores has its projection screened instead. */
static enum tolk_inference_packing packing_for(const struct tolk_settings *translating,
                                               const struct tolk_config *config, bool beside)
{
    const bool given = translating->beam != TOLK_NOT_GIVEN_SIZE;
    const size_t beam = given ? translating->beam : tolk_search_options_default(config).beam;
    if (translating->packs) {
        return TOLK_PACKED_ALL;
    }
    if (beam > 1 || (beside && translating->scores)) {
        return TOLK_PACKED_TARGET;
    }
    return beside ? TOLK_PACKED_LAYERS : TOLK_PACKED_NONE;
}

static int load_model(struct tolk_session *session, const char *folder,
                      const struct tolk_settings *translating, bool beside,
                      struct tolk_error *error)
{
    if (tolk_model_load(&session->model, folder, error) != 0) {
        return -1;
    }
    session->model.unwritten = true;
    if (translating != NULL) {
        const int threads = omp_get_max_threads();
        omp_set_num_threads(1);
        const enum tolk_inference_packing packing =
            packing_for(translating, &session->model.config, beside);
        session->weights = tolk_inference_weights_make_partly(
            &session->model, (enum tolk_panels_format)translating->precision, packing, error);
        if (session->weights != NULL && packing == TOLK_PACKED_LAYERS) {
            tolk_inference_weights_screen(session->weights);
        }
        omp_set_num_threads(threads);
    }
    return translating != NULL && session->weights == NULL ? -1 : 0;
}

int tolk_session_open(struct tolk_session *session, const char *folder,
                      const struct tolk_settings *translating, struct tolk_error *error)
{
    struct loading loading = {.folder = folder};
    pthread_t loader;
    *session = (struct tolk_session){.codec = NULL};
    /* No parallel region: the threads of OpenMP would spin through the translation of a first
     * sentence, in which they have no part. */
    const bool beside =
        omp_get_max_threads() > 1 && pthread_create(&loader, NULL, load_codec, &loading) == 0;
    int status = load_model(session, folder, translating, beside, error);
    if (beside) {
        pthread_join(loader, NULL);
    } else if (status == 0) {
        load_codec(&loading);
    }
    session->codec = loading.codec;
    struct tolk_error unlike;
    if (status == 0 && session->codec == NULL) {
        *error = loading.error;
        status = -1;
    } else if (status == 0 &&
               tolk_sentence_check_codec(session->codec, &session->model.config, &unlike) != 0) {
        status = tolk_error_set(error, "%s: %s", folder, unlike.message);
    }
    if (status != 0) {
        tolk_session_close(session);
    }
    return status;
}

void tolk_session_close(struct tolk_session *session)
{
    tolk_inference_weights_free(session->weights);
    tolk_codec_free(session->codec);
    tolk_model_free(&session->model);
    *session = (struct tolk_session){.codec = NULL};
}

struct tolk_settings tolk_settings_default(void)
{
    return (struct tolk_settings){
        .threads = TOLK_NOT_GIVEN_SIZE,
        .beam = TOLK_NOT_GIVEN_SIZE,
        .length_penalty = TOLK_NOT_GIVEN_DOUBLE,
        .max_length = TOLK_NOT_GIVEN_SIZE,
        .batch_tokens = TOLK_NOT_GIVEN_SIZE,
        .precision = TOLK_PANELS_REAL,
        .layer = TOLK_NOT_GIVEN_SIZE,
    };
}

int tolk_command_begin(const struct tolk_command *command, int least, int most, int argc,
                       char **argv, int *operands, FILE *out, FILE *log)
{
    struct tolk_error error;
    switch (tolk_options_parse(command, argc, argv, operands, &error)) {
    case TOLK_OPTIONS_HELP:
        tolk_options_help(command, out);
        if (tolk_command_flush(out, &error) != 0) {
            return tolk_command_fail(command, TOLK_FAILED, &error, log);
        }
        return TOLK_DONE;
    case TOLK_OPTIONS_WRONG:
        return tolk_command_fail(command, TOLK_WRONG_USAGE, &error, log);
    case TOLK_OPTIONS_GOOD:
        break;
    }
    const int count = argc - *operands;
    if (count < least || count > most) {
        if (count > most) {
            tolk_error_set(&error, "unexpected operand \"%s\"; see `%s --help`",
                           argv[*operands + most], command->name);
        } else {
            tolk_error_set(&error, "expected %s; see `%s --help`", command->operands,
                           command->name);
        }
        return tolk_command_fail(command, TOLK_WRONG_USAGE, &error, log);
    }
    return -1;
}

bool tolk_command_has_option(int argc, char **argv, const char *name)
{
    const size_t size = strlen(name);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], name, size) == 0 && (argv[i][size] == '\0' || argv[i][size] == '=')) {
            return true;
        }
    }
    return false;
}

int tolk_command_fail(const struct tolk_command *command, enum tolk_exit status,
                      const struct tolk_error *error, FILE *log)
{
    fprintf(log, "%s: %s\n", command->name, error->message);
    return (int)status;
}

int tolk_command_flush(FILE *out, struct tolk_error *error)
{
    errno = 0;
    if (fflush(out) != 0 || ferror(out)) {
        return errno != 0 ? tolk_error_errno(error, "cannot write the output")
                          : tolk_error_set(error, "cannot write the output");
    }
    return 0;
}

int tolk_settings_search(const struct tolk_settings *settings,
                         struct tolk_translator_options *options, struct tolk_error *error)
{
    struct tolk_search_options *const search = &options->search;
    if (settings->beam != TOLK_NOT_GIVEN_SIZE) {
        search->beam = settings->beam;
    } else if (search->beam < search->n_best) {
        search->beam = search->n_best;
    }
    if (settings->length_penalty >= 0) {
        search->length_penalty = settings->length_penalty;
    }
    if (settings->max_length != TOLK_NOT_GIVEN_SIZE) {
        search->max_length_factor = 0;
        search->max_length_constant = settings->max_length;
    }
    options->batch_tokens = tolk_settings_batch_tokens(settings);
    options->precision = (enum tolk_panels_format)settings->precision;
    if (search->n_best > search->beam) {
        return tolk_error_set(error, "--n-best: %zu translations need a --beam of as many, not %zu",
                              search->n_best, search->beam);
    }
    return 0;
}

/* "0,3" into choice->heads. */
static int parse_heads(const char *text, struct tolk_attention_choice *choice,
                       struct tolk_error *error)
{
    choice->head_count = 0;
    for (const char *rest = text;;) {
        const size_t length = strcspn(rest, ",");
        char number[16];
        if (length >= sizeof number || choice->head_count == TOLK_MAX_HEADS) {
            return tolk_error_set(error, "--head: expected numbers like 0,3, found \"%s\"", text);
        }
        memcpy(number, rest, length);
        number[length] = '\0';
        if (tolk_parse_size(number, 0, TOLK_MAX_HEADS - 1, "--head",
                            &choice->heads[choice->head_count++], error) != 0) {
            return -1;
        }
        if (rest[length] == '\0') {
            return 0;
        }
        rest += length + 1;
    }
}

/* The heads that are named, of the layer that is named or of all. */
static void set_posterior(const struct tolk_settings *settings, const struct tolk_config *config,
                          struct tolk_attention_choice *choice)
{
    const bool some = settings->layer != TOLK_NOT_GIVEN_SIZE || settings->heads != NULL;
    if (choice->posterior && !some) {
        return; /* the config's own */
    }
    choice->posterior = true;
    choice->set = (struct tolk_head_set){{0}};
    for (size_t l = 0; l < config->decoder_layers; l++) {
        const bool named = settings->layer == TOLK_NOT_GIVEN_SIZE || settings->layer == l;
        for (size_t i = 0; named && settings->heads != NULL && i < choice->head_count; i++) {
            tolk_head_set_add(&choice->set, l, choice->heads[i]);
        }
        for (size_t h = 0; named && settings->heads == NULL && h < config->decoder_attention_heads;
             h++) {
            tolk_head_set_add(&choice->set, l, h);
        }
    }
}

int tolk_settings_choice(const struct tolk_settings *settings, const struct tolk_config *config,
                         struct tolk_attention_choice *choice, struct tolk_error *error)
{
    if (settings->shift + settings->no_shift + settings->posterior > 1) {
        return tolk_error_set(error, "--shift, --no-shift and --posterior exclude one another");
    }
    *choice = tolk_attention_choice_default(config);
    const bool by_model = choice->posterior;
    if (settings->layer != TOLK_NOT_GIVEN_SIZE) {
        *choice = tolk_attention_choice_layer(config, settings->layer);
    }
    if (settings->heads != NULL && parse_heads(settings->heads, choice, error) != 0) {
        return -1;
    }
    choice->posterior = false;
    choice->shift = (choice->shift || settings->shift) && !settings->no_shift;
    struct tolk_error lacking;
    if (tolk_attention_choice_check(choice, config, &lacking) != 0) {
        const bool layer = choice->layer >= config->decoder_layers;
        return tolk_error_set(error, "%s: %s", layer ? "--layer" : "--head", lacking.message);
    }
    const bool some = settings->layer != TOLK_NOT_GIVEN_SIZE || settings->heads != NULL;
    if (settings->posterior || (by_model && !some && !settings->shift && !settings->no_shift)) {
        choice->posterior = by_model;
        set_posterior(settings, config, choice);
    }
    return 0;
}

int tolk_settings_print(const struct tolk_settings *settings, const char *alignment,
                        struct tolk_print_options *print, struct tolk_error *error)
{
    print->json = settings->json;
    print->unit = settings->pieces ? TOLK_PIECES : TOLK_WORDS;
    print->alignment.link_scores = settings->link_scores;
    if (alignment != NULL &&
        tolk_alignment_format_parse(alignment, &print->alignment, error) != 0) {
        return -1;
    }
    const bool links = print->alignment.kind == TOLK_ALIGNMENT_HARD ||
                       print->alignment.kind == TOLK_ALIGNMENT_THRESHOLD;
    if (settings->link_scores && !links) {
        return tolk_error_set(error, "--link-scores: expected an --alignment with links, %s",
                              alignment == NULL ? "found none" : "not a soft one");
    }
    return settings->all_heads && !settings->json
               ? tolk_error_set(error, "--all-heads needs --json")
               : 0;
}

int tolk_settings_views(const struct tolk_settings *settings, const struct tolk_config *config,
                        struct tolk_attention_view **views, size_t *count, struct tolk_error *error)
{
    *views = NULL;
    *count = 0;
    for (size_t kind = 0; settings->all_heads && kind < TOLK_ATTENTION_KINDS; kind++) {
        size_t more = 0;
        struct tolk_attention_view *const some =
            tolk_attention_views(config, (enum tolk_attention_kind)kind, &more);
        struct tolk_attention_view *const grown = realloc(*views, (*count + more) * sizeof *grown);
        if (some == NULL || grown == NULL) {
            free(some);
            free(grown != NULL ? grown : *views);
            *views = NULL;
            return tolk_error_set(error, "out of memory for the attention of all heads");
        }
        memcpy(grown + *count, some, more * sizeof *some);
        free(some);
        *views = grown;
        *count += more;
    }
    return 0;
}

int tolk_settings_choice_kind(const struct tolk_settings *settings,
                              const struct tolk_config *config, enum tolk_attention_kind kind,
                              struct tolk_attention_choice *choice, struct tolk_error *error)
{
    if (kind == TOLK_CROSS) {
        return tolk_settings_choice(settings, config, choice, error);
    }
    const bool given = settings->layer != TOLK_NOT_GIVEN_SIZE;
    *choice = tolk_attention_choice_all(
        config, kind, given ? settings->layer : tolk_attention_layers(config, kind) - 1);
    choice->shift = settings->shift;
    if (settings->heads != NULL && parse_heads(settings->heads, choice, error) != 0) {
        return -1;
    }
    struct tolk_error lacking;
    if (tolk_attention_choice_check_kind(choice, kind, config, &lacking) != 0) {
        const bool layer = choice->layer >= tolk_attention_layers(config, kind);
        return tolk_error_set(error, "%s: %s", layer ? "--layer" : "--head", lacking.message);
    }
    return 0;
}

const char *tolk_settings_for_model(const struct tolk_settings *settings)
{
    const struct {
        const char *name;
        bool given;
    } options[] = {
        {"--beam", settings->beam != TOLK_NOT_GIVEN_SIZE},
        {"--length-penalty", settings->length_penalty >= 0},
        {"--max-length", settings->max_length != TOLK_NOT_GIVEN_SIZE},
        {"--batch-tokens", settings->batch_tokens != TOLK_NOT_GIVEN_SIZE},
        {"--precision", settings->precision != TOLK_PANELS_REAL},
        {"--layer", settings->layer != TOLK_NOT_GIVEN_SIZE},
        {"--head", settings->heads != NULL},
        {"--posterior", settings->posterior},
        {"--shift", settings->shift},
        {"--no-shift", settings->no_shift},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].given) {
            return options[i].name;
        }
    }
    return NULL;
}

size_t tolk_settings_batch_tokens(const struct tolk_settings *settings)
{
    return settings->batch_tokens != TOLK_NOT_GIVEN_SIZE ? settings->batch_tokens
                                                         : TOLK_TRANSLATOR_BATCH_TOKENS;
}

void tolk_settings_threads(const struct tolk_settings *settings)
{
    if (settings->threads != TOLK_NOT_GIVEN_SIZE) {
        omp_set_num_threads((int)settings->threads);
    }
}

int tolk_command_pairs(char *const *files, int count, bool skip_bad, struct tolk_pairs *pairs,
                       FILE *log, struct tolk_error *error)
{
    const struct tolk_pairs_options options = {.skip_bad = skip_bad};
    const char *const name = count > 0 ? files[0] : "standard input";
    int status = 0;
    if (count == 0) {
        status = tolk_pairs_read_tsv_descriptor(STDIN_FILENO, name, &options, pairs, error);
    } else if (count == 1) {
        status = tolk_pairs_read_tsv(name, &options, pairs, error);
    } else {
        status = tolk_pairs_read_moses(name, files[1], &options, pairs, error);
    }
    if (status == 0 && pairs->skipped > 0) {
        fprintf(log, "%s: skipped %zu bad lines\n", name, pairs->skipped);
    }
    return status;
}

int tolk_command_run_pairs(const struct tolk_command *command, const struct tolk_settings *settings,
                           char *const *operands, int count, tolk_pair_command *run, void *context,
                           FILE *log)
{
    struct tolk_error error;
    struct tolk_pairs pairs = {0};
    struct tolk_session session = {.codec = NULL};
    tolk_settings_threads(settings);
    if (tolk_command_pairs(operands + 1, count - 1, settings->skip_bad, &pairs, log, &error) != 0) {
        return tolk_command_fail(command, TOLK_FAILED, &error, log);
    }
    enum tolk_exit status = TOLK_FAILED;
    if (tolk_session_open(&session, operands[0], settings->packs ? settings : NULL, &error) == 0) {
        status = run(context, &session, &pairs, log, &error);
        tolk_session_close(&session);
    }
    tolk_pairs_free(&pairs);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(command, status, &error, log);
}
