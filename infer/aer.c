#include "infer/aer.h"

#include <stdlib.h>

static int compare_words(const void *a, const void *b)
{
    const struct tolk_link *x = a, *y = b;
    if (x->source != y->source) {
        return x->source < y->source ? -1 : 1;
    }
    return x->target < y->target ? -1 : x->target > y->target;
}

static const struct tolk_link *find(const struct tolk_links *links, const struct tolk_link *link)
{
    return links->count == 0
               ? NULL
               : bsearch(link, links->items, links->count, sizeof *link, compare_words);
}

void tolk_aer_add(struct tolk_aer *aer, const struct tolk_links *links,
                  const struct tolk_links *gold)
{
    for (size_t i = 0; i < links->count; i++) {
        const struct tolk_link *found = find(gold, &links->items[i]);
        aer->possible_found += found != NULL;
        aer->sure_found += found != NULL && !found->possible;
    }
    for (size_t i = 0; i < gold->count; i++) {
        aer->sure += !gold->items[i].possible;
    }
    aer->links += links->count;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 1;
}

double tolk_aer_rate(const struct tolk_aer *aer)
{
    return 1 - share(aer->sure_found + aer->possible_found, aer->links + aer->sure);
}

double tolk_aer_precision(const struct tolk_aer *aer)
{
    return share(aer->possible_found, aer->links);
}

double tolk_aer_recall(const struct tolk_aer *aer)
{
    return share(aer->sure_found, aer->sure);
}
