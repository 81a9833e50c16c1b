/* Division of pairs into train, dev and test sets that share no sentence on either side. */
#ifndef TOLK_CORPORA_SPLIT_H
#define TOLK_CORPORA_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* Which sentences are the same is said by their keys (tolk_clean_key). */
struct tolk_split_pair {
    const char *source;
    const char *target;
};

/* LEFT_OUT: another translation of a sentence in dev or test. */
enum tolk_split_set {
    TOLK_SPLIT_TRAIN,
    TOLK_SPLIT_DEV,
    TOLK_SPLIT_TEST,
    TOLK_SPLIT_LEFT_OUT,
    TOLK_SPLIT_SETS
};

/* Gives each pair a set, and in `order` a permutation of the pairs; both depend on the keys and the
 * seed alone. Pairs that share a sentence, directly or by way of others, form a family. A family
 * that dev or test draws gives one pair to it and is left out elsewhere; large ones, the greetings
 * that everything is a translation of, always train. dev and test get less than they should when
 * there are not enough families. -1 when there is no memory. */
int tolk_split(const struct tolk_split_pair *pairs, size_t count, size_t dev, size_t test,
               uint64_t seed, enum tolk_split_set *sets, size_t *order);

#endif
