#include "tests/support/tiny.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tokenizer/tokenizer.h"

static const char *const LINES[] = {
    "De kat zit op de mat.",
    "The cat is sitting on the mat.",
    "Het regent vandaag niet.",
    "It is not raining today.",
    "Ik lees een boek.",
    "I am reading a book.",
    "Waar is mijn fiets gebleven?",
    "Where has my bike gone?",
    "De hond slaapt in de tuin.",
    "The dog is sleeping in the garden.",
};
enum { LINE_COUNT = sizeof LINES / sizeof LINES[0], PIECES = 60, POSITIONS = 32 };

void tolk_test_tiny_model(struct tolk_model *model, size_t vocab_size, uint64_t seed)
{
    static const real LOUDER = 2;
    struct tolk_error error;
    struct tolk_config config = tolk_config_default(vocab_size);
    config.d_model = 16;
    config.encoder_layers = config.decoder_layers = 2;
    config.encoder_attention_heads = config.decoder_attention_heads = 2;
    config.encoder_ffn_dim = config.decoder_ffn_dim = 24;
    config.max_position_embeddings = POSITIONS;
    config.num_beams = 1;
    config.length_penalty = 1;
    ck_assert_msg(tolk_model_create(model, &config, seed, &error) == 0, "%s", error.message);
    for (size_t i = 0; i < model->layout.size; i++) {
        model->values[i] *= LOUDER;
    }
}

struct tolk_codec *tolk_test_tiny_codec(void)
{
    struct tolk_error error;
    const struct tolk_tokenizer_training training = {
        .kind = TOLK_UNIGRAM,
        .vocabulary_size = PIECES,
        .character_coverage = 1,
    };
    unsigned char *bytes = NULL;
    size_t size = 0;
    ck_assert_msg(tolk_tokenizer_train(&training, LINES, LINE_COUNT, &bytes, &size, &error) == 0,
                  "%s", error.message);
    struct tolk_codec *const codec = tolk_codec_new(bytes, size, &error);
    ck_assert_msg(codec != NULL, "%s", error.message);
    free(bytes);
    return codec;
}

char *tolk_test_tiny_folder(uint64_t seed)
{
    struct tolk_error error;
    struct tolk_model model;
    struct tolk_codec *const codec = tolk_test_tiny_codec();
    tolk_test_tiny_model(&model, tolk_codec_size(codec), seed);
    char *const folder = tolk_test_folder();
    const struct tolk_codec_description description = {"nl", "en", POSITIONS};
    ck_assert_msg(tolk_model_save(&model, model.values, folder, &error) == 0, "%s", error.message);
    ck_assert_msg(tolk_codec_save(codec, folder, &description, &error) == 0, "%s", error.message);
    tolk_codec_free(codec);
    tolk_model_free(&model);
    return folder;
}
