#include "infer/command.h"

#include <stdlib.h>
#include <string.h>

#include "infer/alignment_format.h"
#include "infer/pair_pass.h"
#include "infer/print.h"

struct aligning {
    struct tolk_alignment_format format;
    bool json;
    FILE *out;
};

static int print_json(const struct aligning *aligning, const struct tolk_pair_visit *visit,
                      struct tolk_error *error)
{
    json_t *const object = json_object();
    json_object_set_new(object, "source", json_string(visit->source->text));
    json_object_set_new(object, "translation", json_string(visit->target->text));
    json_object_set_new(object, "score", json_real(visit->reading->score));
    json_object_set_new(object, "source_words", tolk_words_json(visit->source));
    json_object_set_new(object, "words", tolk_words_json(visit->target));
    json_object_set_new(
        object, "word_scores",
        tolk_numbers_json(visit->reading->word_scores, visit->target->words.count + 1));
    if (tolk_alignment_json(&aligning->format, &visit->reading->attention, object, error) != 0) {
        json_decref(object);
        return -1;
    }
    return tolk_print_json(object, aligning->out, error);
}

static int align_pair(void *context, const struct tolk_pair_visit *visit, struct tolk_error *error)
{
    const struct aligning *const aligning = context;
    if (aligning->json) {
        return print_json(aligning, visit, error);
    }
    char *const text = tolk_alignment_text(&aligning->format, &visit->reading->attention, error);
    if (text == NULL) {
        return -1;
    }
    fprintf(aligning->out, "%s\n", text);
    free(text);
    return 0;
}

static enum tolk_exit align_all(const struct tolk_settings *settings, const char *model_folder,
                                const struct tolk_pairs *pairs, struct aligning *aligning,
                                FILE *log, struct tolk_error *error)
{
    struct tolk_session session;
    if (tolk_session_open(&session, model_folder, NULL, error) != 0) {
        return TOLK_FAILED;
    }
    enum tolk_exit status = TOLK_FAILED;
    struct tolk_attention_choice choice;
    if (tolk_settings_choice(settings, &session.model.config, &choice, error) != 0) {
        status = TOLK_WRONG_USAGE;
        goto out;
    }
    const struct tolk_pair_pass pass = {
        .model = &session.model,
        .codec = session.codec,
        .reading = {tolk_settings_batch_tokens(settings), aligning->json, &choice},
        .cut_log = log,
    };
    if (tolk_pair_pass_run(&pass, pairs, align_pair, aligning, error) == 0 &&
        tolk_command_flush(aligning->out, error) == 0) {
        status = TOLK_DONE;
    }
out:
    tolk_session_close(&session);
    return status;
}

static const char ABOUT[] =
    "Aligns the words of given pairs: the model reads each pair, and each target word is linked "
    "to\n"
    "the source word that its cross-attention looks at most. One line for each pair, `0-0 1-2 …`:\n"
    "source word, target word, from 0. Pairs are lines `source<TAB>target` of standard input or\n"
    "PAIRS.tsv, or two line-aligned files.\n";

int tolk_command_align(int argc, char **argv, FILE *out, FILE *log)
{
    struct tolk_settings settings = tolk_settings_default();
    struct aligning aligning = {.format.kind = TOLK_ALIGNMENT_HARD, .out = out};
    const char *alignment = "hard";
    bool skip_bad = false;
    const struct tolk_option options[] = {
        TOLK_OPTION_TEXT("alignment", 'a', "KIND", "hard, soft, or a threshold from 0 to 1 (hard)",
                         &alignment),
        TOLK_CHOICE_OPTIONS(&settings),
        TOLK_OPTION_FLAG("json", 0, "one JSON object a line", &aligning.json),
        TOLK_OPTION_FLAG("skip-bad", 0, "leave out and count what is no pair", &skip_bad),
        TOLK_THREAD_OPTIONS(&settings),
    };
    const struct tolk_command command = {"tolk align", "MODEL [PAIRS.tsv | SOURCE TARGET]", ABOUT,
                                         options, sizeof options / sizeof options[0]};
    struct tolk_error error;
    int first = 0;
    const int begun = tolk_command_begin(&command, 1, 3, argc, argv, &first, out, log);
    if (begun >= 0) {
        return begun;
    }
    if (tolk_alignment_format_parse(alignment, &aligning.format, &error) != 0) {
        return tolk_command_fail(&command, TOLK_WRONG_USAGE, &error, log);
    }
    tolk_settings_threads(&settings);
    struct tolk_pairs pairs = {0};
    if (tolk_command_pairs(argv + first + 1, argc - first - 1, skip_bad, &pairs, log, &error) !=
        0) {
        return tolk_command_fail(&command, TOLK_FAILED, &error, log);
    }
    const enum tolk_exit status = align_all(&settings, argv[first], &pairs, &aligning, log, &error);
    tolk_pairs_free(&pairs);
    return status == TOLK_DONE ? TOLK_DONE : tolk_command_fail(&command, status, &error, log);
}
