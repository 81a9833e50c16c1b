/* Small random models and their tokenizer, for tests that need no training. */
#ifndef TOLK_TESTS_TINY_H
#define TOLK_TESTS_TINY_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "tokenizer/codec.h"

/* Two layers each, two heads, d_model 16. The weights are larger than a fresh model's, so that its
 * choices differ from step to step. Fails the test when it cannot. */
void tolk_test_tiny_model(struct tolk_model *model, size_t vocab_size, uint64_t seed);

/* A codec trained on some lines of Dutch and English. */
struct tolk_codec *tolk_test_tiny_codec(void);

/* Both, written into a fresh folder (remove it with tolk_test_folder_remove). */
char *tolk_test_tiny_folder(uint64_t seed);

#endif
