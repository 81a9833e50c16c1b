#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/files.h"
#include "train/checkpoint.h"

enum { NUMBERS = 11, ARENAS = 4 };

static struct tolk_tensor tensors[] = {
    {.name = "model.shared.weight", .rank = 2, .shape = {2, 4}, .size = 8, .offset = 0},
    {.name = "model.norm.bias", .rank = 1, .shape = {3, 1}, .size = 3, .offset = 8},
};
static const struct tolk_layout LAYOUT = {tensors, 2, NUMBERS};

static const struct tolk_cursor CURSOR = {
    .update = 7,
    .step = 9,
    .epoch = 1,
    .batch = 3,
    .tokens = 12345678901,
    .skipped = 2,
    .best_update = 5,
    .stale = 1,
    .best_loss = 2.25,
    .best_bleu = 31.5,
    .best_chrf = 55.125,
    .validated = 6,
    .seconds = 0.1,
    .vocab_size = 2,
    .corpus_pairs = 400,
    .corpus_hash = INT64_MIN + 5,
};

static const char RECIPE[] = "d-model=256\ndropout=0.1\n";

/* Arenas of numbers that differ everywhere; `first` is the first of them. */
struct arenas {
    real numbers[ARENAS][NUMBERS];
};

static struct tolk_training_state fill(struct arenas *arenas, real first)
{
    for (size_t a = 0; a < ARENAS; a++) {
        for (size_t i = 0; i < NUMBERS; i++) {
            arenas->numbers[a][i] = first + (real)(a * NUMBERS + i) / 3;
        }
    }
    return (struct tolk_training_state){&LAYOUT, arenas->numbers[0], arenas->numbers[1],
                                        arenas->numbers[2], arenas->numbers[3]};
}

static const char *save(void)
{
    struct arenas arenas;
    struct tolk_error error;
    const struct tolk_training_state state = fill(&arenas, 1);
    const char *path = files_path("state.safetensors");
    ck_assert_int_eq(tolk_checkpoint_save(path, &state, &CURSOR, RECIPE, &error), 0);
    return path;
}

START_TEST(comes_back_as_it_was)
{
    struct arenas saved;
    struct arenas found;
    struct tolk_error error;
    struct tolk_checkpoint checkpoint;
    const char *path = save();
    fill(&saved, 1);
    const struct tolk_training_state state = fill(&found, 100);
    ck_assert_int_eq(tolk_checkpoint_open(&checkpoint, path, &error), 0);
    ck_assert_str_eq(checkpoint.recipe, RECIPE);
    ck_assert_mem_eq(&checkpoint.cursor, &CURSOR, sizeof CURSOR);
    ck_assert_int_eq(tolk_checkpoint_restore(&checkpoint, &state, &error), 0);
    ck_assert_mem_eq(&saved, &found, sizeof saved);
    tolk_checkpoint_close(&checkpoint);
}
END_TEST

START_TEST(a_cut_file_is_an_error_and_changes_nothing)
{
    struct tolk_error error;
    struct tolk_checkpoint checkpoint;
    struct tolk_file file;
    ck_assert_int_eq(tolk_file_map(&file, save(), &error), 0);
    for (size_t size = 0; size < file.size; size += 1 + size / 16) {
        const char *cut = files_write("cut.safetensors", file.bytes, size);
        ck_assert_int_eq(tolk_checkpoint_open(&checkpoint, cut, &error), -1);
        ck_assert_ptr_nonnull(strstr(error.message, "cut.safetensors"));
    }
    tolk_file_unmap(&file);
}
END_TEST

static void assert_refused(const char *path, const struct tolk_layout *layout, const char *why)
{
    struct arenas found;
    struct arenas before;
    struct tolk_error error;
    struct tolk_checkpoint checkpoint;
    struct tolk_training_state state = fill(&found, 100);
    fill(&before, 100);
    state.layout = layout;
    ck_assert_int_eq(tolk_checkpoint_open(&checkpoint, path, &error), 0);
    ck_assert_int_eq(tolk_checkpoint_restore(&checkpoint, &state, &error), -1);
    ck_assert_msg(strstr(error.message, why) != NULL, "%s", error.message);
    ck_assert_ptr_nonnull(strstr(error.message, path));
    ck_assert_mem_eq(&before, &found, sizeof before);
    tolk_checkpoint_close(&checkpoint);
}

START_TEST(foreign_shapes_are_refused_by_name)
{
    struct tolk_tensor other[2];
    const struct tolk_layout layout = {other, 2, NUMBERS};
    const char *path = save();
    memcpy(other, tensors, sizeof other);
    other[1].shape[0] = 2;
    assert_refused(path, &layout,
                   "tensor weights.model.norm.bias: expected 2 in dimension 0, found 3");
    memcpy(other, tensors, sizeof other);
    other[0].rank = 1;
    assert_refused(path, &layout, "tensor weights.model.shared.weight: expected 1 dimensions");
    memcpy(other, tensors, sizeof other);
    strcpy(other[1].name, "model.other.bias");
    assert_refused(path, &layout, "tensor weights.model.other.bias is missing");
}
END_TEST

START_TEST(a_cursor_that_is_none_is_refused)
{
    struct arenas arenas;
    struct tolk_error error;
    struct tolk_checkpoint checkpoint;
    const struct tolk_training_state state = fill(&arenas, 1);
    const char *path = files_path("state.safetensors");
    struct tolk_cursor cursor = CURSOR;
    cursor.batch = -1;
    ck_assert_int_eq(tolk_checkpoint_save(path, &state, &cursor, RECIPE, &error), 0);
    ck_assert_int_eq(tolk_checkpoint_open(&checkpoint, path, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "cursor.batch"));
}
END_TEST

TOLK_SUITE("checkpoint", comes_back_as_it_was, a_cut_file_is_an_error_and_changes_nothing,
           foreign_shapes_are_refused_by_name, a_cursor_that_is_none_is_refused)
