#include "tests/support/suite.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/tokenizers.h"
#include "base/random.h"
#include "tokenizer/tokenizer.h"

/* The pieces of a trained model stand before this byte, its normalisation table behind. */
enum { PIECES_END = 3000 };

/* Loads the bytes from a block of exactly their size. What loads must also work. */
static bool loads_and_works(const unsigned char *bytes, size_t size)
{
    struct tolk_error error = {""};
    unsigned char *copy = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, size);
    struct tolk_tokenizer *tokenizer = tolk_tokenizer_from_memory(copy, size, "damaged", &error);
    free(copy);
    if (tokenizer == NULL) {
        ck_assert_ptr_nonnull(strstr(error.message, "damaged: "));
        return false;
    }
    static const char text[] = " \xef\xac\x81"
                               "ets de kat\xe2\x80\xa6 caf\xc3\xa9 \xe1\xbe\x82\xcc\x80\xff ";
    struct tolk_pieces pieces = {0};
    char *decoded = NULL;
    if (tolk_tokenizer_encode(tokenizer, text, sizeof text - 1, &pieces, &error) == 0 &&
        tolk_tokenizer_decode(tokenizer, pieces.ids, pieces.count, &decoded, &error) == 0) {
        free(decoded);
    }
    (void)tolk_tokenizer_sample(tokenizer, text, sizeof text - 1, -1, 0.5, tolk_random_key(1, 2, 3),
                                &pieces, &error);
    tolk_pieces_free(&pieces);
    tolk_tokenizer_free(tokenizer);
    return true;
}

static void refuses(const unsigned char *bytes, size_t size, const char *expected)
{
    struct tolk_error error = {""};
    ck_assert_ptr_null(tolk_tokenizer_from_memory(bytes, size, "damaged", &error));
    ck_assert_msg(strstr(error.message, expected) != NULL, "\"%s\" lacks \"%s\"", error.message,
                  expected);
}

START_TEST(cut_files_are_refused)
{
    enum { STRIDE = 2003 };
    size_t size, loaded = 0;
    unsigned char *model = tokenizers_train(TOLK_UNIGRAM, TOKENIZERS_SIZE, &size);
    ck_assert_uint_gt(size, PIECES_END);
    for (size_t cut = 0; cut < size; cut += cut < PIECES_END ? 1 : STRIDE) {
        loaded += loads_and_works(model, cut);
    }
    /* A cut between two pieces leaves a whole, smaller model. */
    ck_assert_uint_le(loaded, TOKENIZERS_SIZE);
    ck_assert(!loads_and_works(model, size - 1));
    ck_assert(loads_and_works(model, size));
    refuses(model, 0, "0 bytes");
    refuses(model, 5, "cut, or not");
    free(model);
}
END_TEST

START_TEST(changed_bytes_do_no_harm)
{
    enum { ROUNDS = 300, FLIPS = 4, TABLE_BEGIN = 6000 };
    static const enum tolk_tokenizer_kind kinds[] = {TOLK_UNIGRAM, TOLK_BPE};
    for (size_t k = 0; k < 2; k++) {
        size_t size, refused = 0;
        unsigned char *model = tokenizers_train(kinds[k], TOKENIZERS_SIZE, &size);
        unsigned char *damaged = malloc(size);
        ck_assert_ptr_nonnull(damaged);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            const struct tolk_random_key key = tolk_random_key(21, k, round);
            const uint32_t within[] = {PIECES_END, (uint32_t)size, TABLE_BEGIN};
            memcpy(damaged, model, size);
            for (uint32_t flip = 0; flip < FLIPS; flip++) {
                const uint32_t at = tolk_random_below(key, 2 * flip, within[round % 3]);
                const unsigned bit = 1U << tolk_random_below(key, 2 * flip + 1, 8);
                damaged[at] = (unsigned char)(damaged[at] ^ bit);
            }
            refused += !loads_and_works(damaged, size);
        }
        ck_assert_uint_gt(refused, ROUNDS / 4);
        free(damaged);
        free(model);
    }
}
END_TEST

START_TEST(random_bytes_are_refused)
{
    enum { ROUNDS = 1000, MOST = 300 };
    static const unsigned char huge[] = {0x0a, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0x7f};
    unsigned char bytes[MOST];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const struct tolk_random_key key = tolk_random_key(22, round, 0);
        const uint32_t size = tolk_random_below(key, 0, MOST);
        for (uint32_t i = 0; i < size; i++) {
            bytes[i] = (unsigned char)tolk_random_u32(key, i + 1);
        }
        ck_assert(!loads_and_works(bytes, size));
    }
    refuses(huge, sizeof huge, "cut, or not");
}
END_TEST

static void refuses_piece(struct tokenizers_piece last, const char *expected)
{
    const struct tokenizers_piece pieces[] = {{"</s>", 0, TOLK_PIECE_CONTROL},
                                              {"<unk>", 0, TOLK_PIECE_UNKNOWN},
                                              {"a", -1, TOLK_PIECE_NORMAL},
                                              last};
    size_t size;
    unsigned char *model = tokenizers_write(pieces, 4, TOLK_MODEL_UNIGRAM, &size);
    refuses(model, size, expected);
    free(model);
}

