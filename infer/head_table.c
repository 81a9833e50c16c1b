#include "infer/head_table.h"

#include <stdlib.h>

/* Where a word is read. */
enum { OUTPUT, INPUT, STEPS };

static size_t place_of(const struct tolk_head_table *table, size_t step, size_t layer, size_t head)
{
    return (step * table->layers + layer) * (table->heads + 1) + head;
}

int tolk_head_table_make(struct tolk_head_table *table, const struct tolk_config *config,
                         struct tolk_error *error)
{
    const size_t layers = tolk_attention_layers(config, TOLK_CROSS);
    const size_t heads = tolk_attention_heads(config, TOLK_CROSS);
    const size_t count = STEPS * layers * (heads + 1);
    *table = (struct tolk_head_table){
        .layers = layers,
        .heads = heads,
        .views = calloc(count, sizeof *table->views),
        .aer = calloc(count, sizeof *table->aer),
        .count = count,
    };
    if (table->views == NULL || table->aer == NULL) {
        tolk_head_table_free(table);
        return tolk_error_set(error, "out of memory for a table of heads");
    }
    for (size_t i = 0; i < count; i++) {
        const size_t head = i % (heads + 1);
        const size_t layer = i / (heads + 1) % layers;
        struct tolk_attention_choice *const choice = &table->views[i].choice;
        table->views[i].kind = TOLK_CROSS;
        *choice = tolk_attention_choice_layer(config, layer);
        if (head < heads) {
            choice->head_count = 1;
            choice->heads[0] = head;
        }
        choice->shift = i / (heads + 1) / layers == INPUT;
    }
    return 0;
}

void tolk_head_table_free(struct tolk_head_table *table)
{
    free(table->views);
    free(table->aer);
    *table = (struct tolk_head_table){0};
}

int tolk_head_table_add(struct tolk_head_table *table, const struct tolk_word_attention *attentions,
                        const struct tolk_links *gold, struct tolk_error *error)
{
    for (size_t i = 0; i < table->count; i++) {
        struct tolk_links links = {0};
        const int status = tolk_word_attention_hard(&attentions[i], &links);
        if (status == 0) {
            tolk_aer_add(&table->aer[i], &links, gold);
        }
        tolk_links_free(&links);
        if (status != 0) {
            return tolk_error_set(error, "out of memory for the links of the heads");
        }
    }
    return 0;
}

static size_t find_best(const struct tolk_head_table *table)
{
    size_t best = 0;
    for (size_t i = 1; i < table->count; i++) {
        best = tolk_aer_rate(&table->aer[i]) < tolk_aer_rate(&table->aer[best]) ? i : best;
    }
    return best;
}

void tolk_head_table_print(const struct tolk_head_table *table, FILE *out)
{
    static const char *const titles[STEPS] = {
        [OUTPUT] = "AER of every head, a word read where it is the decoder's output",
        [INPUT] = "and where it is its input (--shift)",
    };
    const size_t best = find_best(table);
    for (size_t step = 0; step < STEPS; step++) {
        fprintf(out, "\n%s\n        ", titles[step]);
        for (size_t head = 0; head < table->heads; head++) {
            fprintf(out, "  head %-2zu", head);
        }
        fputs("  mean\n", out);
        for (size_t layer = 0; layer < table->layers; layer++) {
            fprintf(out, "layer %-2zu", layer);
            for (size_t head = 0; head <= table->heads; head++) {
                const size_t at = place_of(table, step, layer, head);
                fprintf(out, "  %.4f%c", tolk_aer_rate(&table->aer[at]), at == best ? '*' : ' ');
            }
            fputc('\n', out);
        }
    }
}

json_t *tolk_head_table_json(const struct tolk_head_table *table)
{
    json_t *const rows = json_array();
    for (size_t i = 0; i < table->count; i++) {
        const struct tolk_attention_choice *const choice = &table->views[i].choice;
        json_t *const heads = json_array();
        for (size_t h = 0; h < choice->head_count; h++) {
            json_array_append_new(heads, json_integer((json_int_t)choice->heads[h]));
        }
        json_t *const row = json_pack(
            "{s:I, s:o, s:b, s:f, s:f, s:f}", "layer", (json_int_t)choice->layer, "heads", heads,
            "shift", choice->shift, "aer", tolk_aer_rate(&table->aer[i]), "precision",
            tolk_aer_precision(&table->aer[i]), "recall", tolk_aer_recall(&table->aer[i]));
        if (json_array_append_new(rows, row) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}
