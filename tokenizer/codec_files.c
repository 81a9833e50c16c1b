#include "tokenizer/codec_files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"

static const char *const tokenizer_files[TOLK_SIDES] = {"source.spm", "target.spm"};
static const char settings_file[] = "tokenizer_config.json";

static int load_tokenizer(struct tolk_tokenizer **tokenizer, const char *folder, const char *name,
                          struct tolk_error *error)
{
    char *const path = tolk_path_join(folder, name);
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder);
    }
    *tokenizer = tolk_tokenizer_load_foreign(path, error);
    free(path);
    return *tokenizer == NULL ? -1 : 0;
}

static int load_vocabulary(struct tolk_vocabulary **vocabulary, const char *folder,
                           struct tolk_error *error)
{
    char *const path = tolk_path_join(folder, TOLK_VOCABULARY_FILE);
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder);
    }
    *vocabulary = tolk_vocabulary_load(path, error);
    free(path);
    return *vocabulary == NULL ? -1 : 0;
}

static bool same_model(const struct tolk_tokenizer *a, const struct tolk_tokenizer *b)
{
    size_t size_a, size_b;
    const unsigned char *const bytes_a = tolk_tokenizer_model(a, &size_a);
    const unsigned char *const bytes_b = tolk_tokenizer_model(b, &size_b);
    return size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
}

int tolk_codec_read_files(struct tolk_codec *codec, const char *folder, struct tolk_error *error)
{
    for (size_t side = 0; side < TOLK_SIDES; side++) {
        if (load_tokenizer(&codec->tokenizers[side], folder, tokenizer_files[side], error) != 0) {
            return -1;
        }
    }
    if (same_model(codec->tokenizers[TOLK_SOURCE], codec->tokenizers[TOLK_TARGET])) {
        tolk_tokenizer_free(codec->tokenizers[TOLK_TARGET]);
        codec->tokenizers[TOLK_TARGET] = codec->tokenizers[TOLK_SOURCE];
    }
    return load_vocabulary(&codec->vocabulary, folder, error);
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int write_file(const char *folder, const char *name, const void *bytes, size_t size,
                      struct tolk_error *error)
{
    char *const path = tolk_path_join(folder, name);
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder);
    }
    const int status = tolk_file_write_atomic(path, bytes, size, error);
    free(path);
    return status;
}

static int write_vocabulary(const struct tolk_codec *codec, const char *folder,
                            struct tolk_error *error)
{
    char *const path = tolk_path_join(folder, TOLK_VOCABULARY_FILE);
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder);
    }
    const int status = tolk_vocabulary_save(codec->vocabulary, path, error);
    free(path);
    return status;
}

/* tokenizer_config.json, by which `transformers` knows which tokenizer reads the other files. */
static int write_settings(const struct tolk_codec_description *description, const char *folder,
                          struct tolk_error *error)
{
    json_t *const settings = json_pack(
        "{s:s, s:s?, s:s?, s:s, s:s, s:s, s:I, s:b, s:b}", "tokenizer_class", "MarianTokenizer",
        "source_lang", description->source_language, "target_lang", description->target_language,
        "eos_token", TOLK_EOS_PIECE, "unk_token", TOLK_UNK_PIECE, "pad_token", TOLK_PAD_PIECE,
        "model_max_length", (json_int_t)description->max_length, "separate_vocabs", 0,
        "clean_up_tokenization_spaces", 0);
    char *const text = settings == NULL ? NULL : json_dumps(settings, JSON_INDENT(2));
    json_decref(settings);
    if (text == NULL) {
        return tolk_error_set(error, "%s/%s: a language that is not UTF-8, or out of memory",
                              folder, settings_file);
    }
    const int status = write_file(folder, settings_file, text, strlen(text), error);
    free(text);
    return status;
}

int tolk_codec_save(const struct tolk_codec *codec, const char *folder,
                    const struct tolk_codec_description *description, struct tolk_error *error)
{
    for (size_t side = 0; side < TOLK_SIDES; side++) {
        size_t size;
        const unsigned char *const model = tolk_tokenizer_model(codec->tokenizers[side], &size);
        if (write_file(folder, tokenizer_files[side], model, size, error) != 0) {
            return -1;
        }
    }
    if (write_vocabulary(codec, folder, error) != 0) {
        return -1;
    }
    return write_settings(description, folder, error);
}
