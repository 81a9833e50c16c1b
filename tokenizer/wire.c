#include "tokenizer/wire.h"

#include <string.h>

enum { VARINT_BITS_PER_BYTE = 7, VARINT_BYTES = 10, TAG_TYPE_BITS = 3 };

static int varint(struct tolk_wire *wire, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < VARINT_BYTES && i < wire->size; i++) {
        const unsigned char byte = wire->bytes[i];
        *value |= (uint64_t)(byte & 0x7f) << (VARINT_BITS_PER_BYTE * i);
        if ((byte & 0x80) == 0) {
            wire->bytes += i + 1;
            wire->size -= i + 1;
            return 0;
        }
    }
    return -1;
}

static int fixed(struct tolk_wire *wire, size_t bytes, uint64_t *value)
{
    if (wire->size < bytes) {
        return -1;
    }
    *value = 0;
    for (size_t i = 0; i < bytes; i++) {
        *value |= (uint64_t)wire->bytes[i] << (8 * i);
    }
    wire->bytes += bytes;
    wire->size -= bytes;
    return 0;
}

static int body(struct tolk_wire *wire, struct tolk_wire *body)
{
    uint64_t size;
    if (varint(wire, &size) != 0 || size > wire->size) {
        return -1;
    }
    *body = (struct tolk_wire){wire->bytes, (size_t)size};
    wire->bytes += size;
    wire->size -= (size_t)size;
    return 0;
}

int tolk_wire_next(struct tolk_wire *wire, struct tolk_wire_field *field)
{
    if (wire->size == 0) {
        return 0;
    }
    uint64_t tag;
    if (varint(wire, &tag) != 0 || tag > UINT32_MAX || tag >> TAG_TYPE_BITS == 0) {
        return -1;
    }
    *field = (struct tolk_wire_field){.number = (uint32_t)(tag >> TAG_TYPE_BITS)};
    int status = -1;
    switch (tag & ((1 << TAG_TYPE_BITS) - 1)) {
    case TOLK_WIRE_VARINT:
        field->type = TOLK_WIRE_VARINT;
        status = varint(wire, &field->value);
        break;
    case TOLK_WIRE_FIXED64:
        field->type = TOLK_WIRE_FIXED64;
        status = fixed(wire, sizeof(uint64_t), &field->value);
        break;
    case TOLK_WIRE_BYTES:
        field->type = TOLK_WIRE_BYTES;
        status = body(wire, &field->body);
        break;
    case TOLK_WIRE_FIXED32:
        field->type = TOLK_WIRE_FIXED32;
        status = fixed(wire, sizeof(uint32_t), &field->value);
        break;
    default: /* groups, which SentencePiece never wrote */
        break;
    }
    return status == 0 ? 1 : -1;
}

float tolk_wire_float(const struct tolk_wire_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
