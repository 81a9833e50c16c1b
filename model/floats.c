#include "model/floats.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef TOLK_REAL_DOUBLE
const char tolk_real_dtype[] = "F64";
#else
const char tolk_real_dtype[] = "F32";
#endif

static float half_to_float(uint16_t half)
{
    const int exponent = (half >> 10) & 0x1f;
    const int mantissa = half & 0x3ff;
    float value;
    if (exponent == 0x1f) {
        value = mantissa == 0 ? INFINITY : NAN;
    } else if (exponent == 0) {
        value = ldexpf((float)mantissa, -24);
    } else {
        value = ldexpf((float)(mantissa | 0x400), exponent - 25);
    }
    return (half & 0x8000) != 0 ? -value : value;
}

static float bfloat_to_float(uint16_t bfloat)
{
    const uint32_t bits = (uint32_t)bfloat << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static real read_f32(const unsigned char *bytes)
{
    float value;
    memcpy(&value, bytes, sizeof value);
    return (real)value;
}

static real read_f64(const unsigned char *bytes)
{
    double value;
    memcpy(&value, bytes, sizeof value);
    return (real)value;
}

static real read_f16(const unsigned char *bytes)
{
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return (real)half_to_float(half);
}

static real read_bf16(const unsigned char *bytes)
{
    uint16_t bfloat;
    memcpy(&bfloat, bytes, sizeof bfloat);
    return (real)bfloat_to_float(bfloat);
}

static const struct reader {
    const char *dtype;
    size_t bytes;
    real (*read)(const unsigned char *bytes);
} readers[] = {
    {"F32", 4, read_f32}, {"F16", 2, read_f16}, {"BF16", 2, read_bf16}, {"F64", 8, read_f64}};
enum { READER_COUNT = sizeof readers / sizeof readers[0] };

static const struct reader *find(const char *dtype)
{
    for (size_t i = 0; i < READER_COUNT; i++) {
        if (strcmp(dtype, readers[i].dtype) == 0) {
            return &readers[i];
        }
    }
    return NULL;
}

bool tolk_floats_know(const char *dtype)
{
    return find(dtype) != NULL;
}

void tolk_floats_read(real *values, const unsigned char *bytes, const char *dtype, size_t count)
{
    const struct reader *reader = find(dtype);
    assert(reader != NULL);
    for (size_t i = 0; i < count; i++) {
        values[i] = reader->read(bytes + i * reader->bytes);
    }
}
