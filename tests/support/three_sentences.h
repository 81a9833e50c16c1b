/* Three short sentence pairs in one batch, of a model whose pad, the start token, is the last id.
 */
#ifndef TOLK_TESTS_THREE_SENTENCES_H
#define TOLK_TESTS_THREE_SENTENCES_H

#include <stddef.h>
#include <stdint.h>

#include "model/batch.h"

static const size_t source_begin[] = {0, 5, 6, 10};
static const size_t target_begin[] = {0, 3, 7, 8};
static const int32_t source[] = {3, 7, 7, 2, 0, 0, 9, 4, 3, 0};
static const int32_t target_input[] = {40, 5, 3, 40, 8, 8, 1, 40};
static const int32_t target_output[] = {5, 3, 0, 8, 8, 1, 0, 0};
static const struct tolk_batch batch = {
    .sentences = 3,
    .source_begin = source_begin,
    .source = source,
    .target_begin = target_begin,
    .target_input = target_input,
    .target_output = target_output,
};
enum { VOCABULARY = 41, TARGET_ROWS = 8 };

#endif