START_TEST(wrong_pieces_are_refused)
{
    refuses_piece((struct tokenizers_piece){"", -1, TOLK_PIECE_NORMAL}, "piece 3 is empty");
    refuses_piece((struct tokenizers_piece){"\xff", -1, TOLK_PIECE_NORMAL}, "not UTF-8");
    refuses_piece((struct tokenizers_piece){"b", NAN, TOLK_PIECE_NORMAL}, "score nan");
    refuses_piece((struct tokenizers_piece){"b", -INFINITY, TOLK_PIECE_NORMAL}, "score -inf");
    refuses_piece((struct tokenizers_piece){"b", -1, TOLK_PIECE_UNKNOWN}, "both the unknown");
    refuses_piece((struct tokenizers_piece){"b", -1, (enum tolk_piece_type)7}, "piece 3 cannot");
    refuses_piece((struct tokenizers_piece){"a", -1, TOLK_PIECE_NORMAL}, "already defined");
    refuses_piece((struct tokenizers_piece){"a word of more than sixty-four bytes, which the "
                                            "library could not match",
                                            -1, TOLK_PIECE_USER_DEFINED},
                  "user-defined piece 3");
}
END_TEST

START_TEST(wrong_models_are_refused)
{
    enum { WORD_MODEL = 3 };
    const struct tokenizers_piece pieces[] = {{"</s>", 0, TOLK_PIECE_CONTROL},
                                              {"a", -1, TOLK_PIECE_NORMAL},
                                              {"<unk>", 0, TOLK_PIECE_UNKNOWN}};
    static const struct {
        size_t count;
        unsigned kind;
        const char *expected;
    } cases[] = {
        {2, TOLK_MODEL_UNIGRAM, "none of its 2 pieces is the unknown"},
        {0, TOLK_MODEL_UNIGRAM, "none of its 0 pieces is the unknown"},
        {3, WORD_MODEL, "model type 3"},
        {3, TOLK_MODEL_UNIGRAM, "expected piece 0 to be </s>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        unsigned char *model = tokenizers_write(pieces, cases[i].count, cases[i].kind, &size);
        refuses(model, size, cases[i].expected);
        free(model);
    }
}
END_TEST

enum { TABLE_UNITS = 256, TABLE_BYTES = 4 + 4 * TABLE_UNITS + 2 };

/* A table of one block of units that replaces "a" by "b". The root's children stand at 1 ^ byte, so
 * 'a' at 0x60, as `unit` describes it; the value of the key "a" is `value`, in unit 2. */
static void write_table(unsigned char *table, uint32_t unit, uint32_t value)
{
    const uint32_t nothing = 1U << 31, offset_shift = 10;
    uint32_t units[TABLE_UNITS];
    for (size_t i = 0; i < TABLE_UNITS; i++) {
        units[i] = nothing; /* no byte leads here */
    }
    units[0] = 1U << offset_shift;
    units[1 ^ 'a'] = unit | 'a';
    units[2] = value | nothing;
    const uint32_t bytes = sizeof units;
    memcpy(table, &bytes, sizeof bytes);
    memcpy(table + sizeof bytes, units, sizeof units);
    memcpy(table + sizeof bytes + sizeof units, "b", 2);
}

static void check_table(const unsigned char *table, size_t size, const char *expected)
{
    struct tolk_error error = {""};
    unsigned char *copy = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, table, size);
    const int status = tolk_charsmap_check(copy, size, "table", &error);
    free(copy);
    if (expected == NULL) {
        ck_assert_msg(status == 0, "%s", error.message);
    } else {
        ck_assert_int_eq(status, -1);
        ck_assert_msg(strstr(error.message, expected) != NULL, "%s", error.message);
    }
}

START_TEST(a_table_may_not_lead_outside_itself)
{
    const uint32_t ends_key = 1U << 8, here = 1 ^ 'a', shift = 10;
    unsigned char table[TABLE_BYTES];
    write_table(table, ends_key | (here ^ 2U) << shift, 0);
    check_table(table, TABLE_BYTES, NULL);
    check_table(table, TABLE_BYTES - 1, "damaged");
    check_table(table, TABLE_BYTES - 2, "damaged");
    check_table(table, 4, "damaged");
    check_table(table, 0, "damaged");
    write_table(table, ends_key | (here ^ 2U) << shift, 2); /* behind the replacements */
    check_table(table, TABLE_BYTES, "outside itself");
    write_table(table, (uint32_t)TABLE_UNITS << shift, 0); /* behind the trie */
    check_table(table, TABLE_BYTES, "outside itself");
    write_table(table, (here ^ 1U) << shift, 0); /* from 'a' by 'a' to itself, for ever */
    check_table(table, TABLE_BYTES, "outside itself");
}
END_TEST

TOLK_SUITE("model_file", cut_files_are_refused, changed_bytes_do_no_harm, random_bytes_are_refused,
           wrong_pieces_are_refused, wrong_models_are_refused, a_table_may_not_lead_outside_itself)
