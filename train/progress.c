#include "train/progress.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "infer/terminal.h"

enum { LINE_BYTES = 256 };

static const double REDRAW_SECONDS = 0.2;

void tolk_progress_begin(struct tolk_progress *progress, FILE *stream)
{
    *progress = (struct tolk_progress){.stream = stream, .shown = -REDRAW_SECONDS};
    progress->terminal = isatty(fileno(stream)) == 1;
}

/* "1:02:03", "2:03" behind a word */
static void format_time(const char *word, double seconds, char *text, size_t room)
{
    const long long whole = (long long)(seconds + 0.5);
    const long long hours = whole / 3600;
    if (hours > 0) {
        snprintf(text, room, "%s%lld:%02lld:%02lld", word, hours, whole / 60 % 60, whole % 60);
    } else {
        snprintf(text, room, "%s%lld:%02lld", word, whole / 60, whole % 60);
    }
}

static void format_line(const struct tolk_progress_state *state, bool gone, char *line)
{
    char of[32] = "";
    char left[32] = "";
    char guided[32] = "";
    char time[32] = "";
    if (state->updates > 0) {
        snprintf(of, sizeof of, "/%lld", (long long)state->updates);
    }
    if (!isnan(state->guided_loss)) {
        snprintf(guided, sizeof guided, "  alignment %.3f", state->guided_loss);
    }
    if (gone) {
        format_time("  ", state->seconds, time, sizeof time);
    }
    if (state->seconds_left >= 0) {
        format_time("  left ", state->seconds_left, left, sizeof left);
    }
    snprintf(line, LINE_BYTES, "update %lld%s  epoch %lld  loss %.3f%s  %.0f tokens/s%s%s",
             (long long)state->update, of, (long long)state->epoch + 1, state->loss, guided,
             state->tokens_per_second, time, left);
}

/* A line that reaches the edge of the terminal would break, and could not be written over. */
static void overwrite(struct tolk_progress *progress, const struct tolk_progress_state *state)
{
    char line[LINE_BYTES];
    const size_t width = tolk_terminal_of(progress->stream, TOLK_NEVER).width;
    format_line(state, true, line);
    if (strlen(line) >= width) {
        format_line(state, false, line);
    }
    fprintf(progress->stream, "\r%.*s\033[K", (int)width - 1, line);
    fflush(progress->stream);
    progress->line_open = true;
}

void tolk_progress_update(struct tolk_progress *progress, const struct tolk_progress_state *state,
                          bool due)
{
    if (progress->terminal ? state->seconds - progress->shown < REDRAW_SECONDS : !due) {
        return;
    }
    progress->shown = state->seconds;
    if (progress->terminal) {
        overwrite(progress, state);
    } else {
        char line[LINE_BYTES];
        format_line(state, true, line);
        fprintf(progress->stream, "%s\n", line);
    }
}

void tolk_progress_note(struct tolk_progress *progress, const char *format, ...)
{
    va_list arguments;
    if (progress->line_open) {
        fputs("\r\033[K", progress->stream);
        progress->line_open = false;
    }
    va_start(arguments, format);
    vfprintf(progress->stream, format, arguments);
    va_end(arguments);
    fputc('\n', progress->stream);
    fflush(progress->stream);
}
