#include "tests/support/suite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/safetensors.h"
#include "tests/support/folder.h"

static char *folder;
static char path[4200];
static struct tolk_error error;

static void begin(void)
{
    folder = tolk_test_folder();
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
}

/* A file with this header and `data_bytes` bytes of data. */
static void write_raw(const char *header, size_t header_bytes, size_t data_bytes)
{
    const uint64_t length = header_bytes;
    char *bytes = calloc(1, sizeof length + header_bytes + data_bytes);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, header, header_bytes);
    tolk_test_write(path, bytes, sizeof length + header_bytes + data_bytes);
    free(bytes);
}

static int open_and_close(void)
{
    struct tolk_safetensors file;
    const int result = tolk_safetensors_open(&file, path, &error);
    tolk_safetensors_close(&file);
    return result;
}

static const float matrix[] = {1, 2, 3, 4, 5, 6};
static const uint16_t halves[] = {0x3c00};
static const size_t matrix_shape[] = {2, 3};
static const size_t empty_shape[] = {0, 7};
static const struct tolk_safetensor_source sources[] = {
    {"matrix", "F32", 2, matrix_shape, matrix, sizeof matrix},
    {"empty", "F64", 2, empty_shape, NULL, 0},
    {"scalar \"ë\"", "BF16", 0, NULL, halves, sizeof halves},
};
enum { SOURCE_COUNT = sizeof sources / sizeof sources[0] };

START_TEST(reads_what_it_wrote)
{
    struct tolk_safetensors file;
    begin();
    ck_assert_int_eq(tolk_safetensors_write(path, sources, SOURCE_COUNT, &error), 0);
    ck_assert_int_eq(tolk_safetensors_open(&file, path, &error), 0);
    ck_assert_uint_eq(file.count, SOURCE_COUNT);
    ck_assert_uint_eq((size_t)(file.data - file.file.bytes) % 64, 0);
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        const struct tolk_safetensor *item = tolk_safetensors_find(&file, sources[i].name);
        ck_assert_ptr_nonnull(item);
        ck_assert_str_eq(item->dtype, sources[i].dtype);
        ck_assert_uint_eq(item->rank, sources[i].rank);
        ck_assert_uint_eq(item->end - item->begin, sources[i].size);
        for (size_t k = 0; k < item->rank; k++) {
            ck_assert_uint_eq(item->shape[k], sources[i].shape[k]);
        }
        if (sources[i].size > 0) {
            ck_assert_mem_eq(file.data + item->begin, sources[i].bytes, sources[i].size);
        }
    }
    ck_assert_ptr_null(tolk_safetensors_find(&file, "matri"));
    tolk_safetensors_close(&file);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(orders_the_items_by_their_data)
{
    static const char header[] =
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
        "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}   ";
    struct tolk_safetensors file;
    begin();
    write_raw(header, sizeof header - 1, 3);
    ck_assert_int_eq(tolk_safetensors_open(&file, path, &error), 0);
    ck_assert_str_eq(file.items[0].name, "a");
    ck_assert_str_eq(file.items[1].name, "b");
    tolk_safetensors_close(&file);
    tolk_test_folder_remove(folder);
}
END_TEST

#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define BYTES(name, begin, end)                                                                    \
    "\"" name "\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[" begin "," end "]}"

