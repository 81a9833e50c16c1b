#include "align/hmm.h"

#include <math.h>
#include <string.h>

/* So strong is the prior: a jump that no sentence has room for keeps the weight 1, and one that few
 * have room for does not run off to 0 or to infinity. */
static const double PRIOR = 1e-3;

static const double *weight_of(const struct tolk_hmm *hmm, ptrdiff_t distance)
{
    const ptrdiff_t widest = TOLK_HMM_WIDEST;
    const ptrdiff_t near = distance < -widest ? -widest : distance > widest ? widest : distance;
    return &hmm->weight[near + widest];
}

static size_t first_of(size_t position)
{
    return position < TOLK_HMM_WIDEST ? position : TOLK_HMM_WIDEST;
}

struct tolk_hmm tolk_hmm_make(double null)
{
    struct tolk_hmm hmm = {.null = null};
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        hmm.weight[d] = 1;
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        hmm.first[i] = 1;
    }
    return hmm;
}

/* What forward and backward work in. Row 0 of `jumps` and column 0 of the others is the place
 * before the sentence, from which the first jump goes; position i is at i + 1. */
struct work {
    double *jumps;   /* (1 − p0) · p(i | i', I)  [I + 1][I] */
    double *forward; /* p(f_1 … f_j, last position)  [J + 1][I + 1], each row divided by its sum */
    double *backward; /* p(f_j+1 … | last position)  [2][I + 1] */
    double *scale;    /* those sums [J + 1] */
};

size_t tolk_hmm_room(size_t positions, size_t words)
{
    return (positions + 1) * positions + (words + 3) * (positions + 1) + words + 1;
}

static struct work divide(double *room, size_t positions, size_t words)
{
    struct work work = {.jumps = room};
    work.forward = work.jumps + (positions + 1) * positions;
    work.backward = work.forward + (words + 1) * (positions + 1);
    work.scale = work.backward + 2 * (positions + 1);
    return work;
}

static void fill_jumps(const struct tolk_hmm *hmm, size_t positions, double *jumps)
{
    for (size_t from = 0; from <= positions; from++) {
        double *const row = jumps + from * positions;
        double sum = 0;
        for (size_t to = 0; to < positions; to++) {
            row[to] = from == 0 ? hmm->first[first_of(to)]
                                : *weight_of(hmm, (ptrdiff_t)to - (ptrdiff_t)(from - 1));
            sum += row[to];
        }
        for (size_t to = 0; to < positions; to++) {
            row[to] *= (1 - hmm->null) / sum;
        }
    }
}

/* Into trellis->posterior goes what of row j + 1 came by a jump, not by NULL. */
static void go_forward(const struct tolk_hmm *hmm, const struct tolk_trellis *trellis,
                       const struct work *work)
{
    const size_t positions = trellis->positions, width = positions + 1;
    memset(work->forward, 0, width * sizeof *work->forward);
    work->forward[0] = 1;
    work->scale[0] = 1;
    for (size_t j = 0; j < trellis->words; j++) {
        const double *const before = work->forward + j * width;
        double *const after = work->forward + (j + 1) * width;
        double *const jumped = trellis->posterior + j * positions;
        memset(jumped, 0, positions * sizeof *jumped);
        for (size_t from = 0; from < width; from++) {
            for (size_t to = 0; to < positions && before[from] > 0; to++) {
                jumped[to] += before[from] * work->jumps[from * positions + to];
            }
        }
        const double stay = hmm->null * trellis->null[j];
        double sum = after[0] = before[0] * stay;
        for (size_t to = 0; to < positions; to++) {
            jumped[to] *= trellis->given[j * positions + to];
            after[to + 1] = jumped[to] + before[to + 1] * stay;
            sum += after[to + 1];
        }
        work->scale[j + 1] = sum;
        for (size_t to = 0; to < positions; to++) {
            jumped[to] /= sum;
            after[to + 1] /= sum;
        }
        after[0] /= sum;
    }
}

static void count_jumps(struct tolk_hmm_counts *counts, size_t positions, size_t from, size_t to,
                        double expected)
{
    const uint64_t whole = (uint64_t)(expected * 0x1p32);
    if (from == 0) {
        counts->first[first_of(to)] += whole;
        counts->started[positions] += whole;
        return;
    }
    const ptrdiff_t widest = TOLK_HMM_WIDEST, distance = (ptrdiff_t)to - (ptrdiff_t)(from - 1);
    counts->jump[(distance < -widest  ? -widest
                  : distance > widest ? widest
                                      : distance) +
                 widest] += whole;
    counts->left[from - 1][positions - from] += whole;
}

