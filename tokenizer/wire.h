/* The fields of a Protocol Buffers message, one after another: enough to read what SentencePiece
 * stores (protobuf.dev/programming-guides/encoding). Nothing is copied or allocated. */
#ifndef TOLK_TOKENIZER_WIRE_H
#define TOLK_TOKENIZER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is still to be read of a message. */
struct tolk_wire {
    const unsigned char *bytes;
    size_t size;
};

enum tolk_wire_type {
    TOLK_WIRE_VARINT = 0,
    TOLK_WIRE_FIXED64 = 1,
    TOLK_WIRE_BYTES = 2, /* strings and messages */
    TOLK_WIRE_FIXED32 = 5
};

struct tolk_wire_field {
    uint32_t number;
    enum tolk_wire_type type;
    uint64_t value;        /* of a number */
    struct tolk_wire body; /* of TOLK_WIRE_BYTES */
};

/* Takes the next field. 1: there was one, 0: the message ended, -1: the bytes are no message. */
int tolk_wire_next(struct tolk_wire *wire, struct tolk_wire_field *field);

/* Whether the field has this number and this type; a reader passes over any other. */
static inline bool tolk_wire_is(const struct tolk_wire_field *field, uint32_t number,
                                enum tolk_wire_type type)
{
    return field->number == number && field->type == type;
}

/* The value of a TOLK_WIRE_FIXED32 field that holds a float. */
float tolk_wire_float(const struct tolk_wire_field *field);

#endif
