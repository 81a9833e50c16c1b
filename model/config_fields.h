/* Inside of the config: which key of config.json is which member, with its kind and its bounds.
 * Reading, writing and checking walk this one table. */
#ifndef TOLK_MODEL_CONFIG_FIELDS_H
#define TOLK_MODEL_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/config.h"

/* size_t, int32_t, int, double, bool, enum tolk_activation */
enum tolk_field_kind {
    TOLK_FIELD_SIZE,
    TOLK_FIELD_ID,
    TOLK_FIELD_LAYER,
    TOLK_FIELD_NUMBER,
    TOLK_FIELD_FLAG,
    TOLK_FIELD_ACTIVATION,
};

/* A key that is not required has the default of `transformers`. */
struct tolk_field {
    const char *key;
    enum tolk_field_kind kind;
    size_t offset;
    double least;
    double most;
    bool required;
};
extern const struct tolk_field tolk_fields[];
extern const size_t tolk_field_count;

/* The spellings in config.json; the first of a value is the one that is written. */
struct tolk_activation_name {
    const char *name;
    enum tolk_activation value;
};
extern const struct tolk_activation_name tolk_activation_names[];
extern const size_t tolk_activation_name_count;

/* The two layouts of `transformers`; which it is tells where the norms stand. */
struct tolk_layout_name {
    const char *model_type;
    const char *architecture;
    bool normalize_before;
};
extern const struct tolk_layout_name tolk_layout_names[];
extern const size_t tolk_layout_name_count;

/* Keys that tell of variants which neither layout has; absent is as good as `value`. */
struct tolk_fixed_flag {
    const char *key;
    bool value;
};
extern const struct tolk_fixed_flag tolk_fixed_flags[];
extern const size_t tolk_fixed_flag_count;

#endif