static void go_backward(const struct tolk_hmm *hmm, struct tolk_trellis *trellis,
                        const struct work *work, struct tolk_hmm_counts *counts)
{
    const size_t positions = trellis->positions, width = positions + 1;
    double *later = work->backward, *now = work->backward + width;
    for (size_t i = 0; i < width; i++) {
        later[i] = 1;
    }
    for (size_t j = trellis->words; j-- > 0;) {
        const double *const before = work->forward + j * width;
        double *const posterior = trellis->posterior + j * positions;
        const double *const given = trellis->given + j * positions;
        const double scale = work->scale[j + 1];
        const double stay = hmm->null * trellis->null[j];
        for (size_t to = 0; to < positions; to++) {
            posterior[to] *= later[to + 1];
        }
        for (size_t from = 0; from < width; from++) {
            double sum = later[from] * stay;
            for (size_t to = 0; to < positions; to++) {
                const double way = work->jumps[from * positions + to] * given[to] * later[to + 1];
                sum += way;
                if (counts != NULL) {
                    count_jumps(counts, positions, from, to, before[from] * way / scale);
                }
            }
            now[from] = sum / scale;
        }
        double *const swap = later;
        later = now;
        now = swap;
    }
}

void tolk_hmm_posteriors(const struct tolk_hmm *hmm, struct tolk_trellis *trellis, double *room,
                         struct tolk_hmm_counts *counts)
{
    const struct work work = divide(room, trellis->positions, trellis->words);
    fill_jumps(hmm, trellis->positions, work.jumps);
    go_forward(hmm, trellis, &work);
    go_backward(hmm, trellis, &work, counts);
    trellis->log_likelihood = 0;
    for (size_t j = 1; j <= trellis->words; j++) {
        trellis->log_likelihood += log(work.scale[j]);
    }
}

void tolk_hmm_counts_add(struct tolk_hmm_counts *to, const struct tolk_hmm_counts *from)
{
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        to->jump[d] += from->jump[d];
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        to->first[i] += from->first[i];
    }
    for (size_t n = 0; n <= TOLK_ALIGNER_LONGEST; n++) {
        to->started[n] += from->started[n];
    }
    for (size_t l = 0; l < TOLK_ALIGNER_LONGEST; l++) {
        for (size_t r = 0; r < TOLK_ALIGNER_LONGEST; r++) {
            to->left[l][r] += from->left[l][r];
        }
    }
}

/* Adds to share[bucket] how many positions at that distance there are, times count / normaliser. */
static void share_out(const struct tolk_hmm *hmm, size_t before, size_t behind, uint64_t count,
                      double *share)
{
    double sum = 0;
    for (ptrdiff_t d = -(ptrdiff_t)before; d <= (ptrdiff_t)behind; d++) {
        sum += *weight_of(hmm, d);
    }
    for (ptrdiff_t d = -(ptrdiff_t)before; d <= (ptrdiff_t)behind; d++) {
        share[weight_of(hmm, d) - hmm->weight] += (double)count * 0x1p-32 / sum;
    }
}

static void estimate_first(struct tolk_hmm *hmm, const struct tolk_hmm_counts *counts)
{
    double share[TOLK_HMM_WIDEST + 1] = {0};
    for (size_t n = 1; n <= TOLK_ALIGNER_LONGEST; n++) {
        double sum = 0;
        for (size_t to = 0; to < n; to++) {
            sum += hmm->first[first_of(to)];
        }
        for (size_t to = 0; to < n && counts->started[n] > 0; to++) {
            share[first_of(to)] += (double)counts->started[n] * 0x1p-32 / sum;
        }
    }
    for (size_t i = 0; i <= TOLK_HMM_WIDEST; i++) {
        hmm->first[i] = ((double)counts->first[i] * 0x1p-32 + PRIOR) / (share[i] + PRIOR);
    }
}

void tolk_hmm_estimate(struct tolk_hmm *hmm, const struct tolk_hmm_counts *counts)
{
    double share[TOLK_HMM_JUMPS] = {0};
    for (size_t before = 0; before < TOLK_ALIGNER_LONGEST; before++) {
        for (size_t behind = 0; before + behind < TOLK_ALIGNER_LONGEST; behind++) {
            if (counts->left[before][behind] > 0) {
                share_out(hmm, before, behind, counts->left[before][behind], share);
            }
        }
    }
    estimate_first(hmm, counts);
    for (size_t d = 0; d < TOLK_HMM_JUMPS; d++) {
        hmm->weight[d] = ((double)counts->jump[d] * 0x1p-32 + PRIOR) / (share[d] + PRIOR);
    }
}
