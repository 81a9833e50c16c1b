#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "tests/support/folder.h"

static char *folder;
static char path[4200];
static struct tolk_error error;

static void begin(void)
{
    folder = tolk_test_folder();
    snprintf(path, sizeof path, "%s/config.json", folder);
}

static int load(struct tolk_config *config, const char *text)
{
    tolk_test_write(path, text, strlen(text));
    return tolk_config_load(config, path, &error);
}

#define SIZES                                                                                      \
    "\"d_model\": 16, \"encoder_layers\": 1, \"decoder_layers\": 2, "                              \
    "\"encoder_attention_heads\": 2, \"decoder_attention_heads\": 4, \"encoder_ffn_dim\": 32, "    \
    "\"decoder_ffn_dim\": 64"
#define IDS                                                                                        \
    "\"vocab_size\": 40, \"pad_token_id\": 39, \"eos_token_id\": 0, \"decoder_start_token_id\": "  \
    "39"
#define MARIAN "\"model_type\": \"marian\""
#define PEGASUS "\"model_type\": \"pegasus\""

START_TEST(reads_what_it_wrote)
{
    struct tolk_config config = tolk_config_default(4000);
    struct tolk_config back;
    config.activation_function = TOLK_SWISH;
    config.normalize_before = false;
    config.attention_dropout = 1.0 / 8;
    config.length_penalty = 0.6;
    config.alignment_layer = 1;
    config.alignment_head_count = 2;
    config.alignment_heads[1] = 3;
    config.alignment_shift = true;
    begin();
    char *text = tolk_config_json(&config);
    ck_assert_int_eq(load(&back, text), 0);
    char *again = tolk_config_json(&back);
    ck_assert_str_eq(again, text);
    ck_assert_ptr_nonnull(strstr(text, "\"MarianMTModel\""));
    ck_assert_ptr_nonnull(strstr(text, "\"dropout\": 0.1,"));
    ck_assert(!back.normalize_before && back.scale_embedding);
    ck_assert_int_eq(back.activation_function, TOLK_SWISH);
    ck_assert_double_eq(back.length_penalty, 0.6);
    ck_assert_uint_eq(back.alignment_head_count, 2);
    ck_assert_uint_eq(back.alignment_heads[1], 3);
    ck_assert(back.alignment_shift);
    free(again);
    free(text);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(default_is_pre_norm_and_valid)
{
    const struct tolk_config config = tolk_config_default(4000);
    ck_assert_int_eq(tolk_config_check(&config, "default", &error), 0);
    ck_assert(config.normalize_before);
    ck_assert_int_eq(config.pad_token_id, 3999);
    char *text = tolk_config_json(&config);
    ck_assert_ptr_nonnull(strstr(text, "\"PegasusForConditionalGeneration\""));
    ck_assert_ptr_null(strstr(text, "alignment"));
    free(text);
    text = tolk_config_generation_json(&config);
    ck_assert_ptr_nonnull(strstr(text, "\"bad_words_ids\""));
    ck_assert_ptr_nonnull(strstr(text, "\"num_beams\": 4"));
    free(text);
}
END_TEST

START_TEST(takes_the_defaults_of_transformers)
{
    struct tolk_config config;
    begin();
    ck_assert_int_eq(load(&config, "{" PEGASUS "," SIZES "," IDS ", \"dropout\": null}"), 0);
    ck_assert(config.normalize_before && !config.scale_embedding);
    ck_assert_int_eq(config.activation_function, TOLK_GELU);
    ck_assert_uint_eq(config.max_position_embeddings, 1024);
    ck_assert_double_eq(config.dropout, 0.1);
    ck_assert_uint_eq(config.num_beams, 1);
    ck_assert_int_eq(config.alignment_layer, -1);
    tolk_test_folder_remove(folder);
}
END_TEST

/* The keys of a converted OPUS-MT model. */
START_TEST(reads_the_config_of_others)
{
    static const char opus[] =
        "{\"_name_or_path\": \"opus-mt\", \"activation_dropout\": 0.0, "
        "\"activation_function\": \"silu\", \"add_bias_logits\": false, "
        "\"add_final_layer_norm\": false, \"architectures\": [\"MarianMTModel\"], "
        "\"bad_words_ids\": [[39]], \"bos_token_id\": 0, \"decoder_vocab_size\": 40, "
        "\"decoder_layerdrop\": 0.0, \"forced_eos_token_id\": 0, \"id2label\": {\"0\": \"x\"}, "
        "\"is_encoder_decoder\": true, \"normalize_before\": false, "
        "\"normalize_embedding\": false, \"num_beams\": 6, \"scale_embedding\": true, "
        "\"share_encoder_decoder_embeddings\": true, \"static_position_embeddings\": true, "
        "\"dropout\": 0, " MARIAN "," SIZES "," IDS "}";
    struct tolk_config config;
    begin();
    ck_assert_msg(load(&config, opus) == 0, "%s", error.message);
    ck_assert_uint_eq(config.num_beams, 6);
    ck_assert_uint_eq(config.decoder_ffn_dim, 64);
    ck_assert_uint_eq(config.decoder_attention_heads, 4);
    ck_assert_int_eq(config.activation_function, TOLK_SWISH);
    ck_assert_int_eq(config.pad_token_id, 39);
    ck_assert_double_eq(config.dropout, 0);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(refuses_each_fault_with_its_own_message)
{
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        {"", ":1: expected JSON, found: "},
        {"{\n\"d_model\": ,\n}", ":2: expected JSON, found: "},
        {"{\"d_model\": 1, \"d_model\": 2}", ":1: expected JSON, found: duplicate"},
        {"[]", "expected a JSON object"},
        {"{" SIZES "," IDS "}", "model_type: expected pegasus or marian, found nothing"},
        {"{\"model_type\": \"bart\"}", "model_type: expected pegasus or marian, found \"bart\""},
        {"{" MARIAN ", \"architectures\": [\"MarianModel\"]}",
         "architectures: expected MarianMTModel, found [\"MarianModel\"]"},
        {"{" PEGASUS ", \"architectures\": []}",
         "architectures: expected PegasusForConditionalGeneration, found []"},
        {"{" MARIAN "," IDS "}", "d_model: the key is missing"},
        {"{" MARIAN "," SIZES "}", "vocab_size: the key is missing"},
        {"{" MARIAN "," SIZES ", \"vocab_size\": null}", "vocab_size: the key is missing"},
        {"{" MARIAN ", \"d_model\": 16.0}", "d_model: expected an integer from 0 to 2147483647, "},
        {"{" MARIAN ", \"d_model\": -16}", "d_model: expected an integer from 0 to 2147483647, "},
        {"{" MARIAN ", \"d_model\": \"16\"}", "found \"16\""},
        {"{" MARIAN "," SIZES "," IDS ", \"dropout\": true}",
         "dropout: expected a number, found true"},
        {"{" MARIAN "," SIZES "," IDS ", \"dropout\": 1}", "dropout: expected 0 to 0.99, found 1"},
        {"{" MARIAN "," SIZES "," IDS ", \"scale_embedding\": 1}",
         "scale_embedding: expected true or false, found 1"},
        {"{" MARIAN "," SIZES "," IDS ", \"activation_function\": \"tanh\"}",
         "activation_function: expected relu, swish, silu or gelu, found \"tanh\""},
        {"{" MARIAN "," SIZES "," IDS ", \"max_position_embeddings\": 100000000}",
         "max_position_embeddings: expected 1 to 65536, found 100000000"},
        {"{" MARIAN "," SIZES "," IDS ", \"tie_word_embeddings\": false}",
         "tie_word_embeddings: expected true, found false"},
        {"{" MARIAN "," SIZES "," IDS ", \"share_encoder_decoder_embeddings\": false}",
         "share_encoder_decoder_embeddings: expected true, found false"},
        {"{" MARIAN "," SIZES "," IDS ", \"static_position_embeddings\": false}",
         "static_position_embeddings: expected true, found false"},
        {"{" MARIAN "," SIZES "," IDS ", \"normalize_embedding\": true}",
         "normalize_embedding: expected false, found true"},
        {"{" MARIAN "," SIZES "," IDS ", \"normalize_before\": true}",
         "normalize_before: expected false, found true"},
        {"{" PEGASUS "," SIZES "," IDS ", \"normalize_before\": false}",
         "normalize_before: expected true, found false"},
        {"{" PEGASUS "," SIZES "," IDS ", \"add_final_layer_norm\": false}",
         "add_final_layer_norm: expected true, found false"},
        {"{" MARIAN "," SIZES "," IDS ", \"decoder_vocab_size\": 41}",
         "decoder_vocab_size: expected the same as vocab_size, found 41"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_layer\": 2}",
         "alignment_layer: expected one below decoder_layers 2, found 2"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_layer\": 1}",
         "alignment_heads: expected heads of the alignment_layer 1, found none"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_layer\": 1, \"alignment_heads\": [4]}",
         "alignment_heads: expected heads below decoder_attention_heads 4, found 4"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_heads\": [-1]}",
         "alignment_heads: expected numbers of heads, found [-1]"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_heads\": 1}",
         "alignment_heads: expected a list of at most 64 heads, found 1"},
        {"{" MARIAN "," SIZES "," IDS ", \"alignment_shift\": 1}",
         "alignment_shift: expected true or false, found 1"},
    };
    struct tolk_config config;
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(load(&config, bad[i].text) == -1, "accepted %s", bad[i].text);
        ck_assert_msg(strstr(error.message, bad[i].message) != NULL,
                      "%s: expected '%s', found '%s'", bad[i].text, bad[i].message, error.message);
        ck_assert_msg(strncmp(error.message, path, strlen(path)) == 0, "%s", error.message);
    }
    tolk_test_folder_remove(folder);
    ck_assert_int_eq(tolk_config_load(&config, "missing/config.json", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "missing/config.json: cannot open: "));
}
END_TEST

