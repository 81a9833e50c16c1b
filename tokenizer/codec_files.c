#include "tokenizer/codec_files.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"

static const char *const tokenizer_files[TOLK_SIDES] = {"source.spm", "target.spm"};
static const char settings_file[] = "tokenizer_config.json";

/* Whether the tokenizer was loaded from a file with the same bytes; -1 when there is no file. */
static int is_of_file(const struct tolk_tokenizer *tokenizer, const char *path,
                      struct tolk_error *error)
{
    struct tolk_file file;
    size_t size;
    const unsigned char *const model = tolk_tokenizer_model(tokenizer, &size);
    if (tolk_file_map(&file, path, error) != 0) {
        return -1;
    }
    const int same = file.size == size && memcmp(file.bytes, model, size) == 0;
    tolk_file_unmap(&file);
    return same;
}

/* The tokenizer of a file: `known`, where that is of the same bytes, as for our models it is. */
static int load_tokenizer(struct tolk_tokenizer **tokenizer, struct tolk_tokenizer *known,
                          const char *folder, const char *name, struct tolk_error *error)
{
    char *const path = tolk_path_join(folder, name);
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder);
    }
    const int same = known == NULL ? 0 : is_of_file(known, path, error);
    if (same >= 0) {
        *tokenizer = same ? known : tolk_tokenizer_load_foreign(path, error);
    }
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

int tolk_codec_read_files(struct tolk_codec *codec, const char *folder, struct tolk_error *error)
{
    struct tolk_tokenizer **const of = codec->tokenizers;
    if (load_tokenizer(&of[TOLK_SOURCE], NULL, folder, tokenizer_files[TOLK_SOURCE], error) != 0 ||
        load_tokenizer(&of[TOLK_TARGET], of[TOLK_SOURCE], folder, tokenizer_files[TOLK_TARGET],
                       error) != 0) {
        return -1;
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
