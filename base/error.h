/* One error message, filled by the function that found the fault and printed by a main.c.
 *
 *     struct tolk_error error;
 *     if (tolk_model_load(&model, "tatoeba.model", &error) != 0) {
 *         fprintf(stderr, "tolk: %s\n", error.message);
 *         return 1;
 *     }
 *
 * A message names the file, the line or tensor, what was expected and what was found. */
#ifndef TOLK_BASE_ERROR_H
#define TOLK_BASE_ERROR_H

enum { TOLK_ERROR_MESSAGE_BYTES = 1024 };

struct tolk_error {
    char message[TOLK_ERROR_MESSAGE_BYTES];
};

/* Formats the message (cut at the buffer's end; control characters that came from a file are
 * replaced by '?', so that a message stays one line) and returns -1, so that a caller can write
 * `return tolk_error_set(error, "%s: …", path);`. `error` may be NULL. */
int tolk_error_set(struct tolk_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and the text of errno as it was on entry. */
int tolk_error_errno(struct tolk_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
