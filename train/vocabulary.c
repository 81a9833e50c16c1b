#include "train/vocabulary.h"

#include <stdlib.h>

#include "tokenizer/tokenizer.h"

enum {
    USUAL_SIZE = 4000,
    LEAST_SIZE = 16, /* below, a corpus is no corpus */
};

/* By this factor the size shrinks until the corpus is large enough for it. */
static const double SHRINKING = 0.8;

/* Both sides of the pairs, source first; they belong to the pairs. */
static const char **both_sides(const struct tolk_pairs *pairs)
{
    const char **sentences = calloc(2 * pairs->count + 1, sizeof *sentences);
    for (size_t i = 0; sentences != NULL && i < pairs->count; i++) {
        sentences[i] = pairs->items[i].source;
        sentences[pairs->count + i] = pairs->items[i].target;
    }
    return sentences;
}

struct tolk_codec *tolk_training_vocabulary(const struct tolk_training_options *options,
                                            const struct tolk_pairs *pairs,
                                            struct tolk_progress *progress,
                                            struct tolk_error *error)
{
    struct tolk_codec *codec = NULL;
    unsigned char *model = NULL;
    size_t size = 0;
    const bool given = options->vocab_size > 0;
    struct tolk_tokenizer_training training = {
        .kind = (enum tolk_tokenizer_kind)options->tokenizer,
        .vocabulary_size = given ? options->vocab_size : USUAL_SIZE,
        .character_coverage = options->character_coverage,
    };
    const char **sentences = both_sides(pairs);
    if (sentences == NULL) {
        tolk_error_set(error, "out of memory for the sentences of %zu pairs", pairs->count);
        return NULL;
    }
    int failed = tolk_tokenizer_train(&training, sentences, 2 * pairs->count, &model, &size, error);
    while (failed != 0 && !given && training.vocabulary_size > LEAST_SIZE) {
        training.vocabulary_size = (size_t)(SHRINKING * (double)training.vocabulary_size);
        failed = tolk_tokenizer_train(&training, sentences, 2 * pairs->count, &model, &size, error);
    }
    if (failed == 0) {
        codec = tolk_codec_new(model, size, error);
    }
    if (codec != NULL) {
        tolk_progress_note(progress, "vocabulary: %zu pieces%s", training.vocabulary_size,
                           given || training.vocabulary_size == USUAL_SIZE
                               ? ""
                               : ", for the corpus is small (--vocab-size sets it)");
    }
    free(model);
    free(sentences);
    return codec;
}

struct tolk_config tolk_training_config(const struct tolk_training_options *options,
                                        const struct tolk_codec *codec)
{
    const struct tolk_training_options *o = options;
    struct tolk_config config = tolk_config_default(tolk_codec_size(codec));
    config.d_model = o->d_model;
    config.encoder_attention_heads = config.decoder_attention_heads = o->heads;
    config.encoder_ffn_dim = config.decoder_ffn_dim = o->ffn;
    config.encoder_layers = o->encoder_layers;
    config.decoder_layers = o->decoder_layers;
    config.normalize_before = !o->post_norm;
    config.activation_function = (enum tolk_activation)o->activation;
    config.dropout = o->dropout;
    config.attention_dropout = o->attention_dropout;
    config.activation_dropout = o->activation_dropout;
    config.pad_token_id = tolk_codec_pad(codec);
    config.decoder_start_token_id = tolk_codec_pad(codec);
    config.eos_token_id = tolk_codec_eos(codec);
    if (o->guided_alignment != NULL) {
        config.alignment_layer = (int)o->guided_layer;
        config.alignment_head_count = 1;
        config.alignment_heads[0] = o->guided_head;
        config.alignment_shift = o->guided_step == TOLK_GUIDED_STEP_INPUT;
    }
    if (config.max_position_embeddings < o->max_length) {
        config.max_position_embeddings = o->max_length;
    }
    return config;
}
