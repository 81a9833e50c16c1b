#include "train/log.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* ---- one record as a line -----------------------------------------------------------------------
 */

/* JSON has no infinity and no NaN. */
static void put_number(FILE *stream, const char *key, double value)
{
    if (isfinite(value)) {
        fprintf(stream, ", \"%s\": %.9g", key, value);
    } else {
        fprintf(stream, ", \"%s\": null", key);
    }
}

static void put_whole(FILE *stream, const char *key, int64_t value)
{
    fprintf(stream, ", \"%s\": %lld", key, (long long)value);
}

static void put_record(FILE *stream, const struct tolk_log_record *record)
{
    const bool update = record->type == TOLK_LOG_UPDATE;
    fprintf(stream, "{\"type\": \"%s\"", update ? "update" : "validation");
    put_whole(stream, "update", record->update);
    put_whole(stream, "epoch", record->epoch);
    put_number(stream, "seconds", record->seconds);
    put_number(stream, "loss", record->loss);
    if (update) {
        put_number(stream, "smoothed_loss", record->smoothed_loss);
        if (!isnan(record->guided_loss)) {
            put_number(stream, "guided_loss", record->guided_loss);
        }
        put_number(stream, "learning_rate", record->learning_rate);
        put_number(stream, "gradient_norm", record->gradient_norm);
        put_number(stream, "tokens_per_second", record->tokens_per_second);
        put_whole(stream, "tokens", record->tokens);
        put_whole(stream, "skipped", record->skipped);
    } else {
        put_number(stream, "perplexity", exp(record->loss));
        put_number(stream, "bleu", record->bleu);
        put_number(stream, "chrf", record->chrf);
        put_whole(stream, "sentences", record->sentences);
        fprintf(stream, ", \"best\": %s", record->best ? "true" : "false");
    }
    fputs("}\n", stream);
}

static double get_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t get_whole(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool parse_record(const char *line, size_t size, struct tolk_log_record *record)
{
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(object, "type"));
    const bool update = type != NULL && strcmp(type, "update") == 0;
    const bool good = update || (type != NULL && strcmp(type, "validation") == 0);
    if (good) {
        *record = (struct tolk_log_record){
            .type = update ? TOLK_LOG_UPDATE : TOLK_LOG_VALIDATION,
            .update = get_whole(object, "update"),
            .epoch = get_whole(object, "epoch"),
            .seconds = get_number(object, "seconds"),
            .loss = get_number(object, "loss"),
            .smoothed_loss = get_number(object, "smoothed_loss"),
            .guided_loss = get_number(object, "guided_loss"),
            .learning_rate = get_number(object, "learning_rate"),
            .gradient_norm = get_number(object, "gradient_norm"),
            .tokens_per_second = get_number(object, "tokens_per_second"),
            .tokens = get_whole(object, "tokens"),
            .skipped = get_whole(object, "skipped"),
            .bleu = get_number(object, "bleu"),
            .chrf = get_number(object, "chrf"),
            .sentences = get_whole(object, "sentences"),
            .best = json_is_true(json_object_get(object, "best")),
        };
    }
    json_decref(object);
    return good;
}

/* ---- the file -----------------------------------------------------------------------------------
 */

int tolk_log_read(const char *path, struct tolk_log_record **records, size_t *count,
                  struct tolk_error *error)
{
    struct tolk_file file;
    size_t lines = 0;
    *records = NULL;
    *count = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return 0;
    }
    if (tolk_file_map(&file, path, error) != 0) {
        return -1;
    }
    const char *text = (const char *)file.bytes;
    for (size_t i = 0; i < file.size; i++) {
        lines += text[i] == '\n';
    }
    *records = calloc(lines + 1, sizeof **records);
    if (*records == NULL) {
        tolk_file_unmap(&file);
        return tolk_error_set(error, "%s: out of memory for %zu records", path, lines);
    }
    for (size_t begin = 0; begin < file.size;) {
        const char *end = memchr(text + begin, '\n', file.size - begin);
        const size_t size = end != NULL ? (size_t)(end - text) - begin : file.size - begin;
        if (end != NULL && parse_record(text + begin, size, *records + *count)) {
            ++*count;
        }
        begin += size + 1;
    }
    tolk_file_unmap(&file);
    return 0;
}

/* Writes the file anew without the records behind `last_update` and without broken lines. */
static int drop_behind(const char *path, int64_t last_update, struct tolk_error *error)
{
    struct tolk_log_record *records = NULL;
    size_t count = 0;
    char *text = NULL;
    size_t size = 0;
    int result = -1;
    if (tolk_log_read(path, &records, &count, error) != 0) {
        return -1;
    }
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        tolk_error_errno(error, "%s: cannot rewrite", path);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (records[i].update <= last_update) {
            put_record(stream, &records[i]);
        }
    }
    if (fclose(stream) != 0) {
        tolk_error_errno(error, "%s: cannot rewrite", path);
        goto out;
    }
    result = tolk_file_write_atomic(path, text, size, error);
out:
    free(text);
    free(records);
    return result;
}

int tolk_log_open(struct tolk_log *log, const char *path, int64_t last_update,
                  struct tolk_error *error)
{
    *log = (struct tolk_log){.path = strdup(path)};
    if (log->path == NULL) {
        return tolk_error_set(error, "%s: out of memory", path);
    }
    if (drop_behind(path, last_update, error) != 0) {
        tolk_log_close(log);
        return -1;
    }
    log->stream = fopen(path, "a");
    if (log->stream == NULL) {
        tolk_error_errno(error, "%s: cannot open", path);
        tolk_log_close(log);
        return -1;
    }
    return 0;
}

int tolk_log_write(struct tolk_log *log, const struct tolk_log_record *record,
                   struct tolk_error *error)
{
    put_record(log->stream, record);
    if (fflush(log->stream) != 0) {
        clearerr(log->stream);
        return tolk_error_errno(error, "%s: cannot write", log->path);
    }
    return 0;
}

void tolk_log_close(struct tolk_log *log)
{
    if (log->stream != NULL) {
        fclose(log->stream);
    }
    free(log->path);
    *log = (struct tolk_log){.stream = NULL};
}
