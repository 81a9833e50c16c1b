#include "infer/page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "infer/page_files.h"

/* Digits of a number that is no table: enough for a float. */
enum { DIGITS = 7 };
enum { MOST_SPANS = 32 };

/* Text in which every '<' is \u003c: nothing in it can end the element that it stands in. In JSON a
 * '<' is always inside a string. */
static char *escape(const char *json)
{
    static const char ESCAPED[] = "\\u003c";
    size_t found = 0;
    for (const char *at = json; (at = strchr(at, '<')) != NULL; at++) {
        found++;
    }
    char *const text = malloc(strlen(json) + found * (sizeof ESCAPED - 2) + 1);
    if (text == NULL) {
        return NULL;
    }
    char *to = text;
    for (; *json != '\0'; json++) {
        if (*json == '<') {
            memcpy(to, ESCAPED, sizeof ESCAPED - 1);
            to += sizeof ESCAPED - 1;
        } else {
            *to++ = *json;
        }
    }
    *to = '\0';
    return text;
}

struct spans {
    struct tolk_span items[MOST_SPANS];
    size_t count;
};

static void add(struct spans *spans, const char *text, size_t size)
{
    assert(spans->count < MOST_SPANS);
    spans->items[spans->count++] = (struct tolk_span){text, size};
}

/* The template up to a mark; what follows it. */
static const char *add_up_to(struct spans *spans, const char *template, const char *mark)
{
    const char *const at = strstr(template, mark);
    assert(at != NULL);
    add(spans, template, (size_t)(at - template));
    return at + strlen(mark);
}

/* A number for each kind of attention. */
static json_t *of_kinds(size_t encoder, size_t decoder)
{
    return json_pack("{s:I, s:I, s:I}", "encoder", (json_int_t)encoder, "decoder",
                     (json_int_t)decoder, "cross", (json_int_t)decoder);
}

/* [[layer, head], …]: those of the choice, else all. */
static json_t *posterior_heads(const struct tolk_page_model *about)
{
    const struct tolk_config *const config = about->config;
    json_t *const list = json_array();
    for (size_t l = 0; l < config->decoder_layers; l++) {
        for (size_t h = 0; h < config->decoder_attention_heads; h++) {
            if (!about->choice->posterior || tolk_head_set_has(&about->choice->set, l, h)) {
                json_array_append_new(list, json_pack("[I, I]", (json_int_t)l, (json_int_t)h));
            }
        }
    }
    return list;
}

json_t *tolk_page_json(const struct tolk_page_model *about)
{
    const struct tolk_config *const config = about->config;
    json_t *const model = json_object();
    json_t *const heads = json_array();
    json_object_set_new(model, "name", json_string(about->name));
    json_object_set_new(model, "layers", of_kinds(config->encoder_layers, config->decoder_layers));
    json_object_set_new(model, "heads",
                        of_kinds(config->encoder_attention_heads, config->decoder_attention_heads));
    json_object_set_new(model, "d_model", json_integer((json_int_t)config->d_model));
    json_object_set_new(model, "vocab_size", json_integer((json_int_t)config->vocab_size));
    json_object_set_new(model, "eos", json_integer(config->eos_token_id));
    for (size_t i = 0; i < about->choice->head_count; i++) {
        json_array_append_new(heads, json_integer((json_int_t)about->choice->heads[i]));
    }
    return json_pack("{s:o, s:{s:I, s:o, s:b, s:b, s:o}, s:[]}", "model", model, "alignment",
                     "layer", (json_int_t)about->choice->layer, "heads", heads, "shift",
                     (int)about->choice->shift, "posterior", (int)about->choice->posterior,
                     "posterior_heads", posterior_heads(about), "pairs");
}

int tolk_page_write(const char *path, json_t *data, struct tolk_error *error)
{
    char *const json = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    json_decref(data);
    char *const text = json == NULL ? NULL : escape(json);
    free(json);
    if (text == NULL) {
        return tolk_error_set(error, "out of memory for the page");
    }
    struct spans spans = {.count = 0};
    const char *rest = add_up_to(&spans, tolk_page_html, "{{style}}");
    add(&spans, tolk_page_css, strlen(tolk_page_css));
    rest = add_up_to(&spans, rest, "{{data}}");
    add(&spans, text, strlen(text));
    rest = add_up_to(&spans, rest, "{{script}}");
    for (size_t i = 0; tolk_page_scripts[i] != NULL; i++) {
        add(&spans, tolk_page_scripts[i], strlen(tolk_page_scripts[i]));
    }
    add(&spans, rest, strlen(rest));
    const int status = tolk_file_write_spans_atomic(path, spans.items, spans.count, error);
    free(text);
    return status;
}
