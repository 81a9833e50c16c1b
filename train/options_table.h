/* The table behind options.h: a row for each option, in the order of the help. Inside train/ only.
 */
#ifndef TOLK_TRAIN_OPTIONS_TABLE_H
#define TOLK_TRAIN_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum tolk_option_kind { GROUP, FLAG, TEXT, WHOLE, NUMBER, CHOICE };

/* One row of the table. A row of kind GROUP is a headline of the help. */
struct tolk_option_row {
    enum tolk_option_kind kind;
    bool recipe; /* shapes the weights: a resumed training must repeat it */
    const char *name;
    size_t offset;
    const char *value;    /* what the default is written like; NULL: none */
    double least, most;   /* WHOLE and NUMBER */
    const char *argument; /* how the help calls it; the words of a CHOICE, split at '|' */
    const char *help;
};

extern const struct tolk_option_row TOLK_OPTION_ROWS[];

extern const size_t TOLK_OPTION_COUNT;

/* Room for a table of as many entries. */
enum { TOLK_OPTION_MOST = 96 };

#endif
