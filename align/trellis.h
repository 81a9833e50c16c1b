/* One sentence pair in one direction: e_1 … e_I is given, f_1 … f_J is generated. */
#ifndef TOLK_ALIGN_TRELLIS_H
#define TOLK_ALIGN_TRELLIS_H

#include <stddef.h>

struct tolk_trellis {
    size_t positions;      /* I */
    size_t words;          /* J */
    const double *given;   /* t(f_j | e_i) [J][I] */
    const double *null;    /* t(f_j | NULL) [J] */
    double *posterior;     /* p(a_j = i | f, e) [J][I], filled by the model */
    double log_likelihood; /* ln p(f | e), filled by the model */
};

#endif
