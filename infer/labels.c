#include "infer/labels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

static const char START[] = "(start)";
static const char END[] = "(end)";
/* What stands for white space in pieces. */
static const uint32_t PIECE_SPACE = 0x2581;

/* Whether a terminal would obey the character instead of showing it. */
static bool is_command(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || /* C0, DEL, C1 */
           (point >= 0x202A && point <= 0x202E) ||            /* embeddings and overrides */
           (point >= 0x2066 && point <= 0x2069);              /* isolates */
}

static size_t point_width(uint32_t point)
{
    return is_command(point) ? 1 : (size_t)utf8proc_charwidth((utf8proc_int32_t)point);
}

size_t tolk_text_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        const size_t length = tolk_utf8_decode(text + i, size - i, &point);
        if (length == 0) {
            return width;
        }
        width += point_width(point);
        i += length;
    }
    return width;
}

size_t tolk_label_print(const struct tolk_label *label, size_t room, bool ascii, FILE *out)
{
    const bool cut = label->width > room;
    const size_t most = cut && room > 0 ? room - 1 : room;
    size_t width = 0;
    for (size_t i = 0; i < label->size;) {
        uint32_t point = 0;
        const size_t length = tolk_utf8_decode(label->text + i, label->size - i, &point);
        if (length == 0 || width + point_width(point) > most) {
            break;
        }
        if (is_command(point)) {
            fputs(ascii ? "?" : "\uFFFD", out);
        } else if (ascii && point == PIECE_SPACE) {
            fputc('_', out);
        } else {
            fwrite(label->text + i, 1, length, out);
        }
        width += point_width(point);
        i += length;
    }
    if (cut && room > 0) {
        fputs(ascii ? "~" : "…", out);
        width++;
    }
    return width;
}

void tolk_label_print_padded(const struct tolk_label *label, size_t room, bool ascii, FILE *out)
{
    const size_t width = tolk_label_print(label, room, ascii, out);
    fprintf(out, "%*s", (int)(room - width), "");
}

static struct tolk_label label_of(const char *text, size_t size)
{
    return (struct tolk_label){text, size, tolk_text_width(text, size)};
}

int tolk_labels_make(struct tolk_labels *labels, const struct tolk_sentence *sentence,
                     enum tolk_unit unit, bool inputs, struct tolk_error *error)
{
    const size_t units = tolk_sentence_units(sentence, unit);
    *labels = (struct tolk_labels){calloc(units + 1, sizeof *labels->items), units + 1, 0};
    if (labels->items == NULL) {
        return tolk_error_set(error, "out of memory for %zu words", units);
    }
    labels->items[inputs ? 0 : units] =
        inputs ? label_of(START, strlen(START)) : label_of(END, strlen(END));
    for (size_t i = 0; i < units; i++) {
        struct tolk_label *const label = &labels->items[inputs ? i + 1 : i];
        if (unit == TOLK_PIECES) {
            const char *const piece = tolk_sentence_piece(sentence, i);
            *label = label_of(piece, strlen(piece));
        } else {
            const size_t begin = sentence->words.begin[i];
            *label = label_of(sentence->text + begin, sentence->words.end[i] - begin);
        }
    }
    for (size_t i = 0; i <= units; i++) {
        const size_t width = labels->items[i].width;
        labels->widest = width > labels->widest ? width : labels->widest;
    }
    return 0;
}

void tolk_labels_free(struct tolk_labels *labels)
{
    free(labels->items);
    *labels = (struct tolk_labels){0};
}
