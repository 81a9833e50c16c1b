/* What the ways to inspect a sentence share. */
#ifndef TOLK_INFER_COMMAND_INSPECT_H
#define TOLK_INFER_COMMAND_INSPECT_H

#include "base/error.h"
#include "infer/command.h"
#include "infer/sentence.h"
#include "infer/translator.h"

/* A sentence, or its given translation, as pieces. Refused: what is empty, not UTF-8, more than one
 * line, or longer than the model reads. */
int tolk_inspect_encode(const struct tolk_session *session, enum tolk_side side, const char *text,
                        struct tolk_sentence *sentence, struct tolk_error *error);

/* The model's own translation, as the sentence whose steps are looked at. */
int tolk_inspect_translate(const struct tolk_session *session,
                           const struct tolk_translator_options *options, const char *text,
                           struct tolk_sentence *target, struct tolk_error *error);

/* `tolk inspect --html`: its own options and help. */
int tolk_command_inspect_html(int argc, char **argv, FILE *out, FILE *log);

#endif
