/* A batch without padding: rows of tokens, one sentence behind the other.
 *
 * Sentence s owns the source rows source_begin[s] … source_begin[s + 1] and the target rows
 * target_begin[s] … target_begin[s + 1]. Every matrix product runs over all rows at once; attention
 * loops over the sentences by these offsets. */
#ifndef TOLK_MODEL_BATCH_H
#define TOLK_MODEL_BATCH_H

#include <stddef.h>
#include <stdint.h>

struct tolk_guide; /* model/guide.h */

struct tolk_batch {
    size_t sentences;
    const size_t *source_begin; /* [sentences + 1] */
    const int32_t *source;      /* [source_begin[sentences]], each sentence ends with eos */
    const size_t *target_begin; /* [sentences + 1] */
    const int32_t
        *target_input; /* [target_begin[sentences]]: start, then the target but its last */
    const int32_t *target_output;   /* [target_begin[sentences]]: the target, ends with eos */
    const struct tolk_guide *guide; /* where one head should look; NULL: nowhere */
};

static inline size_t tolk_batch_source_rows(const struct tolk_batch *batch)
{
    return batch->source_begin[batch->sentences];
}

static inline size_t tolk_batch_target_rows(const struct tolk_batch *batch)
{
    return batch->target_begin[batch->sentences];
}

#endif
