#include "tokenizer/vocabulary_scan.h"

#include "base/utf8.h"

/* A longer piece or number is not plain. */
enum { PIECE_BYTES_MAX = 4096, DIGITS_MAX = 9 };

struct scan {
    const char *at;
    const char *end;
    char piece[PIECE_BYTES_MAX]; /* without its escapes */
    size_t size;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

/* The character, with white space around it. */
static bool skip(struct scan *scan, char expected)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != expected) {
        return false;
    }
    scan->at++;
    skip_space(scan);
    return true;
}

/* What stands behind its opening quote, and the closing one. */
static bool read_piece(struct scan *scan)
{
    for (scan->size = 0; scan->at < scan->end && scan->size < PIECE_BYTES_MAX; scan->size++) {
        char c = *scan->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\') {
            c = scan->at < scan->end ? *scan->at++ : '\0';
            if (c != '"' && c != '\\' && c != '/') {
                return false;
            }
        }
        if ((unsigned char)c < ' ') {
            return false;
        }
        scan->piece[scan->size] = c;
    }
    return false;
}

static bool read_id(struct scan *scan, int64_t *id)
{
    const char *const begin = scan->at;
    *id = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' &&
           scan->at - begin < DIGITS_MAX) {
        *id = 10 * *id + (*scan->at++ - '0');
    }
    const ptrdiff_t digits = scan->at - begin;
    return digits == 1 || (digits > 1 && *begin != '0');
}

bool tolk_vocabulary_scan(const char *bytes, size_t size, tolk_vocabulary_take *take, void *context)
{
    struct scan scan = {.at = bytes, .end = bytes + size};
    if (size == 0 || tolk_utf8_valid_prefix(bytes, size) < size || !skip(&scan, '{')) {
        return false;
    }
    do {
        int64_t id;
        /* A space behind the opening quote belongs to the piece. */
        skip_space(&scan);
        if (scan.at == scan.end || *scan.at++ != '"' || !read_piece(&scan) || !skip(&scan, ':') ||
            !read_id(&scan, &id) || take(context, scan.piece, scan.size, id) != 0) {
            return false;
        }
    } while (skip(&scan, ','));
    return skip(&scan, '}') && scan.at == scan.end;
}