static void check_refused(struct tolk_config config, const char *message)
{
    ck_assert_int_eq(tolk_config_check(&config, "it", &error), -1);
    ck_assert_str_eq(error.message, message);
}

START_TEST(checks_values_against_each_other)
{
    struct tolk_config config = tolk_config_default(40);
    config.d_model = 255;
    check_refused(config, "it: d_model: expected an even number (the positions' sines and cosines "
                          "are its halves), found 255");
    config = tolk_config_default(40);
    config.encoder_attention_heads = 3;
    check_refused(config,
                  "it: encoder_attention_heads: expected a divisor of d_model 256, found 3");
    config = tolk_config_default(40);
    config.decoder_attention_heads = 0;
    check_refused(config, "it: decoder_attention_heads: expected 1 to 64, found 0");
    config = tolk_config_default(40);
    config.decoder_layers = TOLK_MAX_LAYERS + 1;
    check_refused(config, "it: decoder_layers: expected 1 to 64, found 65");
    config = tolk_config_default(40);
    config.pad_token_id = 40;
    check_refused(config, "it: pad_token_id: expected an id below vocab_size 40, found 40");
    config = tolk_config_default(40);
    config.eos_token_id = -1;
    check_refused(config, "it: eos_token_id: expected 0 to 2147483647, found -1");
    config = tolk_config_default(40);
    config.decoder_start_token_id = 41;
    check_refused(config, "it: decoder_start_token_id: expected an id below vocab_size 40, found "
                          "41");
    config = tolk_config_default(40);
    config.pad_token_id = config.eos_token_id;
    check_refused(config, "it: pad_token_id: expected another than eos_token_id 0");
}
END_TEST

TOLK_SUITE("config", reads_what_it_wrote, default_is_pre_norm_and_valid,
           takes_the_defaults_of_transformers, reads_the_config_of_others,
           refuses_each_fault_with_its_own_message, checks_values_against_each_other)
