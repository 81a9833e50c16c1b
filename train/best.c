#include "train/best.h"

#include <math.h>

#include "train/options.h"

bool tolk_is_best(const struct tolk_validation_scores *scores, const struct tolk_cursor *cursor,
                  size_t by)
{
    if (!isfinite(scores->loss)) {
        return false;
    }
    if (cursor->best_update == 0) {
        return true;
    }
    const bool by_loss = by == TOLK_BEST_BY_LOSS || scores->bleu == cursor->best_bleu;
    return by_loss ? scores->loss < cursor->best_loss : scores->bleu > cursor->best_bleu;
}
