/* A tile's height as a constant: the sums of a tile live in registers, which needs a function of
 * its own for each height, and then the last rows of a matrix cost what they are worth. */
#ifndef TOLK_MODEL_KERNELS_TILES_H
#define TOLK_MODEL_KERNELS_TILES_H

/* TOLK_OF_HEIGHT(rows, most, CALL) is CALL(r) with the constant r that `rows` is, from 1 to `most`,
 * at most 14. */
#ifdef __SANITIZE_ADDRESS__ /* all unrolled it would take minutes to compile */
#define TOLK_OF_HEIGHT(rows, most, CALL) CALL(rows);
#else
#define TOLK_OF_HEIGHT(rows, most, CALL)                                                           \
    switch (rows) {                                                                                \
        TOLK_HEIGHT_(1, most, CALL)                                                                \
        TOLK_HEIGHT_(2, most, CALL)                                                                \
        TOLK_HEIGHT_(3, most, CALL)                                                                \
        TOLK_HEIGHT_(4, most, CALL)                                                                \
        TOLK_HEIGHT_(5, most, CALL)                                                                \
        TOLK_HEIGHT_(6, most, CALL)                                                                \
        TOLK_HEIGHT_(7, most, CALL)                                                                \
        TOLK_HEIGHT_(8, most, CALL)                                                                \
        TOLK_HEIGHT_(9, most, CALL)                                                                \
        TOLK_HEIGHT_(10, most, CALL)                                                               \
        TOLK_HEIGHT_(11, most, CALL)                                                               \
        TOLK_HEIGHT_(12, most, CALL)                                                               \
        TOLK_HEIGHT_(13, most, CALL)                                                               \
        TOLK_HEIGHT_(14, most, CALL)                                                               \
    }
#define TOLK_HEIGHT_(r, most, CALL)                                                                \
    case r:                                                                                        \
        if (r <= (most)) {                                                                         \
            CALL((r <= (most) ? r : 1));                                                           \
        }                                                                                          \
        break;
#endif

#endif
