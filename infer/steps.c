#include "infer/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/labels.h"

/* Numbers shown of each vector, and the columns that a row's name and a number take. */
enum { SHOWN = 4, NAME_WIDTH = 13, NUMBER_WIDTH = 9, BAR_WIDTH = 16, NAME_ROOM = 32 };

struct walk {
    const struct tolk_steps *steps;
    const struct tolk_terminal *terminal;
    FILE *out;
    struct tolk_attention_head head;
    struct tolk_labels inputs;  /* what the side that looks reads, row by row */
    struct tolk_labels outputs; /* what it writes; of the encoder the same */
    struct tolk_labels keys;    /* what it looks at */
    const real *q;              /* [d_k] of the row */
    const real *weights;        /* [visible] */
    size_t visible;             /* keys that the row sees */
    size_t best;                /* the key with the greatest weight */
    size_t d;                   /* d_model */
    double *scores;             /* [visible]: q·k / √d_k */
    double greatest;            /* of them */
};

/* A sign of the paper, or its name. */
static const char *sign(const struct walk *walk, const char *unicode, const char *ascii)
{
    return walk->terminal->ascii ? ascii : unicode;
}

static const char *root(const struct walk *walk)
{
    return sign(walk, "√", "sqrt ");
}

static size_t shown_of(size_t size)
{
    return size < SHOWN ? size : SHOWN;
}

/* The name of a row: what it is, and of which piece. */
static void print_name(const struct walk *walk, const char *name, const struct tolk_label *label)
{
    const size_t before = tolk_text_width(name, strlen(name));
    fprintf(walk->out, "  %s", name);
    if (label != NULL) {
        tolk_label_print_padded(label, NAME_WIDTH - before, walk->terminal->ascii, walk->out);
    } else {
        fprintf(walk->out, "%*s", (int)(NAME_WIDTH - before), "");
    }
}

static void print_number(const struct walk *walk, double number)
{
    fprintf(walk->out, "%*.4f", NUMBER_WIDTH, number);
}

static void print_numbers(const struct walk *walk, const real *vector, size_t size)
{
    for (size_t i = 0; i < shown_of(size); i++) {
        print_number(walk, (double)vector[i]);
    }
}

static void end_vector(const struct walk *walk, size_t size)
{
    if (size > SHOWN) {
        fprintf(walk->out, "  (+%zu)", size - SHOWN);
    }
    fputc('\n', walk->out);
}

static void print_vector(const struct walk *walk, const char *name, const struct tolk_label *label,
                         const real *vector, size_t size)
{
    print_name(walk, name, label);
    print_numbers(walk, vector, size);
    end_vector(walk, size);
}

