#include "model/config_fields.h"

enum { MAX_WIDTH = 1 << 16, MAX_POSITIONS = 1 << 16, MAX_BEAMS = 256 };
#define MAX_RATE 0.99
#define MAX_LENGTH_PENALTY 10.0

#define AT(member) offsetof(struct tolk_config, member)
const struct tolk_field tolk_fields[] = {
    {"d_model", TOLK_FIELD_SIZE, AT(d_model), 2, MAX_WIDTH, true},
    {"encoder_layers", TOLK_FIELD_SIZE, AT(encoder_layers), 1, TOLK_MAX_LAYERS, true},
    {"decoder_layers", TOLK_FIELD_SIZE, AT(decoder_layers), 1, TOLK_MAX_LAYERS, true},
    {"encoder_attention_heads", TOLK_FIELD_SIZE, AT(encoder_attention_heads), 1, TOLK_MAX_HEADS,
     true},
    {"decoder_attention_heads", TOLK_FIELD_SIZE, AT(decoder_attention_heads), 1, TOLK_MAX_HEADS,
     true},
    {"encoder_ffn_dim", TOLK_FIELD_SIZE, AT(encoder_ffn_dim), 1, MAX_WIDTH, true},
    {"decoder_ffn_dim", TOLK_FIELD_SIZE, AT(decoder_ffn_dim), 1, MAX_WIDTH, true},
    {"activation_function", TOLK_FIELD_ACTIVATION, AT(activation_function), 0, 0, false},
    {"vocab_size", TOLK_FIELD_SIZE, AT(vocab_size), 2, INT32_MAX, true},
    {"max_position_embeddings", TOLK_FIELD_SIZE, AT(max_position_embeddings), 1, MAX_POSITIONS,
     false},
    {"scale_embedding", TOLK_FIELD_FLAG, AT(scale_embedding), 0, 1, false},
    {"dropout", TOLK_FIELD_NUMBER, AT(dropout), 0, MAX_RATE, false},
    {"attention_dropout", TOLK_FIELD_NUMBER, AT(attention_dropout), 0, MAX_RATE, false},
    {"activation_dropout", TOLK_FIELD_NUMBER, AT(activation_dropout), 0, MAX_RATE, false},
    {"pad_token_id", TOLK_FIELD_ID, AT(pad_token_id), 0, INT32_MAX, true},
    {"eos_token_id", TOLK_FIELD_ID, AT(eos_token_id), 0, INT32_MAX, true},
    {"decoder_start_token_id", TOLK_FIELD_ID, AT(decoder_start_token_id), 0, INT32_MAX, true},
    {"num_beams", TOLK_FIELD_SIZE, AT(num_beams), 1, MAX_BEAMS, false},
    {"length_penalty", TOLK_FIELD_NUMBER, AT(length_penalty), -MAX_LENGTH_PENALTY,
     MAX_LENGTH_PENALTY, false},
    {"alignment_layer", TOLK_FIELD_LAYER, AT(alignment_layer), -1, TOLK_MAX_LAYERS - 1, false},
};
#undef AT
const size_t tolk_field_count = sizeof tolk_fields / sizeof tolk_fields[0];

const struct tolk_activation_name tolk_activation_names[] = {
    {"relu", TOLK_RELU}, {"swish", TOLK_SWISH}, {"silu", TOLK_SWISH}, {"gelu", TOLK_GELU}};
const size_t tolk_activation_name_count =
    sizeof tolk_activation_names / sizeof tolk_activation_names[0];

const struct tolk_layout_name tolk_layout_names[] = {
    {"pegasus", "PegasusForConditionalGeneration", true}, {"marian", "MarianMTModel", false}};
const size_t tolk_layout_name_count = sizeof tolk_layout_names / sizeof tolk_layout_names[0];

const struct tolk_fixed_flag tolk_fixed_flags[] = {{"is_encoder_decoder", true},
                                                   {"share_encoder_decoder_embeddings", true},
                                                   {"tie_word_embeddings", true},
                                                   {"static_position_embeddings", true},
                                                   {"normalize_embedding", false}};
const size_t tolk_fixed_flag_count = sizeof tolk_fixed_flags / sizeof tolk_fixed_flags[0];
