#include "train/progress.h"

#include <math.h>
#include <stdarg.h>
#include <unistd.h>

enum { LINE_BYTES = 256 };

static const double REDRAW_SECONDS = 0.2;

void tolk_progress_begin(struct tolk_progress *progress, FILE *stream)
{
    *progress = (struct tolk_progress){.stream = stream, .shown = -REDRAW_SECONDS};
    progress->terminal = isatty(fileno(stream)) == 1;
}

/* "1:02:03", "2:03" */
static void format_time(double seconds, char *text, size_t room)
{
    const long long whole = (long long)(seconds + 0.5);
    const long long hours = whole / 3600;
    if (hours > 0) {
        snprintf(text, room, "%lld:%02lld:%02lld", hours, whole / 60 % 60, whole % 60);
    } else {
        snprintf(text, room, "%lld:%02lld", whole / 60, whole % 60);
    }
}

void tolk_progress_update(struct tolk_progress *progress, const struct tolk_progress_state *state,
                          bool due)
{
    char line[LINE_BYTES];
    char of[32] = "";
    char left[32] = "";
    char guided[32] = "";
    char gone[32];
    if (progress->terminal ? state->seconds - progress->shown < REDRAW_SECONDS : !due) {
        return;
    }
    progress->shown = state->seconds;
    format_time(state->seconds, gone, sizeof gone);
    if (state->updates > 0) {
        snprintf(of, sizeof of, "/%lld", (long long)state->updates);
    }
    if (!isnan(state->guided_loss)) {
        snprintf(guided, sizeof guided, "  alignment %.3f", state->guided_loss);
    }
    if (state->seconds_left >= 0) {
        format_time(state->seconds_left, left, sizeof left);
    }
    snprintf(line, sizeof line, "update %lld%s  epoch %lld  loss %.3f%s  %.0f tokens/s  %s%s%s",
             (long long)state->update, of, (long long)state->epoch + 1, state->loss, guided,
             state->tokens_per_second, gone, left[0] != '\0' ? "  left " : "", left);
    if (progress->terminal) {
        fprintf(progress->stream, "\r%s\033[K", line);
        fflush(progress->stream);
        progress->line_open = true;
    } else {
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