START_TEST(refuses_each_fault_with_its_own_message)
{
    static const struct {
        const char *header;
        size_t data_bytes;
        const char *message;
    } bad[] = {
        {"", 0, "expected a header that begins with {"},
        {" {}", 0, "expected a header that begins with {"},
        {"[]", 0, "expected a header that begins with {"},
        {"{\"x\"", 0, "the header at byte "},
        {"{} x", 0, "the header at byte "},
        {"{\"\xff\":1}", 0, "the header at byte "},
        {"{" BYTES("x", "0", "4") "," BYTES("x", "0", "4") "}", 4, "duplicate"},
        {"{\"x\":1}", 0, "x: expected an object"},
        {"{\"__metadata__\":[]}", 0, "__metadata__: expected an object"},
        {"{\"__metadata__\":{\"format\":1}}", 0, "__metadata__: expected a string for format"},
        {"{\"x\":{}}", 0, "x: expected a string as dtype"},
        {ENTRY("32", "[1]", "[0,4]"), 4, "x: expected a string as dtype"},
        {ENTRY("\"F31\"", "[1]", "[0,4]"), 4, "x: the dtype F31 is not known"},
        {ENTRY("\"F32\"", "1", "[0,4]"), 4, "x: expected a list as shape"},
        {ENTRY("\"F32\"", "[-1]", "[0,4]"), 4, "x: expected lengths from 0 in shape"},
        {ENTRY("\"F32\"", "[1.0]", "[0,4]"), 4, "x: expected lengths from 0 in shape"},
        {ENTRY("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 8 lengths, found 9"},
        {ENTRY("\"F32\"", "[1]", "[0]"), 4, "x: expected [begin, end] as data_offsets"},
        {ENTRY("\"F32\"", "[1]", "[-4,0]"), 4, "x: expected [begin, end] as data_offsets"},
        {ENTRY("\"F32\"", "[1]", "[4,0]"), 4, "x: the data ends at 0, before it begins at 4"},
        {ENTRY("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, "product of the shape overflows"},
        {ENTRY("\"F32\"", "[9223372036854775807]", "[0,4]"), 4, "product of the shape overflows"},
        {ENTRY("\"F32\"", "[2]", "[0,4]"), 4, "x: expected 8 bytes of data by the shape, found 4"},
        {ENTRY("\"F32\"", "[1]", "[4,8]"), 8, "x: 4 bytes before its data belong to no tensor"},
        {"{" BYTES("x", "0", "4") "," BYTES("y", "5", "9") "}", 9, "y: 1 bytes before its data"},
        {"{" BYTES("x", "0", "4") "," BYTES("y", "3", "7") "}", 7,
         "y: its data overlaps that of x"},
        {"{" BYTES("x", "0", "4") "," BYTES("y", "0", "4") "}", 4,
         "y: its data overlaps that of x"},
        {"{" BYTES("x", "0", "4") "}", 3, "cut off: expected 4 bytes of data, found 3"},
        {"{" BYTES("x", "0", "4") "}", 5, "end with the last tensor, found 1 bytes more"},
        {"{}", 1, "end with the last tensor, found 1 bytes more"},
    };
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_raw(bad[i].header, strlen(bad[i].header), bad[i].data_bytes);
        ck_assert_msg(open_and_close() == -1, "accepted %s", bad[i].header);
        ck_assert_msg(strstr(error.message, bad[i].message) != NULL,
                      "%s: expected '%s', found '%s'", bad[i].header, bad[i].message,
                      error.message);
        ck_assert_msg(strstr(error.message, path) != NULL, "no path in '%s'", error.message);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(refuses_a_wrong_length_of_the_header)
{
    static const struct {
        uint64_t length;
        const char *message;
    } bad[] = {
        {3, "cut off: expected a header of 3 bytes, found 2"},
        {100000001, "a header of 100000001 bytes is over the limit"},
        {UINT64_MAX, "is over the limit"},
    };
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned char bytes[10] = "........{}";
        memcpy(bytes, &bad[i].length, sizeof bad[i].length);
        tolk_test_write(path, bytes, sizeof bytes);
        ck_assert_int_eq(open_and_close(), -1);
        ck_assert_msg(strstr(error.message, bad[i].message) != NULL, "%s", error.message);
    }
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(refuses_every_truncation)
{
    begin();
    ck_assert_int_eq(tolk_safetensors_write(path, sources, SOURCE_COUNT, &error), 0);
    size_t size;
    char *bytes = tolk_test_read(path, &size);
    ck_assert_int_eq(open_and_close(), 0);
    for (size_t shorter = 0; shorter < size; shorter++) {
        tolk_test_write(path, bytes, shorter);
        ck_assert_msg(open_and_close() == -1, "accepted %zu bytes of %zu", shorter, size);
    }
    free(bytes);
    tolk_test_folder_remove(folder);
}
END_TEST

/* Whatever the header says, an accepted file has its tensors within its data. */
START_TEST(survives_every_flipped_bit_of_the_header)
{
    struct tolk_safetensors file;
    begin();
    ck_assert_int_eq(tolk_safetensors_write(path, sources, SOURCE_COUNT, &error), 0);
    size_t size;
    char *bytes = tolk_test_read(path, &size);
    const size_t header = size - sizeof matrix - sizeof halves;
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * header; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        tolk_test_write(path, bytes, size);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (tolk_safetensors_open(&file, path, &error) != 0) {
            refused++;
            ck_assert_ptr_nonnull(strstr(error.message, path));
            continue;
        }
        const unsigned char *end = file.file.bytes + file.file.size;
        for (size_t i = 0; i < file.count; i++) {
            ck_assert(file.items[i].begin <= file.items[i].end);
            ck_assert(file.items[i].end <= (size_t)(end - file.data));
        }
        tolk_safetensors_close(&file);
    }
    ck_assert_uint_gt(refused, header);
    free(bytes);
    tolk_test_folder_remove(folder);
}
END_TEST

START_TEST(refuses_endless_nesting)
{
    enum { DEPTH = 100000 };
    char *header = malloc(DEPTH + 1);
    begin();
    memset(header, '[', DEPTH);
    memcpy(header, "{\"x\":", 5);
    write_raw(header, DEPTH, 0);
    ck_assert_int_eq(open_and_close(), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "the header at byte "));
    free(header);
    tolk_test_folder_remove(folder);
}
END_TEST

TOLK_SUITE("safetensors", reads_what_it_wrote, orders_the_items_by_their_data,
           refuses_each_fault_with_its_own_message, refuses_a_wrong_length_of_the_header,
           refuses_every_truncation, survives_every_flipped_bit_of_the_header,
           refuses_endless_nesting)