/* Σ a_i b_i over i ≥ first */
static double product_from(const real *a, const real *b, size_t first, size_t size)
{
    double sum = 0;
    for (size_t i = first; i < size; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

/* "  name  x1  x2 …" above columns of numbers. */
static void print_heads(const struct walk *walk, const char *letter, size_t size)
{
    static const char *const below[] = {"₁", "₂", "₃", "₄"};
    for (size_t i = 0; i < shown_of(size); i++) {
        if (walk->terminal->ascii) {
            fprintf(walk->out, "%*s%zu", NUMBER_WIDTH - 1, letter, i + 1);
        } else {
            fprintf(walk->out, "%*s%s", NUMBER_WIDTH - 1, letter, below[i]);
        }
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_quoted(const struct walk *walk, const struct tolk_label *label)
{
    fputc('"', walk->out);
    tolk_label_print(label, label->width, walk->terminal->ascii, walk->out);
    fputc('"', walk->out);
}

static void print_beginning(const struct walk *walk)
{
    const struct tolk_steps *const steps = walk->steps;
    const bool encoder = steps->kind == TOLK_ENCODER_SELF;
    fprintf(walk->out, "%s, %s layer %zu, head %zu (both counted from 0).\n",
            steps->kind == TOLK_CROSS ? "Cross-attention" : "Self-attention",
            encoder ? "encoder" : "decoder", steps->layer, steps->head);
    fprintf(walk->out, "d = %zu numbers for each piece, %zu head%s: d_k = %zu / %zu = %zu.\n",
            walk->d, walk->d / walk->head.dim, plural(walk->d / walk->head.dim), walk->d,
            walk->d / walk->head.dim, walk->head.dim);
    if (encoder) {
        fputs("It looks from the piece ", walk->out);
        print_quoted(walk, &walk->inputs.items[steps->row]);
    } else {
        fputs("The decoder has just read ", walk->out);
        print_quoted(walk, &walk->inputs.items[steps->row]);
        fputs(" and is about to write ", walk->out);
        print_quoted(walk, &walk->outputs.items[steps->row]);
    }
    fprintf(walk->out,
            ".\nOf each vector the first numbers are shown, (+%zu) tells that %zu follow.\n",
            walk->d - shown_of(walk->d), walk->d - shown_of(walk->d));
}

static void print_embedding(const struct walk *walk, const struct tolk_label *label,
                            struct tolk_embedded_row row, size_t position)
{
    char name[NAME_ROOM];
    print_name(walk, "E ", label);
    /* √d makes some ten times more of it, so it has a digit more. */
    for (size_t i = 0; i < shown_of(walk->d); i++) {
        fprintf(walk->out, "%*.5f", NUMBER_WIDTH, (double)row.token[i]);
    }
    end_vector(walk, walk->d);
    snprintf(name, sizeof name, "PE(%zu)", position);
    print_vector(walk, name, NULL, row.position, walk->d);
    print_vector(walk, "x", NULL, row.x, walk->d);
}

static struct tolk_embedded_row embedded(const struct walk *walk, bool source, size_t row)
{
    return source ? tolk_inspection_source(walk->steps->inspection, row)
                  : tolk_inspection_target(walk->steps->inspection, row);
}

static void print_embeddings(const struct walk *walk)
{
    const size_t row = walk->steps->row;
    const enum tolk_attention_kind kind = walk->steps->kind;
    const struct tolk_embedded_row query = embedded(walk, kind == TOLK_ENCODER_SELF, row);
    if (query.scale == 1) {
        fputs("\nEmbedding and position: x = E[token] + PE(pos)\n", walk->out);
    } else {
        fprintf(walk->out,
                "\nEmbedding and position: x = %sd %s E[token] + PE(pos), %s%zu = %.4f\n",
                root(walk), sign(walk, "·", "*"), root(walk), walk->d, (double)query.scale);
    }
    print_embedding(walk, &walk->inputs.items[row], query, row);
    if (kind == TOLK_CROSS || walk->best != row) {
        print_embedding(walk, &walk->keys.items[walk->best],
                        embedded(walk, kind != TOLK_DECODER_SELF, walk->best), walk->best);
    }
}

/* What lies between x and the rows that an attention reads. */
static void print_path(const struct walk *walk, char letter, bool output_of_encoder)
{
    const struct tolk_config *const config =
        &tolk_inspection_model(walk->steps->inspection)->config;
    const size_t layer = walk->steps->layer;
    if (output_of_encoder) {
        fprintf(walk->out, "%c is what all %zu layer%s of the encoder made of its x.\n", letter,
                config->encoder_layers, plural(config->encoder_layers));
        return;
    }
    char below[NAME_ROOM] = "";
    const char *steps[3];
    size_t count = 0;
    if (layer > 0) {
        snprintf(below, sizeof below, "%zu layer%s", layer, plural(layer));
        steps[count++] = below;
    }
    if (walk->steps->kind == TOLK_CROSS) {
        steps[count++] = "this layer's self-attention";
    }
    if (config->normalize_before) {
        steps[count++] = "the layer norm";
    }
    fprintf(walk->out, "%c is x%s", letter, count > 0 ? " behind " : "");
    for (size_t i = 0; i < count; i++) {
        fprintf(walk->out, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", steps[i]);
    }
    fputs(".\n", walk->out);
}

/* The first number of q, product by product. */
static void print_first_of_query(const struct walk *walk)
{
    const size_t first = walk->head.first_row;
    const struct tolk_linear *const linear = &walk->head.projections->q;
    const real *const row = linear->weight + first * walk->d;
    const real *const h = walk->head.query_input + walk->steps->row * walk->d;
    const size_t shown = shown_of(walk->d);
    print_vector(walk, "W_q, row 1", NULL, row, walk->d);
    print_name(walk, "products", NULL);
    for (size_t i = 0; i < shown; i++) {
        print_number(walk, (double)row[i] * (double)h[i]);
    }
    fputc('\n', walk->out);
    print_name(walk, sign(walk, "q₁ =", "q1 ="), NULL);
    fprintf(walk->out, "%*.4f (these) %+.4f (the other %zu) %+.4f (b_q) = %.4f\n", NUMBER_WIDTH,
            product_from(row, h, 0, shown), product_from(row, h, shown, walk->d), walk->d - shown,
            (double)linear->bias[first], (double)walk->q[0]);
}

static void print_projections(const struct walk *walk)
{
    const struct tolk_attention_head *const head = &walk->head;
    const struct tolk_label *const key = &walk->keys.items[walk->best];
    fputs("\n1. Query, key and value: q = W_q h + b_q, k = W_k m + b_k, v = W_v m + b_v.\n   ",
          walk->out);
    print_path(walk, 'h', false);
    fputs("   ", walk->out);
    print_path(walk, 'm', walk->steps->kind == TOLK_CROSS);
    print_vector(walk, "h ", &walk->inputs.items[walk->steps->row],
                 head->query_input + walk->steps->row * walk->d, walk->d);
    print_first_of_query(walk);
    print_vector(walk, "q ", &walk->inputs.items[walk->steps->row], walk->q, head->dim);
    print_vector(walk, "m ", key, head->key_input + walk->best * walk->d, walk->d);
    print_vector(walk, "k ", key, head->k + walk->best * head->ldk, head->dim);
    print_vector(walk, "v ", key, head->v + walk->best * head->ldv, head->dim);
}

static void print_scores(const struct walk *walk)
{
    const struct tolk_attention_head *const head = &walk->head;
    const size_t shown = shown_of(head->dim);
    fprintf(walk->out,
            "\n2. The scores: s = q%sk / %sd_k, here %s%zu = %.4f. To the %zu products shown\n"
            "   of q and k, the rest adds the other %zu.\n",
            sign(walk, "·", "."), root(walk), root(walk), head->dim, sqrt((double)head->dim), shown,
            head->dim - shown);
    print_vector(walk, "q ", &walk->inputs.items[walk->steps->row], walk->q, head->dim);
    print_name(walk, "", NULL);
    print_heads(walk, "k", head->dim);
    fprintf(walk->out, "%*s%*s%*s\n", NUMBER_WIDTH, "the rest",
            NUMBER_WIDTH + (walk->terminal->ascii ? 0 : 1), sign(walk, "q·k", "q.k"), NUMBER_WIDTH,
            "s");
    for (size_t j = 0; j < walk->visible; j++) {
        const real *const k = head->k + j * head->ldk;
        print_name(walk, "", &walk->keys.items[j]);
        print_numbers(walk, k, head->dim);
        print_number(walk, product_from(walk->q, k, shown, head->dim));
        print_number(walk, product_from(walk->q, k, 0, head->dim));
        print_number(walk, walk->scores[j]);
        fputc('\n', walk->out);
    }
    if (walk->visible < head->keys) {
        fputs("   The pieces behind are not written yet: it does not look there.\n", walk->out);
    }
}

static void print_softmax(const struct walk *walk)
{
    double sum = 0;
    fprintf(walk->out,
            "\n3. The softmax: weight = e^s / the sum of all e^s. (The greatest s, %.4f, is\n"
            "   taken from all first: it cancels out, and no e^s grows too large.)\n",
            walk->greatest);
    print_name(walk, "", NULL);
    fprintf(walk->out, "%*s%*s%*s%*s\n", NUMBER_WIDTH, "s", NUMBER_WIDTH, "s - max", NUMBER_WIDTH,
            "e^", NUMBER_WIDTH, "weight");
    for (size_t j = 0; j < walk->visible; j++) {
        const double power = exp(walk->scores[j] - walk->greatest);
        print_name(walk, "", &walk->keys.items[j]);
        print_number(walk, walk->scores[j]);
        print_number(walk, walk->scores[j] - walk->greatest);
        print_number(walk, power);
        print_number(walk, (double)walk->weights[j]);
        fputs("  ", walk->out);
        const size_t bar = (size_t)((double)walk->weights[j] * BAR_WIDTH + 0.5);
        tolk_terminal_cell(walk->terminal, 1, bar, false, walk->out);
        fputc('\n', walk->out);
        sum += power;
    }
    print_name(walk, "sum", NULL);
    fprintf(walk->out, "%*s", 2 * NUMBER_WIDTH, "");
    print_number(walk, sum);
    print_number(walk, 1);
    fputc('\n', walk->out);
}

static void print_sum(const struct walk *walk)
{
    const struct tolk_attention_head *const head = &walk->head;
    fputs("\n4. The weighted sum of the values: z = the sum of weight ", walk->out);
    fprintf(walk->out, "%s v.\n", sign(walk, "·", "*"));
    print_name(walk, "", NULL);
    fprintf(walk->out, "%*s", NUMBER_WIDTH, "weight");
    print_heads(walk, "v", head->dim);
    fputc('\n', walk->out);
    for (size_t j = 0; j < walk->visible; j++) {
        print_name(walk, "", &walk->keys.items[j]);
        print_number(walk, (double)walk->weights[j]);
        print_numbers(walk, head->v + j * head->ldv, head->dim);
        end_vector(walk, head->dim);
    }
    print_name(walk, "z", NULL);
    fprintf(walk->out, "%*s", NUMBER_WIDTH, "");
    print_numbers(walk, head->z + walk->steps->row * head->ldz, head->dim);
    end_vector(walk, head->dim);
    const size_t heads = walk->d / head->dim;
    fprintf(
        walk->out,
        "\nThe z of the %zu head%s beside each other, times W_O, is what this attention adds.\n",
        heads, plural(heads));
}

static int make_labels(struct walk *walk, struct tolk_error *error)
{
    const struct tolk_steps *const steps = walk->steps;
    const bool encoder = steps->kind == TOLK_ENCODER_SELF;
    const bool decoder = steps->kind == TOLK_DECODER_SELF;
    const struct tolk_sentence *const looking = encoder ? steps->source : steps->target;
    return tolk_labels_make(&walk->inputs, looking, TOLK_PIECES, !encoder, error) == 0 &&
                   tolk_labels_make(&walk->outputs, looking, TOLK_PIECES, false, error) == 0 &&
                   tolk_labels_make(&walk->keys, decoder ? steps->target : steps->source,
                                    TOLK_PIECES, decoder, error) == 0
               ? 0
               : -1;
}

static int make_scores(struct walk *walk, struct tolk_error *error)
{
    const struct tolk_attention_head *const head = &walk->head;
    walk->scores = calloc(walk->visible, sizeof *walk->scores);
    if (walk->scores == NULL) {
        return tolk_error_set(error, "out of memory for %zu scores", walk->visible);
    }
    walk->greatest = -INFINITY;
    for (size_t j = 0; j < walk->visible; j++) {
        walk->scores[j] =
            product_from(walk->q, head->k + j * head->ldk, 0, head->dim) / sqrt((double)head->dim);
        walk->greatest = fmax(walk->greatest, walk->scores[j]);
        walk->best = walk->weights[j] > walk->weights[walk->best] ? j : walk->best;
    }
    return 0;
}

int tolk_steps_print(const struct tolk_steps *steps, const struct tolk_terminal *terminal,
                     FILE *out, struct tolk_error *error)
{
    struct walk walk = {.steps = steps, .terminal = terminal, .out = out};
    walk.head = tolk_inspection_head(steps->inspection, steps->kind, steps->layer, steps->head);
    walk.q = walk.head.q + steps->row * walk.head.ldq;
    walk.weights = walk.head.weights + steps->row * walk.head.keys;
    walk.visible = walk.head.causal ? steps->row + 1 : walk.head.keys;
    walk.d = tolk_inspection_model(steps->inspection)->config.d_model;
    int status = -1;
    if (make_labels(&walk, error) == 0 && make_scores(&walk, error) == 0) {
        print_beginning(&walk);
        print_embeddings(&walk);
        print_projections(&walk);
        print_scores(&walk);
        print_softmax(&walk);
        print_sum(&walk);
        status = 0;
    }
    tolk_labels_free(&walk.inputs);
    tolk_labels_free(&walk.outputs);
    tolk_labels_free(&walk.keys);
    free(walk.scores);
    return status;
}
