#include "train/corpus.h"

static int read_pairs(struct tolk_pairs *pairs, const char *tsv, const char *source,
                      const char *target, bool skip_bad, struct tolk_error *error)
{
    const struct tolk_pairs_options options = {.skip_bad = skip_bad};
    return tsv != NULL ? tolk_pairs_read_tsv(tsv, &options, pairs, error)
                       : tolk_pairs_read_moses(source, target, &options, pairs, error);
}

/* FNV-1a over the sentence and its end. */
static uint64_t hash_sentence(uint64_t hash, const char *text)
{
    const uint64_t prime = UINT64_C(0x100000001b3);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * prime;
    }
    return (hash ^ '\n') * prime;
}

static uint64_t hash_pairs(uint64_t hash, const struct tolk_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        hash = hash_sentence(hash, pairs->items[i].source);
        hash = hash_sentence(hash, pairs->items[i].target);
    }
    return hash;
}

int tolk_training_corpus_read(struct tolk_training_corpus *corpus,
                              const struct tolk_training_options *options, struct tolk_error *error)
{
    const struct tolk_training_options *o = options;
    const uint64_t basis = UINT64_C(0xcbf29ce484222325);
    *corpus = (struct tolk_training_corpus){.hash = 0};
    if (read_pairs(&corpus->train, o->train, o->train_source, o->train_target, o->skip_bad,
                   error) != 0 ||
        read_pairs(&corpus->dev, o->dev, o->dev_source, o->dev_target, o->skip_bad, error) != 0) {
        tolk_training_corpus_free(corpus);
        return -1;
    }
    corpus->hash = (int64_t)hash_pairs(hash_pairs(basis, &corpus->train), &corpus->dev);
    return 0;
}

int tolk_training_corpus_check(const struct tolk_training_corpus *corpus, int64_t pairs,
                               int64_t hash, const char *folder, struct tolk_error *error)
{
    const char *advice = "give the same to resume, or --restart to begin anew";
    if ((int64_t)corpus->train.count != pairs) {
        return tolk_error_set(error, "%s: its training began with %lld pairs, found %zu; %s",
                              folder, (long long)pairs, corpus->train.count, advice);
    }
    if (corpus->hash != hash) {
        return tolk_error_set(error,
                              "%s: its training began with other sentences to train or to validate "
                              "on, or other links to be guided by; %s",
                              folder, advice);
    }
    return 0;
}

void tolk_training_corpus_free(struct tolk_training_corpus *corpus)
{
    tolk_pairs_free(&corpus->train);
    tolk_pairs_free(&corpus->dev);
}
