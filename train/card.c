#include "train/card.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "infer/bleu.h"
#include "infer/chrf.h"

/* A text as a JSON string, which YAML reads too: it cannot end the front matter. */
static void put_quoted(FILE *card, const char *text)
{
    fputc('"', card);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', card);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, card);
    }
    fputc('"', card);
}

static void put_front_matter(FILE *card, const struct tolk_training_options *options)
{
    fputs("---\nlibrary_name: transformers\npipeline_tag: translation\ntags: [translation, tolk]\n",
          card);
    if (options->source_language != NULL || options->target_language != NULL) {
        fputs("language:\n", card);
        const char *const languages[] = {options->source_language, options->target_language};
        for (size_t i = 0; i < 2; i++) {
            if (languages[i] != NULL) {
                fputs("- ", card);
                put_quoted(card, languages[i]);
                fputc('\n', card);
            }
        }
    }
    if (options->licence != NULL) {
        fputs("license: ", card);
        put_quoted(card, options->licence);
        fputc('\n', card);
    }
    fputs("---\n\n", card);
}

static void put_text(FILE *card, const struct tolk_training_options *options,
                     const struct tolk_training_corpus *corpus, const struct tolk_config *config,
                     size_t parameters, const struct tolk_cursor *cursor, size_t translated)
{
    const char *source = options->source_language != NULL ? options->source_language : "source";
    const char *target = options->target_language != NULL ? options->target_language : "target";
    fprintf(card,
            "# %s → %s, trained with tolk\n\n"
            "A %s Transformer encoder–decoder: %zu + %zu layers, d_model %zu, %zu heads, "
            "feed-forward %zu, joint vocabulary %zu, %.3g million parameters. The directory is the "
            "%s layout of Hugging Face `transformers`.\n\n",
            source, target, config->normalize_before ? "pre-norm" : "post-norm",
            config->encoder_layers, config->decoder_layers, config->d_model,
            config->encoder_attention_heads, config->encoder_ffn_dim, config->vocab_size,
            (double)parameters / 1e6, config->normalize_before ? "Pegasus" : "MarianMT");
    fprintf(card, "## Data\n\n%zu sentence pairs, validated on %zu.%s%s\n\n", corpus->train.count,
            corpus->dev.count, options->data_note != NULL ? " " : "",
            options->data_note != NULL ? options->data_note : "");
    fprintf(card, "## Licence\n\n%s\n\n",
            options->licence != NULL ? options->licence : "Not stated; that of the data applies.");
    fprintf(card,
            "## Scores\n\nMoving average of the weights after %lld updates (%.1f minutes), on the "
            "validation pairs; BLEU and chrF over the first %zu, greedy.\n\n"
            "| loss | perplexity | BLEU | chrF |\n| --- | --- | --- | --- |\n"
            "| %.4f | %.2f | %.2f | %.2f |\n\n`%s`  \n`%s`\n",
            (long long)cursor->best_update, cursor->seconds / 60, translated, cursor->best_loss,
            exp(cursor->best_loss), cursor->best_bleu, cursor->best_chrf, TOLK_BLEU_SIGNATURE,
            TOLK_CHRF_SIGNATURE);
}

int tolk_card_write(const char *path, const struct tolk_training_options *options,
                    const struct tolk_training_corpus *corpus, const struct tolk_config *config,
                    size_t parameters, const struct tolk_cursor *cursor, size_t translated,
                    struct tolk_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *card = open_memstream(&text, &size);
    if (card == NULL) {
        return tolk_error_errno(error, "%s: cannot write", path);
    }
    put_front_matter(card, options);
    put_text(card, options, corpus, config, parameters, cursor, translated);
    int result = fclose(card) != 0 ? tolk_error_errno(error, "%s: cannot write", path) : 0;
    if (result == 0) {
        result = tolk_file_write_atomic(path, text, size, error);
    }
    free(text);
    return result;
}
